// The address after `#` is the whole state of the view: `#/series?s=…&range=1h`. Who opens the same address sees the same.
import { useEffect, useState } from "preact/hooks";

export interface Route {
  view: string;
  parameters: URLSearchParams;
}

export function parse(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#?\/?/, "").split(/\?(.*)/s);
  return { view: path, parameters: new URLSearchParams(query) };
}

export function address(view: string, parameters: URLSearchParams = new URLSearchParams()): string {
  const query = parameters.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
  return `#/${view}${query && `?${query}`}`;
}

/** Go there; `replace` leaves no step to go back to. */
export function go(view: string, parameters?: URLSearchParams, replace = false): void {
  const next = address(view, parameters);
  if (next === location.hash) return;
  if (!replace) {
    location.hash = next;
    return;
  }
  history.replaceState(null, "", next);
  dispatchEvent(new HashChangeEvent("hashchange"));
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parse(location.hash));
  useEffect(() => {
    const changed = () => setRoute(parse(location.hash));
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return route;
}
