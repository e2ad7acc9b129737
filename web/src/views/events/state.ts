// What the view of events shows, as it stands in the address.
import type { Query } from "../../api/client";
import { bounds, fromText, type Range, zoomText } from "../../lib/range";
import { BY, type By } from "../../lib/stack";

/** What events are asked for; what is empty asks for all. */
export interface Filters {
  /** A glob over the whole type. */
  type: string;
  tenant: string;
  publisher: string;
  priority: string;
  /** What stands somewhere in the payload. */
  text: string;
}

export interface Shown extends Filters {
  range: Range;
  live: boolean;
  /** What the counts are told apart by. */
  by: By;
  /** The event that is open, by its id. */
  id: string;
}

const NAMES: readonly (keyof Filters)[] = ["type", "tenant", "publisher", "priority", "text"];
/** The server refuses longer ones. */
const LONGEST = 255;

export const NOTHING: Filters = { type: "", tenant: "", publisher: "", priority: "", text: "" };

export function read(parameters: URLSearchParams): Shown {
  const given = (name: string) => (parameters.get(name) ?? "").slice(0, LONGEST);
  const by = given("by");
  return {
    type: given("type"),
    tenant: given("tenant"),
    publisher: given("publisher"),
    priority: given("priority"),
    text: given("text"),
    range: fromText(parameters.get("range"), parameters.get("zoom")),
    live: parameters.get("live") !== "0",
    by: BY.find((each) => each === by) ?? "type",
    id: parameters.get("event") ?? "",
  };
}

export function write(shown: Shown): URLSearchParams {
  const parameters = new URLSearchParams();
  for (const name of NAMES) if (shown[name]) parameters.set(name, shown[name]);
  if (shown.by !== "type") parameters.set("by", shown.by);
  parameters.set("range", shown.range.preset);
  if (shown.range.zoom) parameters.set("zoom", zoomText(shown.range.zoom));
  if (!shown.live) parameters.set("live", "0");
  if (shown.id) parameters.set("event", shown.id);
  return parameters;
}

/** A link to events. */
export function link(filters: Partial<Filters>, range: Range, id = ""): URLSearchParams {
  return write({ ...NOTHING, ...filters, range, live: true, by: "type", id });
}

export function filtered(filters: Filters): boolean {
  return NAMES.some((name) => filters[name] !== "");
}

/** What the server is asked for. */
export function filters(shown: Filters): Query {
  return Object.fromEntries(NAMES.map((name) => [name, shown[name]]));
}

/** What the server is asked for, over a range; one that ends now has no end. */
export function over(shown: Filters, range: Range, now: number): Query {
  const { from, until } = bounds(range, now);
  return { ...filters(shown), since: Math.floor(from), until: range.zoom ? Math.ceil(until) : null };
}
