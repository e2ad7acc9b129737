// Series as a chart takes them: one column of times, and a column of values for each series.
import type { Run } from "../api/types";

/** `null` is a gap, `undefined` a time that this series knows nothing of: the line goes straight on. */
export type Cell = number | null | undefined;

export interface Columns {
  times: number[];
  values: Cell[][];
}

export const NOTHING: Columns = { times: [], values: [] };

/** Lay series out side by side, in the order of `paths`; one that is not among them stays empty. */
export function columns(runs: readonly Run[], paths: readonly string[]): Columns {
  const known = new Map(runs.map((run) => [run.path, run]));
  const grids = new Set(runs.map((run) => `${run.start} ${run.step} ${run.values.length}`));
  const first = runs[0];
  const times =
    grids.size === 1 && first
      ? first.values.map((_, index) => first.start + index * first.step)
      : [...new Set(runs.flatMap((run) => run.values.map((_, index) => run.start + index * run.step)))].sort(
          (a, b) => a - b,
        );
  const values = paths.map((path): Cell[] => {
    const run = known.get(path);
    if (!run) return times.map(() => null);
    if (grids.size === 1) return run.values;
    return times.map((time) => {
      const index = (time - run.start) / run.step;
      return Number.isInteger(index) && index >= 0 ? run.values[index] : undefined;
    });
  });
  return { times, values };
}

/** Where values stand between gaps, so that no line leads to them and they have to be drawn as points. */
export function lone(cells: readonly Cell[]): number[] {
  const known = cells.flatMap((cell, index): [number, number | null][] => (cell === undefined ? [] : [[index, cell]]));
  return known
    .filter(([, cell], place) => cell !== null && known[place - 1]?.[1] == null && known[place + 1]?.[1] == null)
    .map(([index]) => index);
}

/** Put one moment's values behind the others, and forget what lies before `oldest`. An earlier moment is left out. */
export function appended(to: Columns, time: number, values: readonly Cell[], oldest: number): Columns {
  const last = to.times.at(-1) ?? Number.NEGATIVE_INFINITY;
  if (time < last) return to;
  const keep = time === last ? to.times.length - 1 : to.times.length;
  const found = to.times.findIndex((each) => each >= oldest);
  const from = found < 0 ? keep : Math.min(found, keep);
  return {
    times: [...to.times.slice(from, keep), time],
    values: to.values.map((column, index) => [
      ...column.slice(from, keep),
      values[index] ?? (time === last ? column[keep] : null),
    ]),
  };
}

/** Put what was appended lately behind what is read now: the store learns of a flush a moment after the page does. */
export function joined(fresh: Columns, lately: Columns): Columns {
  const last = fresh.times.findLastIndex((_, index) =>
    fresh.values.some((column) => typeof column[index] === "number"),
  );
  const known = fresh.times[last] ?? Number.NEGATIVE_INFINITY;
  const from = lately.times.findIndex((time) => time > known);
  const behind = from < 0 ? lately.times.length : from;
  return {
    times: [...fresh.times.slice(0, last + 1), ...lately.times.slice(behind)],
    values: fresh.values.map((column, index) => [
      ...column.slice(0, last + 1),
      ...(lately.values[index] ?? []).slice(behind),
    ]),
  };
}

export interface Facts {
  least: number | null;
  mean: number | null;
  most: number | null;
  last: number | null;
}

/** What is said of a column beside its chart. */
export function facts(column: readonly Cell[]): Facts {
  const numbers = column.filter((cell): cell is number => typeof cell === "number");
  if (numbers.length === 0) return { least: null, mean: null, most: null, last: null };
  let [least, most, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (const number of numbers) {
    least = Math.min(least, number);
    most = Math.max(most, number);
    sum += number;
  }
  return { least, most, mean: sum / numbers.length, last: numbers.at(-1) ?? null };
}

/** Add columns up, time by time; where all have a gap, so has the sum. */
export function sum(parts: readonly (readonly Cell[])[], length: number): Cell[] {
  return Array.from({ length }, (_, index) => {
    const there = parts.map((part) => part[index]).filter((cell): cell is number => typeof cell === "number");
    return there.length === 0 ? null : there.reduce((a, b) => a + b, 0);
  });
}
