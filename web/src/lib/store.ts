// A value that several parts of the page watch.
import { useEffect, useState } from "preact/hooks";

export interface Store<T> {
  get(): T;
  set(value: T): void;
  watch(heard: (value: T) => void): () => void;
}

export function store<T>(first: T): Store<T> {
  let value = first;
  const watchers = new Set<(value: T) => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const heard of [...watchers]) heard(next);
    },
    watch(heard) {
      watchers.add(heard);
      return () => watchers.delete(heard);
    },
  };
}

export function useStore<T>(from: Store<T>): T {
  const [value, setValue] = useState<T>(from.get());
  useEffect(() => {
    setValue(() => from.get());
    return from.watch((next) => setValue(() => next));
  }, [from]);
  return value;
}
