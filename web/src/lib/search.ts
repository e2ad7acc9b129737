// What is typed into the search becomes what the server is asked: a glob over whole paths, and tags.

export interface Asked {
  match: string;
  tag: string[];
}

const GLOB = /[*?[\]]/;

/**
 * `page views` finds paths that hold both words in that order, `page.*` is a glob of one's own, `region=eu` asks for a tag.
 */
export function asked(text: string): Asked {
  const words = text.trim().split(/\s+/).filter(Boolean);
  const tag = words.filter((word) => /^[^=]+=[^=]+$/.test(word));
  const rest = words.filter((word) => !tag.includes(word));
  if (rest.length === 0) return { match: "*", tag };
  const match = rest.length === 1 && GLOB.test(rest[0] ?? "") ? (rest[0] ?? "*") : `*${rest.join("*")}*`;
  return { match, tag };
}

export interface Piece {
  text: string;
  /** It was searched for. */
  hit: boolean;
}

/** Cut pieces in two at a place counted from the front of the whole. */
export function cut(pieces: readonly string[], place: number): [Piece[], Piece[]] {
  const [head, tail]: [Piece[], Piece[]] = [[], []];
  let at = 0;
  pieces.forEach((text, index) => {
    const mine = Math.min(Math.max(place - at, 0), text.length);
    for (const [part, side] of [
      [text.slice(0, mine), head],
      [text.slice(mine), tail],
    ] as const)
      if (part) side.push({ text: part, hit: index % 2 === 1 });
    at += text.length;
  });
  return [head, tail];
}

/** Cut a path into pieces that were searched for and others, in turn: the first is never one that was. */
export function marked(path: string, text: string): string[] {
  const words = text
    .trim()
    .split(/[\s*?[\]]+/)
    .filter((word) => word && !word.includes("="));
  const pieces: string[] = [];
  let at = 0;
  for (const word of words) {
    const found = path.toLowerCase().indexOf(word.toLowerCase(), at);
    if (found < 0) continue;
    pieces.push(path.slice(at, found), path.slice(found, found + word.length));
    at = found + word.length;
  }
  return [...pieces, path.slice(at)];
}
