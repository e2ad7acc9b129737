// What the server's interface answers: /api/v1. Only what the page reads stands here.

export interface Sink {
  name: string;
  last_success: number | null;
  last_error: string;
  last_error_time: number | null;
  retry_in: number | null;
  queued: number;
  spool_items: number;
  spool_bytes: number;
  written: number;
  written_series: number;
  dropped: number;
  figures: Record<string, number>;
}

export interface Listener {
  url: string;
  addresses: string[];
  buffer: number | null;
}

export interface Totals {
  packets: number;
  bytes: number;
  lines: number;
  bad_lines: number;
  idle_seconds: number;
}

export interface Target {
  name: string;
  up: boolean;
  sent: number;
  bytes: number;
  lost: number;
  error: string;
}

/** A way in of events. Counts are since the start. */
export interface Way {
  name: string;
  received: number;
  stored: number;
  duplicates: number;
  bad: number;
  waiting: number;
  last: number | null;
  error: string;
}

export interface EventsStatus {
  ways: Way[];
  /** Where events are kept; null where they are not. */
  store: { name: string; error: string } | null;
}

/** How filling gaps from an archive fares: in seconds of history, and in messages. */
export interface Fill {
  name: string;
  missing: number;
  wanted: number;
  /** The time that is asked for now. */
  at: number | null;
  new: number;
  known: number;
  bad: number;
  error: string;
}

export interface StatisticsStatus {
  ways: Way[];
  fill: Fill[];
  store: { name: string; error: string } | null;
  inbox: { count: number; first: number; last: number; oldest: number | null };
  /** Messages that stopped statistics lost. */
  expired: number;
}

export interface Status {
  version: string;
  kernel: string;
  /** The server's clock, in seconds since the epoch. */
  time: number;
  uptime: number;
  /** Seconds between two flushes. */
  interval: number;
  health: string;
  /** The URL that series are read from. */
  history: string | null;
  /** The names of the server's metrics about itself, `*` for each; null when it reports as statsd does. */
  metrics: string | null;
  listeners: Listener[];
  sinks: Sink[];
  losses: Record<string, number>;
  totals: Totals;
  relay: Target[];
  events: EventsStatus;
  /** Null where none run. */
  statistics: StatisticsStatus | null;
  problems: string[];
}

export interface Found {
  series: { path: string }[];
  next: string | null;
  /** How many there are on all pages: on the first one, as long as they can be counted. */
  total: number | null;
}

export interface Run {
  path: string;
  start: number;
  step: number;
  values: (number | null)[];
}

export interface Data {
  from: number;
  until: number;
  series: Run[];
}

export interface Flush {
  time: number;
  interval: number;
  values: Record<string, number>;
}

export interface Top {
  names: { kind: string; key: string; updates: number }[];
  sources: { source: string; lines: number }[];
  refused: { source: string; reason: string; refused: number; line: string }[];
}

export interface Config {
  settings: Record<string, { value: string; origin: string }>;
}

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Something that happened. `Event` is the browser's own word for something else. */
export interface EventRecord {
  id: string;
  /** Seconds since the epoch. */
  time: number;
  type: string;
  publisher: string;
  priority: string;
  tenant: string;
  payload: Record<string, Json>;
  /** The request in which it happened. */
  context: Record<string, Json>;
}

export interface EventPage {
  /** Newest first. */
  events: EventRecord[];
  /** Where the next page begins; empty or null at the end. */
  cursor: string | null;
}

/** How many events had a key in the slot that begins at `time`. */
export interface Count {
  key: string;
  time: number;
  count: number;
}

export interface Counts {
  counts: Count[];
}

/** What was used in a slot, by whom: rows read and written, gigabyte hours stored. */
export interface UsageRow {
  /** When the slot begins; null without slots. What follows is null where totals are not taken by it. */
  time?: number | null;
  service?: string | null;
  domain?: string | null;
  project?: string | null;
  reads: number;
  writes: number;
  storage_gb_hours: number;
  events: number;
}

export interface UsageTotals {
  totals: UsageRow[];
}
