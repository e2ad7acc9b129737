// What a field of filters suggests.
import type { Count } from "../api/types";

/** Keys by their counts over all slots, the most frequent first. */
export function ranking(counts: readonly Count[]): string[] {
  const totals = new Map<string, number>();
  for (const { key, count } of counts) totals.set(key, (totals.get(key) ?? 0) + count);
  return [...totals].sort(([, one], [, other]) => other - one).map(([key]) => key);
}

/** Globs that take in two or more of these types: `table.*`, `*.error`. */
export function families(types: readonly string[]): string[] {
  const found = new Map<string, number>();
  const count = (glob: string) => found.set(glob, (found.get(glob) ?? 0) + 1);
  for (const type of types) {
    const parts = type.split(".");
    for (let length = 1; length < parts.length; length++) count(`${parts.slice(0, length).join(".")}.*`);
    if (parts.length > 1) count(`*.${parts.at(-1)}`);
  }
  return [...found].filter(([, times]) => times > 1).map(([glob]) => glob);
}
