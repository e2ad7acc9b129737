// Asks again and again, while the page is looked at.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { aborted } from "../api/client";
import { given } from "../api/token";
import { useStore } from "./store";

export interface Polled<T> {
  value: T | null;
  error: Error | null;
  /** Ask at once. */
  again: () => void;
}

/** Keep what `ask` answers, anew every `seconds` (0: once) and whenever `key` changes. An old answer stays until the next. */
export function usePoll<T>(ask: (signal: AbortSignal) => Promise<T>, seconds: number, key = ""): Polled<T> {
  const [value, setValue] = useState<T | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [turn, setTurn] = useState(0);
  const tokens = useStore(given);
  const latest = useRef(ask);
  latest.current = ask;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new key, token or turn is a reason to ask anew
  useEffect(() => {
    const stop = new AbortController();
    let timer = 0;
    const look = async () => {
      try {
        const answer = await latest.current(stop.signal);
        if (stop.signal.aborted) return;
        setValue(() => answer);
        setError(null);
      } catch (failure) {
        if (aborted(failure) || stop.signal.aborted) return;
        setError(failure as Error);
      }
      if (seconds) timer = window.setTimeout(visible, seconds * 1000);
    };
    const visible = () => {
      if (document.hidden) document.addEventListener("visibilitychange", visible, { once: true, signal: stop.signal });
      else void look();
    };
    void look();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [seconds, key, tokens, turn]);
  return { value, error, again: useCallback(() => setTurn((before) => before + 1), []) };
}

/** The text as it was `milliseconds` ago unless it has stood still since. */
export function useSettled(text: string, milliseconds: number): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), milliseconds);
    return () => clearTimeout(timer);
  }, [text, milliseconds]);
  return settled;
}

/** Now, in seconds since the epoch, anew every few seconds. */
export function useNow(every = 1): number {
  const [now, setNow] = useState(Date.now() / 1000);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now() / 1000), every * 1000);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}
