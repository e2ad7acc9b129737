// The largest of a statistic: over a range, or of all time where it has no windows.
import { chart, rows, type Statistic } from "../../api/statistics";
import { now } from "../../lib/times";
import { ofChart, type Shown } from "./state";

/** How many are told apart. */
export const MOST = 100;

export interface Ranked {
  /** Null for all others together. */
  key: Record<string, string | null> | null;
  total: number;
}

/** Ask for the largest, the largest first. */
export async function look(statistic: Statistic, shown: Shown, signal?: AbortSignal): Promise<Ranked[]> {
  if (statistic.window) {
    const found = await chart(statistic.ident, ofChart(ranking(shown), now(), MOST), signal);
    return found.series.flatMap(({ key, total }) => (total ? [{ key, total }] : []));
  }
  const value = statistic.columns.at(-1) ?? "";
  const found = await rows(statistic.ident, { key: shown.words, top: MOST, limit: MOST }, signal);
  return ranked(found.rows.map((row) => ({ key: keyOf(row, statistic.keys), total: Number(row[value] ?? 0) })));
}

/** One series of all is no list: where series are together, they are told apart by all keys. */
function ranking(shown: Shown): Shown {
  return { ...shown, by: shown.by?.every((name) => name === "") ? null : shown.by };
}

function keyOf(row: Record<string, string | number | null>, keys: readonly string[]): Record<string, string | null> {
  return Object.fromEntries(keys.map((name) => [name, row[name] === null ? null : String(row[name] ?? "")]));
}

function ranked(all: readonly Ranked[]): Ranked[] {
  return all.toSorted((one, other) => other.total - one.total);
}
