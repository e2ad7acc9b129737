// Which rows of a long list are drawn: those that are seen, and a few around them.
import { useEffect, useState } from "preact/hooks";

export interface Seen {
  first: number;
  /** One behind the last. */
  end: number;
}

const AROUND = 8;

export function seen(scrolled: number, height: number, row: number, count: number): Seen {
  const first = Math.max(Math.floor(scrolled / row) - AROUND, 0);
  return { first: Math.min(first, count), end: Math.min(Math.ceil((scrolled + height) / row) + AROUND, count) };
}

/** Where to scroll so that a row is seen whole; where it is already, when it is. */
export function scrolledTo(index: number, scrolled: number, height: number, row: number): number {
  const top = index * row;
  if (top < scrolled) return top;
  return top + row > scrolled + height ? top + row - height : scrolled;
}

export interface Window extends Seen {
  /** How far the list is scrolled, in pixels. */
  scrolled: number;
  /** Tell that the list was scrolled. */
  scroll: (box: HTMLElement) => void;
}

/** Follow what of a list of `count` rows is seen in its box. */
export function useWindow(list: { current: HTMLElement | null }, row: number, count: number): Window {
  const [scrolled, setScrolled] = useState(0);
  const [height, setHeight] = useState(400);
  useEffect(() => {
    const box = list.current;
    if (!box) return;
    const watch = new ResizeObserver(() => setHeight(box.clientHeight));
    watch.observe(box);
    return () => watch.disconnect();
  }, [list]);
  return { ...seen(scrolled, height, row, count), scrolled, scroll: (box) => setScrolled(box.scrollTop) };
}
