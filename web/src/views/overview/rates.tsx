// The figures that the server's totals tell, from when the page was opened.
import { useEffect, useState } from "preact/hooks";
import type { Status } from "../../api/types";
import { bounds, type Range } from "../../lib/range";
import { figures } from "./figures";
import { Tile } from "./tile";
import { COUNTED, grown, NONE } from "./totals";

const SHOWN: Range = { preset: "15m", zoom: null };
const UNNAMED = { counter: () => "", gauge: () => "" };

export function Rates({ status }: { status: Status }) {
  const [rates, setRates] = useState(NONE);
  const [index, setIndex] = useState<number | null>(null);
  useEffect(() => setRates((before) => grown(before, status, bounds(SHOWN, status.time).from)), [status]);
  const { times } = rates.columns;
  const titles = Object.keys(COUNTED);
  const seen = index !== null && index < times.length ? index : null;
  return (
    <>
      <div class="tiles">
        {figures(UNNAMED, [])
          .filter((figure) => titles.includes(figure.title))
          .map((figure) => (
            <Tile
              key={figure.title}
              figure={figure}
              columns={{ times, values: [rates.columns.values[titles.indexOf(figure.title)] ?? []] }}
              range={bounds(SHOWN, status.time)}
              index={seen}
              onCursor={setIndex}
            />
          ))}
      </div>
      <p class="hint">
        The figures begin now: this server reports about itself as statsd does. Its own metrics are the series{" "}
        <code>*.packets_received</code> and the like.
      </p>
    </>
  );
}
