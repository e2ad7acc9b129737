// Which rows of a long list are drawn: those that are seen, and a few around them.

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
