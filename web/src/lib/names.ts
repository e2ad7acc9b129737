// The names of series that views lead to or draw: the server's metrics about itself, and what events move.

export interface Names {
  counter(name: string): string;
  gauge(name: string): string;
}

/** Names as the server tells them, such as `nilometer.*;dc=east`, in the default tree of series. */
export function names(own: string): Names {
  const [pattern = "", ...tags] = own.split(";");
  const path = (before: string, name: string, after: string) =>
    [before + pattern.replace("*", name) + after, ...tags].join(";");
  return {
    counter: (name) => path("stats.counters.", name, ".rate"),
    gauge: (name) => path("stats.gauges.", name, ""),
  };
}

const ID = /(?<![0-9A-Za-z])(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16,}|[0-9]{6,})(?![0-9A-Za-z])/gi;
const FOREIGN = /[^A-Za-z0-9_.-]+/g;

/** The name of the counter that an event of a type moves, as it stands in the paths of its series. */
export function counterOf(type: string): string {
  return `events.${type.replace(ID, "id").replace(FOREIGN, "_")}`;
}
