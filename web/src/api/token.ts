// The access token: asked for once, kept for as long as the tab is open, never part of an address.
import { store } from "../lib/store";

const KEY = "nilometer.token";

/** What the server wants to be told: nothing, a token, or another one than was given. */
export type Wanted = "nothing" | "token" | "another";

export const wanted = store<Wanted>("nothing");
/** Counts the tokens that were given: what failed for lack of one is asked again. */
export const given = store(0);

export function token(): string {
  return sessionStorage.getItem(KEY) ?? "";
}

export function give(text: string): void {
  sessionStorage.setItem(KEY, text.trim());
  wanted.set("nothing");
  given.set(given.get() + 1);
}

/** The server refused what was sent. */
export function refuse(sent: string): void {
  if (sent !== token()) return; // another has been given meanwhile
  sessionStorage.removeItem(KEY);
  wanted.set(sent ? "another" : "token");
}
