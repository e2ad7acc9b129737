// Numbers as people read them: short, with a unit, never more digits than tell something.

const LARGE: readonly [number, string][] = [
  [1e15, "P"],
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];
const BINARY = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
export const NONE = "–";
const THIN = "\u202f";

/** Three digits that tell something, no zeros behind the point: 1234 → 1.23. */
function digits(value: number, most = 3): string {
  const size = Math.abs(value);
  const before = size < 1 ? 0 : Math.floor(Math.log10(size)) + 1;
  if (size !== 0 && size < 0.001) return value.toExponential(1).replace("e-", "e−");
  const text = size < 1 ? value.toPrecision(most) : value.toFixed(Math.max(most - before, 0));
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** A plain number: 0.25, 12.3, 999, 1.5k, 12M. */
export function short(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const size = Math.abs(value);
  for (const [scale, letter] of LARGE)
    if (size >= scale * 0.9995) return `${digits(value / scale)}${letter}`.replace("-", "−");
  return digits(value).replace(/^-/, "−");
}

/** A count in full, grouped: 1 234 567. */
export function full(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const [whole = "", rest] = String(Math.abs(value)).split(".");
  const grouped = whole.includes("e") ? whole : whole.replace(/\B(?=(\d{3})+$)/g, THIN);
  return (value < 0 ? "−" : "") + grouped + (rest === undefined ? "" : `.${rest}`);
}

export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  let unit = 0;
  let left = value;
  while (Math.abs(left) >= 999.5 && unit < BINARY.length - 1) {
    left /= 1024;
    unit++;
  }
  return `${digits(left)}${THIN}${BINARY[unit]}`;
}

/** Milliseconds. */
export function milliseconds(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  if (value >= 1000) return seconds(value / 1000);
  return value !== 0 && value < 1 ? `${digits(value * 1000)}${THIN}µs` : `${digits(value)}${THIN}ms`;
}

/** A span of time in its two greatest units: 45 s, 3 min 20 s, 2 h 5 min, 12 d 3 h. */
export function seconds(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  if (value < 60) return `${digits(value < 10 ? Math.round(value * 10) / 10 : Math.round(value))}${THIN}s`;
  const whole = Math.round(value);
  const units: readonly [number, string][] = [
    [86_400, "d"],
    [3600, "h"],
    [60, "min"],
    [1, "s"],
  ];
  const first = units.findIndex(([size]) => whole >= size);
  const parts: string[] = [];
  let left = whole;
  for (const [size, unit] of units.slice(first, first + 2)) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count) parts.push(`${count}${THIN}${unit}`);
  }
  return parts.join(" ");
}

/** How long ago a moment was, both in seconds since the epoch. */
export function ago(moment: number | null | undefined, now: number): string {
  if (moment === null || moment === undefined) return "never";
  const passed = now - moment;
  return passed < 1.5 ? "just now" : `${seconds(passed < 60 ? Math.round(passed) : passed)} ago`;
}

export function percent(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  return `${digits(value, value < 10 ? 2 : 3)}${THIN}%`;
}
