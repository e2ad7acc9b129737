// What is drawn of a statistic, asked for anew when its rows changed, as the server tells.
//
// A question is never given up for a change: an answer that takes long is waited for, and asked for again the more seldom.
import { useEffect, useRef, useState } from "preact/hooks";
import { useStream } from "../../api/stream";
import { type Polled, usePoll } from "../../lib/poll";

/** Changes are told at once after a pause, and together within one; in milliseconds. */
const PAUSE = 3000;
/** After an answer there is rest for so many times as long as it took. */
const REST = 3;

/** Counts the times that rows of a statistic changed. */
export function useChanged(ident: string, live: boolean): number {
  const [count, setCount] = useState(0);
  const timer = useRef(0);
  const last = useRef(Date.now());
  const tell = () => {
    if (timer.current) return;
    const wait = Math.max(last.current + PAUSE - Date.now(), 0);
    timer.current = window.setTimeout(() => {
      timer.current = 0;
      last.current = Date.now();
      setCount((before) => before + 1);
    }, wait);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  useStream("/statistics/live", { ident: [ident] }, live, { heard: tell, missed: tell });
  return count;
}

/** Keep what `ask` answers, anew every `seconds`, whenever `key` changes, and after each change. */
export function useAsked<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  seconds: number,
  key: string,
  changed: number,
): Polled<T> {
  const [turn, setTurn] = useState(changed);
  const asking = useRef<symbol | null>(null);
  const rested = useRef(0);
  const polled = usePoll(
    async (signal) => {
      const [mine, began] = [Symbol(), Date.now()];
      asking.current = mine;
      try {
        return await ask(signal);
      } finally {
        if (asking.current === mine) asking.current = null;
        rested.current = Date.now() + REST * (Date.now() - began);
      }
    },
    seconds,
    `${key} ${turn}`,
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: an answer, or an error, ends the waiting
  useEffect(() => {
    if (changed === turn || asking.current) return;
    const timer = setTimeout(() => setTurn(changed), Math.max(rested.current - Date.now(), 0));
    return () => clearTimeout(timer);
  }, [changed, turn, polled.value, polled.error]);
  return polled;
}
