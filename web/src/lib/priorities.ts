// How grave an event is, in the words that events carry.

/** The gravest first; the last three say what kind of event it is rather than how grave. */
export const PRIORITIES = ["critical", "error", "warn", "info", "debug", "audit", "sample"] as const;

/** Those that tell of trouble. */
export const TROUBLE: readonly string[] = ["critical", "error"];

const COLOURS: Readonly<Record<string, string>> = {
  critical: "--series-5",
  error: "--series-8",
  warn: "--series-3",
  info: "--series-1",
  debug: "--series-9",
  audit: "--series-4",
  sample: "--series-7",
};

/** The name of a priority's colour in the theme. */
export function priorityColour(priority: string): string {
  return COLOURS[priority] ?? "--muted";
}
