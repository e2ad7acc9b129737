// The series that were found, page by page as the list is scrolled.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { aborted, find } from "../../api/client";
import { given } from "../../api/token";
import { asked } from "../../lib/search";
import { useStore } from "../../lib/store";

const PAGE = 500;
/** Milliseconds after which a list that is whole is looked up again: new series come by themselves. */
const AGAIN = 5000;

interface Pages {
  paths: readonly string[];
  next: string | null;
  /** How many there are in all, where the server has counted them. */
  total: number | null;
}

export interface FoundPages extends Pages {
  /** What was searched for in these. */
  text: string | null;
  error: Error | null;
  more: () => void;
  again: () => void;
}

const NONE: Pages = { paths: [], next: null, total: null };

/** Find series; what was found before stays until the answer comes. */
export function usePages(text: string): FoundPages {
  const [pages, setPages] = useState<Pages>(NONE);
  const [answered, setAnswered] = useState<string | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [turn, setTurn] = useState(0);
  const asking = useRef<AbortController | null>(null);
  const tokens = useStore(given);

  const look = useCallback(
    async (before: Pages | null) => {
      asking.current?.abort();
      const stop = new AbortController();
      asking.current = stop;
      try {
        const answer = await find({ ...asked(text), limit: PAGE, cursor: before?.next }, stop.signal);
        const paths = [...(before?.paths ?? []), ...answer.series.map((series) => series.path)];
        setPages({ paths, next: answer.next || null, total: before ? before.total : answer.total });
        setAnswered(text);
        setError(null);
      } catch (failure) {
        if (!aborted(failure)) setError(failure as Error);
      } finally {
        if (asking.current === stop) asking.current = null;
      }
    },
    [text],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: a token or a turn is a reason to ask anew
  useEffect(() => {
    void look(null);
    return () => asking.current?.abort();
  }, [look, tokens, turn]);

  const whole = answered === text && pages.next === null;
  useEffect(() => {
    if (!whole) return;
    const timer = setInterval(() => {
      if (!document.hidden && asking.current === null) void look(null);
    }, AGAIN);
    return () => clearInterval(timer);
  }, [look, whole]);

  const more = () => {
    if (pages.next !== null && asking.current === null && error === null) void look(pages);
  };
  return { ...pages, text: answered, error, more, again: () => setTurn(turn + 1) };
}
