// Statistics of a bus: which there are, their rows, their charts.
import { ask, json, type Query } from "./client";
import type { Json, StatisticsStatus } from "./types";

export interface Statistic {
  ident: string;
  name: string;
  summary: string;
  description: string;
  kind: "sum" | "distinct" | "distribution" | "latest";
  /** Such as `1m` or `1d@Europe/Prague`; empty without windows. */
  window: string;
  /** Seconds of a window, at most. */
  interval: number | null;
  keys: string[];
  columns: string[];
  /** How its plugin wants it to be shown: anything. */
  layout: Json;
  state: "running" | "stopped";
  /** Why it stopped, at the message with the id `culprit`. */
  error: string;
  culprit: string;
  since: number | null;
  /** Messages that it has not seen yet. */
  lag: number;
  revision: number;
}

export interface Statistics {
  statistics: Statistic[];
  status: StatisticsStatus;
}

export type StatisticRow = Record<string, string | number | null> & { timestamp: number };

export interface RowPage {
  ident: string;
  columns: string[];
  rows: StatisticRow[];
  cursor: string | null;
}

export interface ChartSeries {
  name: string;
  /** Null for all others together. */
  key: Record<string, string | null> | null;
  total: number | null;
  values: (number | null)[];
}

/** Series over windows, each from one of `begins` to one of `times`. */
export interface ChartData {
  ident: string;
  group: string;
  column: string;
  begins: number[];
  times: number[];
  series: ChartSeries[];
  /** How many series are not even in the others. */
  left_out: number;
}

const of = (ident: string) => `/statistics/${encodeURIComponent(ident)}`;

export const statistics = (signal?: AbortSignal) => json<Statistics>("/statistics", {}, signal);
export const rows = (ident: string, parameters: Query, signal?: AbortSignal) =>
  json<RowPage>(of(ident), parameters, signal);
export const chart = (ident: string, parameters: Query, signal?: AbortSignal) =>
  json<ChartData>(`${of(ident)}/chart`, parameters, signal);

export async function chartFile(ident: string, parameters: Query, format: "csv" | "svg"): Promise<Blob> {
  return (await ask(`${of(ident)}/chart`, { ...parameters, format })).blob();
}

/** Let a stopped one try again. */
export async function resume(ident: string): Promise<void> {
  await ask(`${of(ident)}/resume`, {}, undefined, "POST");
}
