// One headline figure: its name, its value now or under the cursor, and its last hour.

import type { Columns } from "../../lib/columns";
import type { Zoom } from "../../lib/range";
import { clock } from "../../lib/times";
import { Chart } from "../../parts/chart";
import type { Figure } from "./figures";

interface TileProps {
  figure: Figure;
  columns: Columns;
  range: Zoom;
  index: number | null;
  onCursor: (index: number | null) => void;
}

export function Tile({ figure, columns, range, index, onCursor }: TileProps) {
  const column = columns.values[0] ?? [];
  const at = index ?? column.findLastIndex((cell) => typeof cell === "number");
  const value = column[at] ?? null;
  const bad = figure.colour === "--series-bad" && (value ?? 0) > 0;
  const when = index === null ? "" : clock(columns.times[index] ?? 0);
  return (
    <section class="tile" aria-label={figure.title} title={figure.help}>
      <header>
        <h3>{figure.title}</h3>
        <span class="when">{when}</span>
      </header>
      <p class={`value ${bad ? "bad" : ""}`}>
        {figure.format(value)}
        {value !== null && <span class="unit">{figure.unit}</span>}
      </p>
      <Chart
        label={`${figure.title}, ${figure.help}: until now`}
        columns={columns}
        lines={[{ label: figure.title, colour: figure.colour, fill: true }]}
        range={range}
        height={92}
        small
        binary={figure.binary ?? false}
        format={figure.format}
        sync="overview"
        onCursor={onCursor}
      />
    </section>
  );
}
