// The paths of the server's metrics about itself, which the overview draws.

export interface Names {
  counter(name: string): string;
  gauge(name: string): string;
}

/** Names below `prefix`, in the default tree of series. */
export function names(prefix = "nilometer"): Names {
  const below = prefix && `${prefix}.`;
  return {
    counter: (name) => `stats.counters.${below}${name}.rate`,
    gauge: (name) => `stats.gauges.${below}${name}`,
  };
}
