// The stream of flushes: what is flushed comes by itself, with the values of the series that are followed.
import { useStream } from "./stream";
import type { Flush } from "./types";

export interface Heard {
  flush: (flush: Flush) => void;
  /** The connection is made anew: flushes may have been missed. */
  missed?: () => void;
}

/** Hear every flush while `active`, with the values of `paths`. */
export function useLive(paths: readonly string[], active: boolean, heard: Heard): void {
  useStream("/live", { path: paths }, active, {
    heard: ({ event, data }) => {
      if (event === "flush") heard.flush(JSON.parse(data) as Flush);
    },
    missed: () => heard.missed?.(),
  });
}
