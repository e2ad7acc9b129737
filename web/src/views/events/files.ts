// The events that fit, to take along: as JSON, whole, and as CSV, with payload and context as JSON.
import { events as ask } from "../../api/client";
import type { EventRecord } from "../../api/types";
import { csv } from "../../lib/csv";
import { now } from "../../lib/times";
import { over, type Shown } from "./state";

const PAGE = 500;
/** The newest ones, where there are more. */
export const MOST = 20_000;
const HEAD = ["time", "id", "type", "priority", "tenant", "publisher", "payload", "context"];

async function all(shown: Shown): Promise<EventRecord[]> {
  const wanted = over(shown, shown.range, now());
  const found: EventRecord[] = [];
  let cursor: string | null = "";
  do {
    const page = await ask({ ...wanted, limit: PAGE, cursor });
    found.push(...page.events);
    cursor = page.cursor;
  } while (cursor && found.length < MOST);
  return found.slice(0, MOST);
}

export function asCsv(events: readonly EventRecord[]): string {
  const row = (event: EventRecord) => [
    new Date(event.time * 1000).toISOString(),
    ...[event.id, event.type, event.priority, event.tenant, event.publisher],
    ...[JSON.stringify(event.payload), JSON.stringify(event.context)],
  ];
  return csv(HEAD, events.map(row));
}

/** The files that the view offers. */
export function files(shown: Shown): Record<string, () => Promise<Blob>> {
  return {
    csv: async () => new Blob([asCsv(await all(shown))], { type: "text/csv" }),
    json: async () => new Blob([JSON.stringify(await all(shown), null, 1)], { type: "application/json" }),
  };
}
