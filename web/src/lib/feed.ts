// The list of events that one looks at: what was read page by page, what came since, and what waits while it is held still.
//
// Rules: newest first; each event once, by its id; never more than `MOST`; what was left out can be read again.
import type { EventPage, EventRecord } from "../api/types";

/** More than these are not kept on the page, and more than these do not wait. */
export const MOST = 100_000;
export const MOST_WAITING = 1000;
/** Where the next page begins: where the server said, or before a moment; null when there is none. */
export type Next = { cursor: string } | { until: number } | null;

export interface Feed {
  events: readonly EventRecord[];
  next: Next;
  /** What came while the list was held still. */
  waiting: readonly EventRecord[];
  /** Between what waits and the list there are events that are in neither. */
  gap: boolean;
}

export const EMPTY: Feed = { events: [], next: null, waiting: [], gap: false };

function following(page: EventPage): Next {
  return page.cursor ? { cursor: page.cursor } : null;
}

/** What follows the last of these, when more than these had been there: from its own second on, as the server takes whole ones. */
function behind(events: readonly EventRecord[]): Next {
  const last = events.at(-1);
  return last ? { until: Math.floor(last.time) + 1 } : null;
}

/** The first page. */
export function begun(page: EventPage): Feed {
  return { ...EMPTY, events: page.events, next: following(page) };
}

/** Put events among others, by their time; of the same moment, what came later stands above. */
function among(events: readonly EventRecord[], fresh: readonly EventRecord[]): EventRecord[] {
  const sorted = fresh.toSorted((one, other) => other.time - one.time);
  const made: EventRecord[] = [];
  let at = 0;
  for (const event of sorted) {
    for (let next = events[at]; next && next.time > event.time; next = events[++at]) made.push(next);
    made.push(event);
  }
  return made.concat(events.slice(at));
}

function unknown(to: readonly EventRecord[], fresh: readonly EventRecord[]): EventRecord[] {
  const known = new Set(to.map((event) => event.id));
  return fresh.filter((event) => !known.has(event.id) && known.add(event.id));
}

/** Put what the server tells on top, or let it wait while the list is held still. */
export function heard(feed: Feed, told: readonly EventRecord[], held: boolean): Feed {
  const last = feed.next ? feed.events.at(-1) : undefined;
  const fresh = unknown(feed.events, unknown(feed.waiting, told)).filter((event) => !last || event.time >= last.time);
  if (fresh.length === 0) return feed;
  if (held) {
    const waiting = among(feed.waiting, fresh);
    return { ...feed, waiting: waiting.slice(0, MOST_WAITING), gap: feed.gap || waiting.length > MOST_WAITING };
  }
  const events = among(feed.events, fresh);
  if (events.length <= MOST) return { ...feed, events };
  const kept = events.slice(0, MOST);
  return { ...feed, events: kept, next: behind(kept) };
}

/** Take in the first page, read anew after the connection was broken. */
export function caughtUp(feed: Feed, page: EventPage, held: boolean): Feed {
  const all = [...feed.waiting, ...feed.events];
  const meets = !page.cursor || all.length === 0 || page.events.length > unknown(all, page.events).length;
  if (meets) return all.length === 0 ? begun(page) : heard(feed, page.events, held);
  return held ? { ...feed, waiting: page.events.slice(0, MOST_WAITING), gap: true } : begun(page);
}

/** Show what has waited. */
export function released(feed: Feed): Feed {
  if (feed.waiting.length === 0) return feed;
  if (feed.gap) return { ...EMPTY, events: feed.waiting, next: behind(feed.waiting) };
  return heard({ ...feed, waiting: [] }, feed.waiting, false);
}

/** Put an older page below. */
export function older(feed: Feed, page: EventPage): Feed {
  const events = [...feed.events, ...unknown(feed.events, page.events)];
  return { ...feed, events, next: events.length < MOST ? following(page) : null };
}
