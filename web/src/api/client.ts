// Asks the server. Every failure is a `Failure` with words that can be shown.
import { refuse, token } from "./token";
import type { Config, Counts, Data, EventPage, EventRecord, Found, Status, Top, UsageTotals } from "./types";

const BASE = "/api/v1";

export type Value = string | number | readonly string[] | null | undefined;
export type Query = Record<string, Value>;

export class Failure extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Lay out a query; a list becomes a parameter for each item, what is empty is left out. */
export function query(parameters: Query): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value === null || value === undefined || value === "") continue;
    if (typeof value === "object") for (const item of value) pairs.append(name, item);
    else pairs.append(name, String(value));
  }
  const text = pairs.toString();
  return text && `?${text}`;
}

export function aborted(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

/** Ask for an answer of any type. Throws `Failure`, or the abort. */
export async function ask(
  path: string,
  parameters: Query = {},
  signal?: AbortSignal,
  method = "GET",
): Promise<Response> {
  const sent = token();
  const headers: HeadersInit = sent ? { authorization: `Bearer ${sent}` } : {};
  let answer: Response;
  try {
    answer = await fetch(BASE + path + query(parameters), {
      method,
      headers,
      signal: signal ?? null,
      cache: "no-store",
    });
  } catch (error) {
    if (aborted(error)) throw error;
    throw new Failure(0, "away", "The server does not answer. The page goes on by itself when it is back.");
  }
  if (answer.ok) return answer;
  if (answer.status === 401) refuse(sent);
  throw await failure(answer);
}

async function failure(answer: Response): Promise<Failure> {
  const said: unknown = await answer.json().catch(() => null);
  const error = (said as { error?: { code?: string; message?: string } } | null)?.error;
  return new Failure(answer.status, error?.code ?? "error", error?.message ?? `The server answers ${answer.status}.`);
}

export async function json<T>(path: string, parameters: Query, signal?: AbortSignal): Promise<T> {
  return (await ask(path, parameters, signal)).json() as Promise<T>;
}

export interface Wish {
  path: readonly string[];
  from: string | number;
  until: string | number;
  points?: number;
  aggregate?: string;
}

export const status = (signal?: AbortSignal) => json<Status>("/status", {}, signal);
export const config = (signal?: AbortSignal) => json<Config>("/config", {}, signal);
export const top = (limit: number, signal?: AbortSignal) => json<Top>("/top", { limit }, signal);
export const find = (parameters: Query, signal?: AbortSignal) => json<Found>("/series", parameters, signal);
export const data = (wish: Wish, signal?: AbortSignal) => json<Data>("/series/data", { ...wish }, signal);

export const events = (parameters: Query, signal?: AbortSignal) => json<EventPage>("/events", parameters, signal);
export const counts = (parameters: Query, signal?: AbortSignal) => json<Counts>("/events/counts", parameters, signal);
export const event = (id: string, signal?: AbortSignal) =>
  json<EventRecord>(`/events/${encodeURIComponent(id)}`, {}, signal);

export const usage = (parameters: Query, signal?: AbortSignal) => json<UsageTotals>("/usage", parameters, signal);

export async function usageFile(parameters: Query): Promise<Blob> {
  return (await ask("/usage", { ...parameters, format: "csv" })).blob();
}

export async function file(wish: Wish, format: "csv" | "svg"): Promise<Blob> {
  return (await ask("/series/data", { ...wish, format })).blob();
}
