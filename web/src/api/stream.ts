// Server-sent events, read by fetch so that the token travels in a header. A broken connection is made anew.
//
// A page that nobody looks at lets its connection go: browsers allow only a few to a server, over all tabs together.
import { useEffect, useRef } from "preact/hooks";
import { store } from "../lib/store";
import { aborted, ask, Failure, type Query, query } from "./client";
import { given } from "./token";

const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30_000;

export type Line = "live" | "waiting" | "off";
/** How the page is connected to what the server tells by itself. */
export const line = store<Line>("off");

/** One server-sent event. */
export interface Told {
  event: string;
  data: string;
}

/** Takes text of server-sent events in pieces, and gives the events that are whole. */
export class EventReader {
  private rest = "";

  take(piece: string): Told[] {
    const blocks = (this.rest + piece.replaceAll("\r", "")).split("\n\n");
    this.rest = blocks.pop() ?? "";
    return blocks.map(parse).filter((event) => event.data !== "");
  }
}

function parse(block: string): Told {
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

export interface Hearing {
  heard: (told: Told) => void;
  /** The server has begun to tell: what happens from here on is heard. */
  opened?: () => void;
  /** The connection is made anew: something may have been missed. */
  missed?: () => void;
}

interface Source {
  path: string;
  parameters: Query;
}

async function read({ path, parameters }: Source, hearing: Hearing, signal: AbortSignal): Promise<void> {
  const answer = await ask(path, parameters, signal);
  line.set("live");
  hearing.opened?.();
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  const events = new EventReader();
  while (reader) {
    const { done, value } = await reader.read();
    if (done) return;
    for (const told of events.take(value)) hearing.heard(told);
  }
}

const pause = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));

async function stay(source: Source, hearing: Hearing, signal: AbortSignal): Promise<void> {
  let wait = FIRST_PAUSE;
  for (let again = false; !signal.aborted; again = true) {
    const began = Date.now();
    try {
      if (again) hearing.missed?.();
      await read(source, hearing, signal);
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

/** Hear what the server tells at `path`, while `active`. */
export function useStream(path: string, parameters: Query, active: boolean, hearing: Hearing): void {
  const latest = useRef(hearing);
  latest.current = hearing;
  const asked = query(parameters);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text of the query stands for its parameters
  useEffect(() => {
    if (!active) return;
    let stop = new AbortController();
    const begin = () => {
      stop.abort();
      stop = new AbortController();
      line.set("waiting");
      const hear: Hearing = {
        heard: (told) => latest.current.heard(told),
        opened: () => latest.current.opened?.(),
        missed: () => latest.current.missed?.(),
      };
      void stay({ path, parameters }, hear, stop.signal);
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
  }, [path, asked, active]);
}
