// Dark or light: what the system says, unless the reader has chosen.
import { store } from "./store";

export type Theme = "light" | "dark";
const KEY = "nilometer.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

function current(): Theme {
  const chosen = localStorage.getItem(KEY);
  if (chosen === "light" || chosen === "dark") return chosen;
  return system.matches ? "dark" : "light";
}

export const theme = store<Theme>(current());

function show(): void {
  const next = current();
  document.documentElement.dataset["theme"] = next;
  theme.set(next);
}

export function follow(): void {
  show();
  system.addEventListener("change", show);
}

export function toggle(): void {
  const next: Theme = theme.get() === "dark" ? "light" : "dark";
  if (next === (system.matches ? "dark" : "light")) localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, next);
  show();
}

/** A colour of the theme, by the name of its variable. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export const SERIES_COLOURS = 10;

export function seriesColour(index: number): string {
  return `--series-${(index % SERIES_COLOURS) + 1}`;
}
