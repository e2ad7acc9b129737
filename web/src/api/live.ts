// Server-sent events, read by fetch so that the token travels in a header. A broken connection is made anew.
//
// A page that nobody looks at lets its connection go: browsers allow only a few to a server, over all tabs together.
import { useEffect, useRef } from "preact/hooks";
import { store } from "../lib/store";
import { aborted, ask, Failure } from "./client";
import { given } from "./token";
import type { Flush } from "./types";

const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30_000;

export type Line = "live" | "waiting" | "off";
/** How the page is connected to what the server flushes. */
export const line = store<Line>("off");

/** Takes text of server-sent events in pieces, and gives the events that are whole. */
export class EventReader {
  private rest = "";

  take(piece: string): { event: string; data: string }[] {
    const blocks = (this.rest + piece.replaceAll("\r", "")).split("\n\n");
    this.rest = blocks.pop() ?? "";
    return blocks.map(parse).filter((event) => event.data !== "");
  }
}

function parse(block: string): { event: string; data: string } {
  let event = "message";
  const data: string[] = [];
  for (const row of block.split("\n")) {
    const colon = row.indexOf(":");
    if (colon === 0) continue; // a comment that keeps the connection open
    const name = colon < 0 ? row : row.slice(0, colon);
    const value = colon < 0 ? "" : row.slice(colon + 1).replace(/^ /, "");
    if (name === "event") event = value;
    if (name === "data") data.push(value);
  }
  return { event, data: data.join("\n") };
}

async function read(paths: readonly string[], heard: (flush: Flush) => void, signal: AbortSignal): Promise<void> {
  const answer = await ask("/live", { path: paths }, signal);
  line.set("live");
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  const events = new EventReader();
  while (reader) {
    const { done, value } = await reader.read();
    if (done) return;
    for (const { event, data } of events.take(value)) if (event === "flush") heard(JSON.parse(data) as Flush);
  }
}

const pause = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));

async function stay(
  paths: readonly string[],
  heard: (flush: Flush) => void,
  missed: () => void,
  signal: AbortSignal,
): Promise<void> {
  let wait = FIRST_PAUSE;
  for (let again = false; !signal.aborted; again = true) {
    const began = Date.now();
    try {
      if (again) missed();
      await read(paths, heard, signal);
    } catch (error) {
      if (aborted(error) || signal.aborted) return;
      if (error instanceof Failure && error.status === 401) break; // goes on when a token is given
    }
    if (signal.aborted) return;
    wait = Date.now() - began > LONGEST_PAUSE ? FIRST_PAUSE : Math.min(wait * 2, LONGEST_PAUSE);
    if (Date.now() - began < FIRST_PAUSE) line.set("waiting");
    await pause(wait * (0.5 + Math.random() / 2));
  }
}

export interface Heard {
  flush: (flush: Flush) => void;
  /** The connection is made anew: flushes may have been missed. */
  missed?: () => void;
}

/** Hear every flush while `active`, with the values of `paths`. */
export function useLive(paths: readonly string[], active: boolean, heard: Heard): void {
  const latest = useRef(heard);
  latest.current = heard;
  const key = paths.join("\n");
  useEffect(() => {
    if (!active) return;
    let stop = new AbortController();
    const begin = () => {
      stop.abort();
      stop = new AbortController();
      line.set("waiting");
      void stay(
        key ? key.split("\n") : [],
        (flush) => latest.current.flush(flush),
        () => latest.current.missed?.(),
        stop.signal,
      );
    };
    const turn = () => {
      if (document.hidden) {
        stop.abort();
        line.set("waiting");
        return;
      }
      latest.current.missed?.();
      begin();
    };
    begin();
    const ended = given.watch(begin);
    document.addEventListener("visibilitychange", turn);
    return () => {
      document.removeEventListener("visibilitychange", turn);
      ended();
      stop.abort();
      line.set("off");
    };
  }, [key, active]);
}
