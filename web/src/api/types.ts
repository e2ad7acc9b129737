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
