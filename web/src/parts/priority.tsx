// How grave an event is: a mark whose form tells it as well as its colour, and the word.
import { priorityColour } from "../lib/priorities";

/** Marks of 14 × 14, as the paths of an SVG; what is grave has corners, what is not is round. */
const MARKS: Readonly<Record<string, string>> = {
  critical: "M4.5 1h5L13 4.5v5L9.5 13h-5L1 9.5v-5zM7 4v3.6M7 10v.1",
  error: "M7 1l6 6-6 6-6-6zM5.3 5.3l3.4 3.4m0-3.4L5.3 8.7",
  warn: "M7 1.5L13 12.5H1zM7 5.5v3M7 10.6v.1",
  info: "M7 1.5a5.5 5.5 0 100 11 5.5 5.5 0 000-11M7 6.5V10M7 4v.1",
  debug: "M7 4.5a2.5 2.5 0 100 5 2.5 2.5 0 000-5",
  audit: "M2 2h10v10H2zM4.5 7l2 2 3.2-4",
  sample: "M1.5 12V8M5.2 12V3M8.8 12V6M12.5 12V1.5",
};
const UNKNOWN = "M3 7h8";

export function Mark({ priority }: { priority: string }) {
  return (
    <svg
      class="mark"
      viewBox="0 0 14 14"
      width="14"
      height="14"
      aria-hidden="true"
      style={{ color: `var(${priorityColour(priority)})` }}
    >
      <path d={MARKS[priority] ?? UNKNOWN} />
    </svg>
  );
}

export function Priority({ priority }: { priority: string }) {
  return (
    <span class="priority">
      <Mark priority={priority} />
      {priority}
    </span>
  );
}
