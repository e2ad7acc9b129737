// What the view of usage shows, as it stands in the address.
import type { Zoom } from "../../lib/range";
import { BY, type By, FIGURES, type Figure } from "../../lib/usage";

export const PERIODS = { "24h": "24h", "7d": "7d", "30d": "30d", month: "this month", before: "last month" } as const;
export type Period = keyof typeof PERIODS;

export interface Shown {
  period: Period;
  by: By;
  figure: Figure;
}

const HOUR = 3600;
const DAY = 24 * HOUR;
const LENGTHS: Partial<Record<Period, number>> = { "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY };

function one<T extends string>(given: string | null, of: readonly T[], usual: T): T {
  return of.find((each) => each === given) ?? usual;
}

export function read(parameters: URLSearchParams): Shown {
  return {
    period: one(parameters.get("period"), Object.keys(PERIODS) as Period[], "30d"),
    by: one(parameters.get("by"), BY, "project"),
    figure: one(parameters.get("figure"), FIGURES, "reads"),
  };
}

export function write(shown: Shown): URLSearchParams {
  return new URLSearchParams({ ...shown });
}

/** The period in seconds since the epoch: whole hours, days or months of UTC, as bills have them. */
export function bounds(period: Period, now: number): Zoom {
  const length = LENGTHS[period];
  const step = stepOf(period);
  if (length) {
    const until = Math.ceil(now / step) * step;
    return { from: until - length, until };
  }
  const date = new Date(now * 1000);
  const month = (ahead: number) => Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + ahead) / 1000;
  return period === "month" ? { from: month(0), until: month(1) } : { from: month(-1), until: month(0) };
}

/** Seconds of a bar. */
export function stepOf(period: Period): number {
  return period === "24h" ? HOUR : DAY;
}
