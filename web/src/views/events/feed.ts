// The events that fit: the first page read, older ones as they are wanted, and what happens now as the server tells it.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { aborted, events as ask } from "../../api/client";
import { useStream } from "../../api/stream";
import type { EventRecord } from "../../api/types";
import { begun, caughtUp, EMPTY, type Feed, heard, older, released } from "../../lib/feed";
import { usePoll } from "../../lib/poll";
import { now } from "../../lib/times";
import { filters, over, type Shown } from "./state";

/** Events of the first page, and of each older one. */
const [PAGE, MORE] = [100, 500];
/** Milliseconds for which what comes is gathered before it is drawn. */
const GATHER = 150;

export interface Followed {
  feed: Feed;
  error: Error | null;
  loading: boolean;
  /** Read the next older page. */
  more: () => void;
  /** Show what has waited. */
  release: () => void;
  again: () => void;
}

/** When events came that were told as they happened, in milliseconds. */
const came = new WeakMap<EventRecord, number>();
/** Milliseconds for which an event is new. */
const NEW = 1500;

/** Whether an event has just come. */
export function justCame(event: EventRecord): boolean {
  return Date.now() - (came.get(event) ?? 0) < NEW;
}

interface Held {
  key: string;
  feed: Feed;
}

/** Whether what happens now is shown. */
export function moving(shown: Shown): boolean {
  return shown.live && shown.range.zoom === null;
}

/** Follow events; while `held`, the list stands still and new ones wait. `onHeard` is told of each that comes. */
export function useFeed(shown: Shown, held: boolean, onHeard: (events: readonly EventRecord[]) => void): Followed {
  const key = JSON.stringify([filters(shown), shown.range]);
  const [{ key: known, feed }, setState] = useState<Held>({ key: "", feed: EMPTY });
  const still = useRef(held);
  still.current = held;
  const change = useCallback(
    (next: (feed: Feed) => Feed) =>
      setState((before) => (before.key === key ? { key, feed: next(before.feed) } : before)),
    [key],
  );
  const poll = usePoll(
    async (signal) => {
      const page = await ask({ ...over(shown, shown.range, now()), limit: PAGE }, signal);
      setState((before) => ({
        key,
        feed: before.key === key ? caughtUp(before.feed, page, still.current) : begun(page),
      }));
    },
    0,
    key,
  );
  const hear = useGathered((events: readonly EventRecord[]) => {
    for (const event of events) came.set(event, Date.now());
    onHeard(events);
    change((before) => heard(before, events, still.current));
  });
  useStream("/events/live", filters(shown), moving(shown), {
    heard: ({ event, data }) => {
      if (event === "event") hear(JSON.parse(data) as EventRecord);
    },
    opened: poll.again,
  });
  const release = useCallback(() => change(released), [change]);
  const pages = usePages(shown, key, feed, change);
  return {
    feed: known === key ? feed : EMPTY,
    error: poll.error ?? pages.error,
    loading: known !== key && !poll.error,
    more: pages.more,
    release,
    again: poll.error ? poll.again : pages.again,
  };
}

/** Gather what comes one by one. */
function useGathered<T>(take: (all: readonly T[]) => void): (one: T) => void {
  const latest = useRef(take);
  latest.current = take;
  const waiting = useRef<T[]>([]);
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  return useCallback((one) => {
    waiting.current.push(one);
    if (waiting.current.length > 1) return;
    timer.current = window.setTimeout(() => latest.current(waiting.current.splice(0)), GATHER);
  }, []);
}

/** Older pages, one at a time. */
function usePages(shown: Shown, key: string, feed: Feed, change: (next: (feed: Feed) => Feed) => void) {
  const asking = useRef<AbortController | null>(null);
  const [error, setError] = useState<Error | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another list begins anew
  useEffect(() => {
    setError(null);
    return () => {
      asking.current?.abort();
      asking.current = null;
    };
  }, [key]);
  const look = async () => {
    if (asking.current || feed.next === null) return;
    const stop = new AbortController();
    asking.current = stop;
    try {
      const page = await ask({ ...over(shown, shown.range, now()), ...feed.next, limit: MORE }, stop.signal);
      change((before) => older(before, page));
      setError(null);
    } catch (failure) {
      if (!aborted(failure)) setError(failure as Error);
    } finally {
      if (asking.current === stop) asking.current = null;
    }
  };
  return { error, more: () => void (error || look()), again: () => void look() };
}
