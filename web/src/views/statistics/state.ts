// What the view of statistics shows, as it stands in the address.
import type { Query } from "../../api/client";
import type { Statistic } from "../../api/statistics";
import { bounds, fromText, type Preset, type Range, zoomText } from "../../lib/range";
import { DRAWINGS, type Drawing, usual } from "../../lib/statistics";

export interface Shown {
  /** What the list is searched for. */
  find: string;
  /** The statistic that is shown; without one, the list is. */
  ident: string;
  /** Null: the usual one. */
  drawing: Drawing | null;
  range: Range;
  live: boolean;
  /** Into which windows it is put together; empty: good ones. */
  group: string;
  /** The columns of the key that tell series apart; null: all. */
  by: readonly string[] | null;
  /** What of a distribution; empty: how many. */
  column: string;
  /** Which words the key must have: `NAME=WORD`, or `NAME` for none. */
  words: readonly string[];
}

const MOST_WORDS = 20;
const LONGEST = 2000;

export function read(parameters: URLSearchParams, preset: Preset = "24h"): Shown {
  const given = (name: string) => (parameters.get(name) ?? "").slice(0, LONGEST);
  const drawing = given("as");
  const words = [...new Set(parameters.getAll("key").filter(Boolean))].slice(0, MOST_WORDS);
  return {
    find: given("q"),
    ident: given("s"),
    drawing: Object.keys(DRAWINGS).includes(drawing) ? (drawing as Drawing) : null,
    range: fromText(parameters.get("range"), parameters.get("zoom"), preset),
    live: parameters.get("live") !== "0",
    group: given("group"),
    by: parameters.has("by") ? parameters.getAll("by").slice(0, MOST_WORDS) : null,
    column: given("column"),
    words,
  };
}

export function write(shown: Shown): URLSearchParams {
  const parameters = new URLSearchParams();
  if (shown.find) parameters.set("q", shown.find);
  if (!shown.ident) return parameters;
  parameters.set("s", shown.ident);
  if (shown.drawing) parameters.set("as", shown.drawing);
  parameters.set("range", shown.range.preset);
  if (shown.range.zoom) parameters.set("zoom", zoomText(shown.range.zoom));
  if (!shown.live) parameters.set("live", "0");
  if (shown.group) parameters.set("group", shown.group);
  for (const name of shown.by ?? []) parameters.append("by", name);
  if (shown.column) parameters.set("column", shown.column);
  for (const word of shown.words) parameters.append("key", word);
  return parameters;
}

/** The address of a statistic, shown in the usual way. */
export function link(ident: string, find: string): URLSearchParams {
  return new URLSearchParams({ ...(find ? { q: find } : {}), s: ident });
}

/** The same of another statistic: over its own usual range, where this one is over its. */
export function moved(shown: Shown, from: Statistic, to: Statistic): Shown {
  const { range } = shown;
  const preset = range.preset === usual(from) ? usual(to) : range.preset;
  return { ...shown, ident: to.ident, group: "", range: { ...range, preset } };
}

/** What a chart is asked for. One that ends now has no end. */
export function ofChart(shown: Shown, now: number, most: number): Query {
  const { from, until } = bounds(shown.range, now);
  return {
    since: Math.floor(from),
    until: shown.range.zoom ? Math.ceil(until) : null,
    group: shown.group,
    by: shown.by,
    key: shown.words,
    column: shown.column,
    most,
  };
}

/** What rows are asked for: those of windows that overlap the range, by their ends. */
export function ofRows(shown: Shown, statistic: Statistic, now: number): Query {
  if (!statistic.window) return { key: shown.words };
  const { from, until } = bounds(shown.range, now);
  const last = Math.ceil(until) + (statistic.interval ?? 0) - 1;
  return { since: Math.floor(from) + 1, until: shown.range.zoom ? last : null, key: shown.words };
}

/** Demand the words of a series, in place of others for the same columns. */
export function demanded(words: readonly string[], key: Record<string, string | null>): string[] {
  const names = new Set(Object.keys(key));
  const others = words.filter((word) => !names.has(word.split("=", 1)[0] ?? ""));
  return [...others, ...Object.entries(key).map(([name, word]) => (word === null ? name : `${name}=${word}`))];
}
