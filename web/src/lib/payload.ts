// The payload of an event as people read it: in one line, and as JSON in pieces that can be coloured.
import type { EventRecord, Json } from "../api/types";

/** What is said first, as it tells most. */
const FIRST = ["message", "error", "title", "table_name", "table", "name"];
/** Characters of a line. */
const MOST = 240;
/** Characters of one name or value in it. */
const MOST_OF_ONE = 80;

function told(value: Json): string {
  if (typeof value === "string") return value;
  if (value === null || typeof value !== "object") return String(value);
  if (Array.isArray(value)) return value.length === 0 ? "[]" : `[${value.length}]`;
  const names = Object.keys(value);
  return names.length === 0 ? "{}" : `{${names.slice(0, 4).join(", ")}${names.length > 4 ? ", …" : ""}}`;
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/** One line of names and values, what tells most first. */
export function summary(payload: Record<string, Json>): [string, string][] {
  const rank = (name: string) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  const names = Object.keys(payload).sort((one, other) => rank(one) - rank(other));
  const parts: [string, string][] = [];
  let length = 0;
  for (const name of names) {
    const part: [string, string] = [
      cut(name, MOST_OF_ONE),
      cut(told(payload[name] ?? null).replace(/\s+/g, " "), MOST_OF_ONE),
    ];
    parts.push(part);
    length += part.join(" ").length + 1;
    if (length > MOST) break;
  }
  return parts;
}

/** What happened in words: `table.create.error: no room (acme)`. */
export function words(event: EventRecord): string {
  const said = [event.payload["message"], event.payload["error"]].find((each) => typeof each === "string" && each);
  const parts = said === undefined ? summary(event.payload).map((pair) => pair.join("=")) : [told(said)];
  const rest = cut(parts.join(" ").replace(/\s+/g, " "), MOST);
  return `${[event.type, rest].filter(Boolean).join(": ")}${event.tenant && ` (${event.tenant})`}`;
}

/** The request in which it happened, by any of the names that it goes by; empty without one. */
export function request(event: EventRecord): string {
  const found = event.context["request_id"] ?? event.context["trace_id"] ?? event.payload["request_id"];
  return typeof found === "string" ? found : "";
}

export type Kind = "name" | "text" | "number" | "word" | "plain";

export interface Token {
  kind: Kind;
  text: string;
}

const TOKEN = /"(?:[^"\\]|\\.)*"(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\b(?:true|false|null)\b/g;
/** Longer texts are shown in one colour. */
const COLOURED = 60_000;

/** Cut JSON into what is coloured apart. */
export function tokens(json: string): Token[] {
  if (json.length > COLOURED) return [{ kind: "plain", text: json }];
  const made: Token[] = [];
  let at = 0;
  const plain = (until: number) => {
    if (until > at) made.push({ kind: "plain", text: json.slice(at, until) });
  };
  for (const match of json.matchAll(TOKEN)) {
    plain(match.index);
    made.push({ kind: kind(match[0], match[1] !== undefined), text: match[0] });
    at = match.index + match[0].length;
  }
  plain(json.length);
  return made;
}

function kind(text: string, named: boolean): Kind {
  if (named) return "name";
  if (text.startsWith('"')) return "text";
  return /^[tfn]/.test(text) ? "word" : "number";
}
