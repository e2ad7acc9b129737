// The series explorer: found on the left, drawn on the right. The address holds all of its state.
import { useCallback, useMemo, useState } from "preact/hooks";
import { file } from "../../api/client";
import { useHistory } from "../../lib/history";
import { useKeys } from "../../lib/keys";
import { short } from "../../lib/numbers";
import { narrowed } from "../../lib/range";
import { go, parse } from "../../lib/route";
import { seriesColour } from "../../lib/theme";
import { clock, moment, span } from "../../lib/times";
import { useTyped } from "../../lib/typing";
import { Chart } from "../../parts/chart";
import { Legend } from "../../parts/legend";
import { Empty, Wrong } from "../../parts/notes";
import { Taking, Tools } from "../../parts/tools";
import type { ViewProps } from "../views";
import { Picker } from "./picker";
import { MOST, read, type Shown, toggled, write } from "./state";

const DAY = 86_400;
const NARROW = 700;

export function Explorer({ parameters }: ViewProps) {
  const address = parameters.toString();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text of the parameters is what counts
  const shown = useMemo(() => read(parameters), [address]);
  const change = useCallback((part: Partial<Shown>, replace = false) => {
    const latest = read(parse(location.hash).parameters);
    go("series", write({ ...latest, ...part }), replace);
  }, []);
  const [text, setText] = useTyped(shown.text, (typed) => change({ text: typed }, true));
  return (
    <div class="explorer">
      <Picker
        text={text}
        chosen={shown.paths}
        onText={setText}
        onToggle={(path) => change({ paths: toggled(read(parse(location.hash).parameters).paths, path) })}
      />
      <Drawn shown={shown} change={change} />
    </div>
  );
}

interface DrawnProps {
  shown: Shown;
  change: (part: Partial<Shown>, replace?: boolean) => void;
}

function Drawn({ shown, change }: DrawnProps) {
  const { paths, range, live } = shown;
  const points = Math.min(Math.max(Math.round(innerWidth), 300), 1500);
  const history = useHistory(paths, range, points, live);
  const [index, setIndex] = useState<number | null>(null);
  const [bright, setBright] = useState<number | null>(null);
  useKeys(
    useMemo(
      () => ({ l: () => change({ live: !live }), 0: () => change({ range: { ...range, zoom: null } }) }),
      [change, live, range],
    ),
  );
  const lines = useMemo(() => paths.map((path, place) => ({ label: path, colour: seriesColour(place) })), [paths]);
  const seen = index !== null && index < history.columns.times.length ? index : null;
  const at = seen === null ? null : (history.columns.times[seen] ?? null);
  const long = history.range.until - history.range.from > DAY;
  const wish = () => ({
    path: paths,
    from: Math.floor(history.range.from),
    until: Math.ceil(history.range.until),
    points,
  });
  return (
    <section class="drawn panel" aria-label="Chart">
      <header>
        <Tools
          range={range}
          live={live}
          onRange={(next) => change({ range: next })}
          onLive={(next) => change({ live: next }, true)}
        />
        {paths.length > 0 && (
          <Taking name="nilometer" files={{ csv: () => file(wish(), "csv"), svg: () => file(wish(), "svg") }} />
        )}
      </header>
      {history.error && <Wrong error={history.error} again={history.again} />}
      {paths.length === 0 ? (
        <Empty title="No series chosen">
          <p>
            Choose some from the list: click, or press <kbd>/</kbd>, type, move with <kbd>↓</kbd> and take with{" "}
            <kbd>Enter</kbd>. Up to {MOST} share one chart. Drag on the chart to zoom in; a double click shows all
            again.
          </p>
        </Empty>
      ) : (
        <>
          <Chart
            label={`Chart of ${paths.length} series, ${span(history.range.from, history.range.until)}; the table below tells their values`}
            columns={history.columns}
            lines={lines}
            range={history.range}
            height={innerWidth < NARROW ? 260 : Math.max(Math.min(Math.round(innerHeight * 0.5), 520), 240)}
            format={short}
            bright={bright}
            onCursor={setIndex}
            onZoom={(zoom) => change({ range: { ...range, zoom: narrowed(zoom) } })}
            onReset={() => range.zoom && change({ range: { ...range, zoom: null } })}
          />
          <Legend
            paths={paths}
            values={history.columns.values}
            index={seen}
            when={at === null ? "" : long ? moment(at) : clock(at)}
            onBright={setBright}
            onRemove={(path) => change({ paths: toggled(paths, path) })}
          />
        </>
      )}
    </section>
  );
}
