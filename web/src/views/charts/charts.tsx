// Several charts, one below or beside the other, that share the time. The address holds all of it: a link is a dashboard.
import { useCallback, useMemo, useState } from "preact/hooks";
import type { Columns } from "../../lib/columns";
import { useHistory } from "../../lib/history";
import { short } from "../../lib/numbers";
import { narrowed, type Range, type Zoom } from "../../lib/range";
import { address, go, parse } from "../../lib/route";
import { seriesColour } from "../../lib/theme";
import { clock } from "../../lib/times";
import { Chart } from "../../parts/chart";
import { Legend } from "../../parts/legend";
import { Empty, Wrong } from "../../parts/notes";
import { Panel } from "../../parts/panel";
import { Tools } from "../../parts/tools";
import { write as explored } from "../explorer/state";
import type { ViewProps } from "../views";
import { apart, type Drawing, read, type Shown, write } from "./state";

const POINTS = 600;
const HEIGHT = 210;
/** The server tells a connection that many series as they are flushed. */
const MOST_LIVE = 100;

export function Charts({ parameters }: ViewProps) {
  const address = parameters.toString();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text of the parameters is what counts
  const shown = useMemo(() => read(parameters), [address]);
  const change = useCallback((part: Partial<Shown>) => {
    const latest = read(parse(location.hash).parameters);
    go("charts", write({ ...latest, ...part }), true);
  }, []);
  const paths = useMemo(() => together(shown.drawings), [shown]);
  const history = useHistory(paths, shown.range, POINTS, shown.live); // one for all: browsers allow few connections
  if (shown.drawings.length === 0)
    return (
      <Empty title="No charts">
        <p>
          The address names them, each by a title and the paths of its series:{" "}
          <code>#/charts?chart=Load&amp;s=stats.gauges.load&amp;range=1h</code>
        </p>
      </Empty>
    );
  return (
    <>
      <Tools
        range={shown.range}
        live={shown.live}
        onRange={(range) => change({ range })}
        onLive={(live) => change({ live })}
      />
      {history.error && <Wrong error={history.error} again={history.again} />}
      <div class="charts">
        {shown.drawings.map((drawing, place) => (
          <One
            key={`${place} ${drawing.title}`}
            drawing={drawing}
            columns={{
              times: history.columns.times,
              values: drawing.paths.map((path) => history.columns.values[paths.indexOf(path)] ?? []),
            }}
            seconds={history.range}
            shown={shown}
            onRange={(range) => change({ range })}
          />
        ))}
      </div>
    </>
  );
}

/** The series of all charts, each once. */
function together(drawings: readonly Drawing[]): string[] {
  return [...new Set(drawings.flatMap((drawing) => drawing.paths))].slice(0, MOST_LIVE);
}

interface OneProps {
  drawing: Drawing;
  columns: Columns;
  seconds: Zoom;
  shown: Shown;
  onRange: (range: Range) => void;
}

function One({ drawing, columns, seconds, shown, onRange }: OneProps) {
  const { title, paths } = drawing;
  const { range, live } = shown;
  const [index, setIndex] = useState<number | null>(null);
  const [bright, setBright] = useState<number | null>(null);
  const lines = useMemo(() => paths.map((path, place) => ({ label: path, colour: seriesColour(place) })), [paths]);
  const names = useMemo(() => apart(paths), [paths]);
  const seen = index !== null && index < columns.times.length ? index : null;
  const at = seen === null ? null : (columns.times[seen] ?? null);
  const series = address("series", explored({ text: "", paths, range, live }));
  return (
    <Panel title={title} beside={<a href={series}>series</a>}>
      <Chart
        label={`${title}: ${paths.length} series; the table below tells their values`}
        columns={columns}
        lines={lines}
        range={seconds}
        height={HEIGHT}
        format={short}
        sync="charts"
        bright={bright}
        onCursor={setIndex}
        onZoom={(zoom) => onRange({ ...range, zoom: narrowed(zoom) })}
        onReset={() => range.zoom && onRange({ ...range, zoom: null })}
      />
      <Legend
        paths={paths}
        label={`Series of ${title}`}
        names={names}
        values={columns.values}
        index={seen}
        when={at === null ? "" : clock(at)}
        onBright={setBright}
      />
    </Panel>
  );
}
