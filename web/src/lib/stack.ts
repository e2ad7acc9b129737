// Counts of events per key and slot, as columns that stand on each other.
import type { Count, EventRecord } from "../api/types";
import type { Columns } from "./columns";
import type { Zoom } from "./range";

/** Seconds of a slot: steps that people count in. */
const STEPS = [1, 2, 5, 10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600, 43_200, 86_400];
/** What is not among the most frequent; the server tells it under an empty key, as it tells events that have none. */
export const OTHERS = "others";

export interface Stack {
  /** The most frequent first. */
  keys: readonly string[];
  totals: readonly number[];
  /** Each key's own counts. */
  columns: Columns;
}

/** Seconds of a slot for a range of which about `slots` are seen. */
export function stepFor({ from, until }: Zoom, slots: number): number {
  return STEPS.find((step) => (until - from) / step <= slots) ?? Math.ceil((until - from) / slots / 86_400) * 86_400;
}

/** The range in whole slots, as the server lays them out: from multiples of the step. */
export function slotted({ from, until }: Zoom, step: number): Zoom {
  return { from: Math.floor(from / step) * step, until: Math.ceil(until / step) * step };
}

/**
 * Lay counts out over the slots of a range; what comes behind the `most` frequent keys is told together.
 * `order` puts keys that have one in it.
 */
export function stack(
  counts: readonly Count[],
  range: Zoom,
  step: number,
  most: number,
  order: readonly string[] = [],
): Stack {
  const { from, until } = slotted(range, step);
  const slots = Math.round((until - from) / step);
  const totals = new Map<string, number>();
  const inside = named(counts, most).filter(({ time }) => time >= from && time < until);
  for (const { key, count } of inside) totals.set(key, (totals.get(key) ?? 0) + count);
  const keys = ranked(totals, most, order);
  const values = keys.map(() => new Array<number>(slots).fill(0));
  for (const { key, time, count } of inside) {
    const column = values[keys.includes(key) ? keys.indexOf(key) : keys.indexOf(OTHERS)];
    const slot = Math.floor((time - from) / step);
    if (column) column[slot] = (column[slot] ?? 0) + count;
  }
  return {
    keys,
    totals: values.map((column) => column.reduce((one, other) => one + other, 0)),
    columns: { times: Array.from({ length: slots }, (_, index) => from + index * step), values },
  };
}

/** Where there are as many keys as the server tells apart, an empty one may stand for others. */
function named(counts: readonly Count[], most: number): readonly Count[] {
  const keys = new Set(counts.map(({ key }) => key).filter(Boolean));
  return keys.size < most - 1 ? counts : counts.map((each) => (each.key ? each : { ...each, key: OTHERS }));
}

function ranked(totals: ReadonlyMap<string, number>, most: number, order: readonly string[]): string[] {
  const place = (key: string) => (order.includes(key) ? order.indexOf(key) : order.length);
  const named = [...totals.keys()]
    .filter((key) => key !== OTHERS)
    .sort(
      (one, other) =>
        place(one) - place(other) || (totals.get(other) ?? 0) - (totals.get(one) ?? 0) || (one < other ? -1 : 1),
    );
  const whole = named.length <= most && !totals.has(OTHERS);
  return whole ? named : [...named.slice(0, most), OTHERS];
}

/** Columns that stand on each other, the whole height first, so that each is drawn over the one above it. */
export function heaped({ times, values }: Columns): Columns {
  const sums = times.map(() => 0);
  const heaps = values.map((column) =>
    column.map((cell, index) => {
      sums[index] = (sums[index] ?? 0) + (cell ?? 0);
      return sums[index] || null;
    }),
  );
  return { times, values: heaps.reverse() };
}

export type By = "type" | "priority" | "tenant" | "publisher";
export const BY: readonly By[] = ["type", "priority", "tenant", "publisher"];

/** Count events that have just been told. */
export function counted(counts: readonly Count[], events: readonly EventRecord[], by: By, step: number): Count[] {
  const made = new Map(counts.map((each) => [`${each.time} ${each.key}`, each]));
  for (const event of events) {
    const time = Math.floor(event.time / step) * step;
    const name = `${time} ${event[by]}`;
    made.set(name, { key: event[by], time, count: (made.get(name)?.count ?? 0) + 1 });
  }
  return [...made.values()];
}
