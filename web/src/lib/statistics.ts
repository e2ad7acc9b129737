// What can be shown of a statistic: families, groupings, drawings.
import type { Statistic } from "../api/statistics";
import { LONG_PRESETS, length, type Preset } from "./range";

const DAY = 86_400;
const USUAL_WINDOWS = 60;

/** The statistics of one plugin, which differ by their windows. */
export interface Family {
  name: string;
  summary: string;
  /** The shortest window first. */
  members: readonly Statistic[];
}

/** Put statistics of one name together, in the order in which the names come. */
export function families(statistics: readonly Statistic[]): Family[] {
  const found = new Map<string, Statistic[]>();
  for (const each of statistics) {
    const members = found.get(each.name);
    if (members) members.push(each);
    else found.set(each.name, [each]);
  }
  return [...found].map(([name, members]) => ({
    name,
    summary: members[0]?.summary ?? "",
    members: members.toSorted((one, other) => size(one) - size(other)),
  }));
}

function size(statistic: Statistic): number {
  return statistic.interval ?? Number.POSITIVE_INFINITY;
}

/** Those whose name, summary or ident has every word of a text. */
export function fitting(all: readonly Family[], text: string): Family[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return all.filter((family) => {
    const said = [family.name, family.summary, ...family.members.map(({ ident }) => ident)].join(" ").toLowerCase();
    return words.every((word) => said.includes(word));
  });
}

/** A window as people say it. */
export function called(window: string): string {
  return window || "ever";
}

export const DRAWINGS = {
  log: "log",
  bars: "bars",
  lines: "lines",
  calendar: "calendar",
  top: "top",
  rows: "rows",
} as const;
export type Drawing = keyof typeof DRAWINGS;

/** What can be added up, over windows and over keys. */
export function adds({ kind }: Statistic): boolean {
  return kind === "sum" || kind === "distribution";
}

/** How a statistic can be drawn; the usual way first. */
export function drawings(statistic: Statistic, family: readonly Statistic[]): Drawing[] {
  const { kind, window, keys } = statistic;
  if (kind === "latest") return ["log", "rows"];
  const calendar: Drawing[] = daily(statistic, family) ? ["calendar"] : [];
  if (kind === "sum") return window ? ["bars", "lines", ...calendar, "top", "rows"] : ["top", "rows"];
  if (kind === "distinct" && !window) return ["top", "rows"];
  if (!window) return ["rows"];
  return kind === "distinct" && keys.length === 0
    ? ["bars", "lines", ...calendar, "rows"]
    : ["lines", ...calendar, "rows"];
}

const unit = (window: string) => /^(\d+)(s|mo|m|h|d|w)(?:@(.+))?$/.exec(window);
const SHORTER: readonly string[] = ["s", "m", "h"];

/** Whether windows of a day can be made of those of a statistic. */
function makesDays(statistic: Statistic): boolean {
  const match = unit(statistic.window);
  if (match?.[2] === "d") return adds(statistic) || statistic.keys.length === 0;
  return adds(statistic) && SHORTER.includes(match?.[2] ?? "");
}

/** The statistic that days are best drawn of: the one of days, else that of the longest windows within a day. */
export function daily(statistic: Statistic, family: readonly Statistic[]): Statistic | null {
  const all = family.filter(makesDays);
  if (all.includes(statistic) && unit(statistic.window)?.[2] === "d") return statistic;
  return all.toSorted((one, other) => size(other) - size(one))[0] ?? null;
}

/** Into which windows a statistic can be put together, its own first. */
export function groups(statistic: Statistic): string[] {
  const match = unit(statistic.window);
  if (!match) return [];
  const [, , kind = "", zone] = match;
  const inside = zone ? `@${zone}` : "";
  if (!adds(statistic)) return [statistic.window];
  if (kind === "d") return [statistic.window, `1w${inside}`, `1mo${inside}`];
  if (!SHORTER.includes(kind)) return [statistic.window];
  const own = statistic.interval ?? 0;
  const longer = ([60, 300, 900, 3600] as const).filter((each) => each > own && each % own === 0);
  const names = { 60: "1m", 300: "5m", 900: "15m", 3600: "1h" } as const;
  return [statistic.window, ...longer.map((each) => names[each]), "1d", "1w", "1mo"];
}

/** The range that shows enough windows. */
export function usual(statistic: Statistic | undefined): Preset {
  const wanted = USUAL_WINDOWS * (statistic?.interval ?? 0);
  return LONG_PRESETS.find((preset) => length(preset) >= wanted) ?? "5y";
}

/** The range of a calendar: a year, unless that would be too many windows. */
export function ofCalendar(statistic: Statistic): Preset {
  return (statistic.interval ?? 0) >= 3600 ? "1y" : "30d";
}

export interface CalendarDay {
  /** The day's begin, in seconds since the epoch, and its date in the zone of the windows. */
  begin: number;
  date: string;
  value: number | null;
  /** From Monday, 0, to Sunday, 6. */
  weekday: number;
  /** The column, from the year's first week. */
  week: number;
  /** 0 for nothing, up to `LEVELS` for the most. */
  level: number;
}

export interface CalendarYear {
  year: string;
  weeks: number;
  days: readonly CalendarDay[];
  /** The column in which each month begins. */
  months: readonly { name: string; week: number }[];
}

export const LEVELS = 5;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Lay days out in weeks, year by year, the last year first. `group`: their windows, which have a zone. */
export function calendar(group: string, begins: readonly number[], values: readonly (number | null)[]): CalendarYear[] {
  const zone = unit(group)?.[3] ?? "UTC";
  const written = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  });
  const level = levels(values);
  const years = new Map<string, CalendarDay[]>();
  begins.forEach((begin, index) => {
    const date = written.format(new Date(begin * 1000));
    const year = date.slice(0, 4);
    const value = values[index] ?? null;
    const day = { begin, date, value, ...placed(date), level: level(value) };
    years.set(year, [...(years.get(year) ?? []), day]);
  });
  return [...years].toReversed().map(([year, days]) => inWeeks(year, days));
}

function placed(date: string): { weekday: number; week: number } {
  const day = Date.parse(`${date}T00:00:00Z`) / 1000 / DAY;
  const first = Date.parse(`${date.slice(0, 4)}-01-01T00:00:00Z`) / 1000 / DAY;
  const weekday = (at: number) => (((at + 3) % 7) + 7) % 7; // 1970-01-01 was a Thursday
  return { weekday: weekday(day), week: Math.floor((day - first + weekday(first)) / 7) };
}

function inWeeks(year: string, days: readonly CalendarDay[]): CalendarYear {
  const left = Math.min(...days.map(({ week }) => week));
  const moved = days.map((day) => ({ ...day, week: day.week - left }));
  const months = moved
    .filter((day, index) => index === 0 || day.date.slice(5, 7) !== moved[index - 1]?.date.slice(5, 7))
    .map((day) => ({
      name: MONTHS[Number(day.date.slice(5, 7)) - 1] ?? "",
      week: day.week + (day.weekday > 3 ? 1 : 0),
    }));
  const apart = months.filter((month, index) => (months[index + 1]?.week ?? Number.POSITIVE_INFINITY) - month.week > 2);
  return { year, weeks: Math.max(...moved.map(({ week }) => week)) + 1, days: moved, months: apart };
}

/** Levels by which values are told apart: as many values on each. */
function levels(values: readonly (number | null)[]): (value: number | null) => number {
  const sorted = values.filter((value): value is number => value !== null && value > 0).toSorted((a, b) => a - b);
  const bounds = Array.from(
    { length: LEVELS - 1 },
    (_, index) => sorted[Math.floor(((index + 1) / LEVELS) * sorted.length)] ?? 0,
  );
  return (value) => (value === null || value <= 0 ? 0 : 1 + bounds.filter((bound) => value > bound).length);
}
