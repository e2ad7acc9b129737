// How a line is sent to this server from a shell: to where it listens, as its status tells.
import type { Listener } from "../api/types";
import { store } from "./store";

const USUAL = "127.0.0.1:8125";
const EVERYWHERE = ["0.0.0.0", "[::]"];

/** The listeners of the server; none before it told. */
export const listeners = store<readonly Listener[]>([]);

/** Keep the listeners; the same ones, told again, are no news. */
export function told(found: readonly Listener[]): void {
  if (JSON.stringify(found) !== JSON.stringify(listeners.get())) listeners.set(found);
}

/** Return the first address that takes what `scheme` names, as host and port; of every address, the page's own host. */
function where(scheme: string, found: readonly Listener[], host: string): string | undefined {
  const start = `${scheme}://`;
  const first = found.flatMap((each) => each.addresses).find((each) => each.startsWith(start));
  const at = first?.slice(start.length);
  const every = EVERYWHERE.find((each) => at?.startsWith(`${each}:`));
  return every && at ? (host || "127.0.0.1") + at.slice(every.length) : at;
}

/** Return what sends a line without any client: with nc where UDP is listened to, else with our own program. */
export function shell(text: string, found: readonly Listener[], host: string): string {
  const at = found.length ? where("udp", found, host) : `${host || "127.0.0.1"}:8125`;
  if (!at) return program([text], found, host);
  const colon = at.lastIndexOf(":");
  return `echo "${text}" | nc -u -w0 ${at.slice(0, colon).replace(/^\[|\]$/g, "")} ${at.slice(colon + 1)}`;
}

/** Return what sends lines with our own program. */
export function program(texts: readonly string[], found: readonly Listener[], host: string): string {
  const at = found.length ? where("udp", found, host) : USUAL;
  const to = at ? `udp://${at}` : (found[0]?.addresses[0] ?? found[0]?.url ?? "");
  return ["nilometer send", ...(at === USUAL ? [] : [`--to ${to}`]), ...texts.map((text) => `'${text}'`)].join(" ");
}

/** Where the page is, by default. */
const HOME = "http://127.0.0.1:8127";
const EVENT = { type: "backup.error", priority: "error", tenant: "acme", payload: { message: "the disk is full" } };

/** Return what sends an event with our own program; to the usual place it need not be told. */
export function sent(origin: string): string {
  const to = origin === HOME ? "" : ` --to ${origin}`;
  return `nilometer events send ${EVENT.type} --priority ${EVENT.priority} --tenant ${EVENT.tenant} --payload '${JSON.stringify(EVENT.payload)}'${to}`;
}

/** Return what sends an event with any client of HTTP. */
export function posted(origin: string): string {
  return `curl -H 'content-type: application/json' -d '${JSON.stringify(EVENT)}' ${origin}/api/v1/events`;
}
