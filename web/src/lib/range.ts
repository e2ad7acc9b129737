// The range of time that is looked at: one of a few that end now, or a part that was zoomed into.

export const PRESETS = ["5m", "15m", "1h", "6h", "24h", "7d", "30d"] as const;
/** Where years are kept. */
export const LONG_PRESETS = ["1h", "24h", "7d", "30d", "90d", "1y", "5y"] as const;
export type Preset = (typeof PRESETS | typeof LONG_PRESETS)[number];

export interface Zoom {
  from: number;
  until: number;
}

export interface Range {
  preset: Preset;
  zoom: Zoom | null;
}

const UNITS: Record<string, number> = { m: 60, h: 3600, d: 86_400, y: 365 * 86_400 };
/** Less than this, in seconds, shows nothing that is not seen already. */
export const SHORTEST = 20;

export function length(preset: Preset): number {
  return Number(preset.slice(0, -1)) * (UNITS[preset.slice(-1)] ?? 1);
}

export function isPreset(text: string): text is Preset {
  return [...PRESETS, ...LONG_PRESETS].some((each) => each === text);
}

/** The range in seconds since the epoch. */
export function bounds(range: Range, now: number): Zoom {
  return range.zoom ?? { from: now - length(range.preset), until: now };
}

/** Read `1h` and `1700000000-1700000600`, as they stand in an address. */
export function fromText(preset: string | null, zoom: string | null, usual: Preset = "1h"): Range {
  const match = /^(\d{1,11})-(\d{1,11})$/.exec(zoom ?? "");
  const [from, until] = [Number(match?.[1]), Number(match?.[2])];
  return {
    preset: preset !== null && isPreset(preset) ? preset : usual,
    zoom: match && until > from ? { from, until } : null,
  };
}

export function zoomText(zoom: Zoom | null): string {
  return zoom ? `${Math.floor(zoom.from)}-${Math.ceil(zoom.until)}` : "";
}

/** Zoom into a part, at least the shortest one. */
export function narrowed(zoom: Zoom): Zoom {
  const lacking = Math.max(SHORTEST - (zoom.until - zoom.from), 0) / 2;
  return { from: Math.floor(zoom.from - lacking), until: Math.ceil(zoom.until + lacking) };
}

/** Move by a part of the length, or make it longer by a factor around its middle; nothing lies in the future. */
export function moved(zoom: Zoom, by: number, factor: number, now: number): Zoom {
  const span = zoom.until - zoom.from;
  const middle = (zoom.from + zoom.until) / 2 + span * by;
  const until = Math.min(Math.round(middle + (span * factor) / 2), Math.round(now));
  return { from: Math.max(Math.round(until - span * factor), 0), until };
}
