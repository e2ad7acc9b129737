// Rates of a server that reports about itself by other names than its own: how its totals grow, from answer to answer.
import type { Status } from "../../api/types";
import { appended, type Columns } from "../../lib/columns";

/** What each figure counts, by its title. */
export const COUNTED: Readonly<Record<string, (status: Status) => number>> = {
  Lines: ({ totals }) => totals.lines,
  Packets: ({ totals }) => totals.packets,
  Losses: ({ losses }) => Object.values(losses).reduce((one, other) => one + other, 0),
  Traffic: ({ totals }) => totals.bytes,
};

interface Sample {
  time: number;
  counts: readonly number[];
}

export interface Rates {
  columns: Columns;
  /** The answers of the last interval, and the one before. */
  samples: readonly Sample[];
}

export const NONE: Rates = { columns: { times: [], values: Object.keys(COUNTED).map(() => []) }, samples: [] };

/**
 * Put what an answer says behind the others, and forget the rates before `oldest`. A rate is that of an interval at least,
 * as losses are counted with each flush; of a server that has started anew, the first answer only begins.
 */
export function grown(before: Rates, status: Status, oldest: number): Rates {
  const last = before.samples.at(-1);
  if (last && status.time <= last.time) return before;
  const now = { time: status.time, counts: Object.values(COUNTED).map((count) => count(status)) };
  const restarted = last?.counts.some((count, index) => count > (now.counts[index] ?? 0));
  const known = restarted ? [] : before.samples;
  const start = Math.max(
    known.findLastIndex((sample) => now.time - sample.time >= status.interval),
    0,
  );
  const base = known[start];
  if (!base) return { ...before, samples: [now] };
  const rates = now.counts.map((count, index) => (count - (base.counts[index] ?? 0)) / (now.time - base.time));
  return { columns: appended(before.columns, now.time, rates, oldest), samples: [...known.slice(start), now] };
}
