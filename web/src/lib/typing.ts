// A text field whose text counts once it stands still.
import { useEffect, useRef, useState } from "preact/hooks";
import { useSettled } from "./poll";

/** Milliseconds without a key after which what was typed counts. */
const TYPING = 300;

/** The text as it is typed. It is handed on when it stands still; what comes from outside, a link or a step back, takes its place. */
export function useTyped(value: string, onSettled: (text: string) => void): [string, (text: string) => void] {
  const [text, setText] = useState(value);
  const settled = useSettled(text, TYPING);
  const written = useRef(value);
  const latest = useRef(onSettled);
  latest.current = onSettled;
  useEffect(() => {
    if (settled === written.current) return;
    written.current = settled;
    latest.current(settled);
  }, [settled]);
  useEffect(() => {
    if (value === written.current) return;
    written.current = value; // not what was typed here
    setText(value);
  }, [value]);
  return [text, setText];
}
