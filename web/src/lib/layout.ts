// How a log is laid out, as its plugin says: groups of components, each of which shows the rows of one category.
//
// Layouts are JSON that plugins wrote for statscache's dashboards; whatever is not of that shape is left out.
import type { StatisticRow } from "../api/statistics";
import type { Json } from "../api/types";

export interface Component {
  id: string;
  name: string;
  options: Options;
}

export interface Group {
  id: string;
  name: string;
  components: readonly Component[];
}

export interface Options {
  time: boolean;
  status: boolean;
  /** What a status is called. */
  verbs: Readonly<Record<string, string>>;
  /** How a status looks: a class of Bootstrap's, such as `text-danger`. */
  classes: Readonly<Record<string, string>>;
  /** Seconds after which a row is old; null: never. */
  old: number | null;
}

type Thing = { [name: string]: Json };
const PLAIN: Options = { time: true, status: true, verbs: {}, classes: {}, old: null };
const SECONDS: Readonly<Record<string, number>> = {
  seconds: 1,
  minutes: 60,
  hours: 3600,
  days: 86_400,
  weeks: 604_800,
};

const thing = (value: Json | undefined): Thing =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
const list = (value: Json | undefined): Thing[] => (Array.isArray(value) ? value.map(thing) : []);
const text = (value: Json | undefined): string => (typeof value === "string" ? value : "");

export function groupsOf(layout: Json): Group[] {
  const usual = options(thing(thing(layout)["default_options"]), PLAIN);
  return list(thing(layout)["groups"]).map((group) => ({
    id: text(group["id"]),
    name: text(group["name"]) || text(group["title"]) || text(group["id"]),
    components: list(group["components"])
      .filter((each) => text(each["id"]))
      .map((each) => ({
        id: text(each["id"]),
        name: text(each["name"]) || text(each["id"]),
        options: options(each, usual),
      })),
  }));
}

function options(given: Thing, usual: Options): Options {
  const flag = (name: string, or: boolean) => (typeof given[name] === "boolean" ? given[name] === true : or);
  return {
    time: flag("show_time_at", usual.time),
    status: flag("show_status", usual.status),
    verbs: { ...usual.verbs, ...texts(given["status_verb_map"]) },
    classes: { ...usual.classes, ...texts(given["status_class_map"]) },
    old: threshold(thing(given["old_log_threshold"])) ?? usual.old,
  };
}

function texts(value: Json | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(thing(value)).map(([name, word]) => [name, text(word)]));
}

function threshold({ key, value }: Thing): number | null {
  const unit = SECONDS[text(key)];
  return unit && typeof value === "number" ? unit * value : null;
}

/** What a row of a log says. */
export interface Said {
  name: string;
  status: string;
  /** Where more is told; empty where nowhere. */
  link: string;
}

/** Read a text: an object with a name and a status, or plain words. */
export function said(value: string | number | null | undefined): Said {
  const plain = { name: String(value ?? ""), status: "", link: "" };
  if (typeof value !== "string" || !value.startsWith("{")) return plain;
  try {
    const found = thing(JSON.parse(value) as Json);
    const link = text(found["link"]);
    const name = text(found["name"]) || text(found["message"]);
    return { name: name || plain.name, status: text(found["status"]), link: /^https?:\/\//.test(link) ? link : "" };
  } catch {
    return plain;
  }
}

/** Rows put under the components of a layout; categories that it does not name come last. */
export function laidOut(layout: Json, rows: readonly StatisticRow[], category: string): Group[] {
  const groups = groupsOf(layout);
  const known = new Set(groups.flatMap((group) => group.components.map(({ id }) => id)));
  const names = new Set(rows.map((row) => String(row[category] ?? "")));
  const others = [...names].filter((name) => !known.has(name)).sort();
  if (others.length === 0) return groups;
  const usual = options(thing(thing(layout)["default_options"]), PLAIN);
  const components = others.map((id) => ({ id, name: id || `no ${category}`, options: usual }));
  return [...groups, { id: " others", name: groups.length > 0 ? "Others" : "", components }];
}
