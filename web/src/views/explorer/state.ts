// What the explorer shows, as it stands in the address.
import { fromText, type Range, zoomText } from "../../lib/range";

export interface Shown {
  /** What is searched for. */
  text: string;
  /** The series on the chart. */
  paths: readonly string[];
  range: Range;
  live: boolean;
}

/** More lines than these on one chart can no longer be told apart. */
export const MOST = 20;

export function read(parameters: URLSearchParams): Shown {
  const paths = [...new Set(parameters.getAll("s").filter(Boolean))].slice(0, MOST);
  return {
    text: parameters.get("q") ?? "",
    paths,
    range: fromText(parameters.get("range"), parameters.get("zoom")),
    live: parameters.get("live") !== "0",
  };
}

export function write(shown: Shown): URLSearchParams {
  const parameters = new URLSearchParams();
  for (const path of shown.paths) parameters.append("s", path);
  parameters.set("range", shown.range.preset);
  if (shown.range.zoom) parameters.set("zoom", zoomText(shown.range.zoom));
  if (!shown.live) parameters.set("live", "0");
  if (shown.text) parameters.set("q", shown.text);
  return parameters;
}

/** Put a series on the chart, or take it off. */
export function toggled(paths: readonly string[], path: string): readonly string[] {
  if (paths.includes(path)) return paths.filter((each) => each !== path);
  return paths.length < MOST ? [...paths, path] : paths;
}
