// What the charts show, as it stands in the address: `chart=TITLE` begins one, each `s=PATH` behind it is a line of it.
// `{a,b}` in a path stands for a path with each.
import { fromText, type Range, zoomText } from "../../lib/range";

export interface Drawing {
  title: string;
  /** As the address has them. */
  given: readonly string[];
  paths: readonly string[];
}

export interface Shown {
  drawings: readonly Drawing[];
  range: Range;
  live: boolean;
}

/** Bounds on what a link can ask of the server. */
export const MOST_CHARTS = 12;
export const MOST_LINES = 20;

export function read(parameters: URLSearchParams): Shown {
  const drawings: { title: string; given: string[] }[] = [];
  for (const [name, value] of parameters) {
    if (name === "chart") drawings.push({ title: value, given: [] });
    else if (name === "s" && value) drawings.at(-1)?.given.push(value);
  }
  return {
    drawings: drawings.slice(0, MOST_CHARTS).map((each) => ({
      ...each,
      paths: [...new Set(each.given.flatMap(expanded))].filter(Boolean).slice(0, MOST_LINES),
    })),
    range: fromText(parameters.get("range"), parameters.get("zoom")),
    live: parameters.get("live") !== "0",
  };
}

/** Write out the first `{a,b}` of a path; there is no second. */
function expanded(path: string): string[] {
  const [, before, names, after] = /^([^{}]*)\{([^{}]*)\}(.*)$/s.exec(path) ?? [];
  return names === undefined ? [path] : names.split(",").map((name) => `${before}${name}${after}`);
}

export function write(shown: Shown): URLSearchParams {
  const parameters = new URLSearchParams();
  for (const { title, given } of shown.drawings) {
    parameters.append("chart", title);
    for (const path of given) parameters.append("s", path);
  }
  parameters.set("range", shown.range.preset);
  if (shown.range.zoom) parameters.set("zoom", zoomText(shown.range.zoom));
  if (!shown.live) parameters.set("live", "0");
  return parameters;
}

/** What tells paths apart: without the parts that all of them begin and end with. */
export function apart(paths: readonly string[]): string[] {
  const split = paths.map((path) => path.split("."));
  const shortest = Math.min(...split.map((parts) => parts.length)) - 1;
  const same = (at: (parts: string[]) => string | undefined) => new Set(split.map(at)).size === 1;
  let begin = 0;
  while (begin < shortest && same((parts) => parts[begin])) begin++;
  let end = 0;
  while (begin + end < shortest && same((parts) => parts.at(-1 - end))) end++;
  return split.map((parts) => parts.slice(begin, parts.length - end).join("."));
}
