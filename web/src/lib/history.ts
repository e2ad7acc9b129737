// Series on a chart that goes on: read from the store once, then each flush is put behind, until there is reason to read anew.
import { useCallback, useState } from "preact/hooks";
import { data, Failure } from "../api/client";
import { useLive } from "../api/live";
import type { Flush } from "../api/types";
import { appended, type Columns, columns, joined, NOTHING } from "./columns";
import { usePoll } from "./poll";
import { bounds, type Range, type Zoom } from "./range";
import { now } from "./times";

export interface History {
  columns: Columns;
  range: Zoom;
  error: Error | null;
  loading: boolean;
  again: () => void;
}

interface Read {
  columns: Columns;
  /** When it was read. */
  read: number;
  key: string;
}

const UNREAD: Read = { columns: NOTHING, read: 0, key: "" };
/** Where a value of the store stands for more flushes than this, a single flush is not put behind it. */
const COARSE = 1.5;
/** Flushes after which the store is asked again for those that the page has missed. */
const PATIENCE = 3;

/** Whether the server keeps no history that it could read. */
export function storeless(error: Error | null): boolean {
  return error instanceof Failure && error.status === 503;
}

/** Read `paths` over a range, `points` of them; with `live`, what is flushed is appended. */
export function useHistory(paths: readonly string[], range: Range, points: number, live: boolean): History {
  const key = JSON.stringify([paths, range, points]);
  const [held, setHeld] = useState(UNREAD);
  const [end, setEnd] = useState(now);
  const moving = live && range.zoom === null;
  const shown = bounds(range, Math.max(end, held.columns.times.at(-1) ?? 0));

  const poll = usePoll(
    async (signal) => {
      if (paths.length === 0) return;
      const at = now();
      const zoom = bounds(range, at);
      const answer = await data(
        { path: paths, from: Math.floor(zoom.from), until: Math.ceil(zoom.until), points },
        signal,
      );
      setEnd(at);
      const fresh = columns(answer.series, paths);
      setHeld((before) => ({
        columns: moving ? joined(fresh, before.key === key ? before.columns : NOTHING) : fresh,
        read: at,
        key,
      }));
    },
    0,
    key,
  );

  const without = storeless(poll.error);
  const { again } = poll;
  const length = shown.until - shown.from;
  const flush = useCallback(
    (heard: Flush) => {
      setEnd(Math.max(now(), heard.time));
      setHeld((before) => {
        const known = before.key === key;
        if (!known && !without) return before; // the store's answer is under way
        const each = length / points; // seconds for which one value stands
        if (known && !without && each > COARSE * heard.interval) {
          if (heard.time >= before.read + each) again();
          return before;
        }
        const missed = heard.time > (before.columns.times.at(-1) ?? heard.time) + COARSE * heard.interval;
        if (known && !without && missed && heard.time > before.read + PATIENCE * heard.interval) again();
        const fresh = known ? before : { ...UNREAD, columns: { times: [], values: paths.map(() => []) }, key };
        const values = paths.map((path) => heard.values[path] ?? null);
        return { ...fresh, columns: appended(fresh.columns, heard.time, values, bounds(range, heard.time).from) };
      });
    },
    [key, paths, range, points, length, without, again],
  );
  useLive(paths, moving && paths.length > 0, { flush, missed: again });

  const current = held.key === key;
  return {
    columns: current ? held.columns : NOTHING,
    range: shown,
    error: poll.error,
    loading: !current && !poll.error,
    again,
  };
}
