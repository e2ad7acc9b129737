// The paths of the server's metrics about itself, which the overview draws.

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
