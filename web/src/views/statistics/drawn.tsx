// A statistic over time: lines, or bars that stand on each other, and below them what each series comes to.
import { useMemo, useState } from "preact/hooks";
import { chart as ask, type ChartData, type ChartSeries } from "../../api/statistics";
import type { Columns } from "../../lib/columns";
import { full, short } from "../../lib/numbers";
import { bounds, narrowed, type Zoom } from "../../lib/range";
import { useNarrow } from "../../lib/screen";
import { heaped } from "../../lib/stack";
import { seriesColour } from "../../lib/theme";
import { now, span } from "../../lib/times";
import { Chart } from "../../parts/chart";
import { Busy, Wrong } from "../../parts/notes";
import { useAsked } from "./changed";
import { Nothing } from "./nothing";
import type { DrawingProps } from "./one";
import { demanded, ofChart } from "./state";

/** Series that are told apart. */
const MOST = 8;
/** Seconds after which a chart that ends now has moved. */
const SECONDS = 60;
const NARROW = 700;

export function Drawn({ shown, statistic, changed, change }: DrawingProps) {
  const key = JSON.stringify([statistic.ident, ofChart(shown, 0, MOST), shown.range]);
  const { value, error, again } = useAsked(
    async (signal) => {
      const at = now();
      return { key, at, data: await ask(statistic.ident, ofChart(shown, at, MOST), signal) };
    },
    shown.range.zoom || !shown.live ? 0 : SECONDS,
    key,
    changed,
  );
  const mine = value?.key === key ? value : null;
  if (mine === null) return error ? <Wrong error={error} again={again} /> : <Busy what="Adding up …" />;
  const empty = mine.data.series.every(({ values }) => values.every((cell) => !cell));
  return (
    <>
      {error && <Wrong error={error} again={again} />}
      <OverTime data={mine.data} at={mine.at} shown={shown} change={change} sums={statistic.kind === "sum"} />
      {empty && <Nothing shown={shown} statistic={statistic} change={change} />}
    </>
  );
}

interface OverTimeProps extends Pick<DrawingProps, "shown" | "change"> {
  data: ChartData;
  /** When it was asked for. */
  at: number;
  /** Whether values add up. */
  sums: boolean;
}

function OverTime({ data, at, shown, change, sums }: OverTimeProps) {
  const bars = shown.drawing === "bars";
  const [index, setIndex] = useState<number | null>(null);
  const [bright, setBright] = useState<number | null>(null);
  const narrow = useNarrow(NARROW);
  const columns = useMemo(() => drawnOf(data, bars), [data, bars]);
  const range = whole(data, bounds(shown.range, at));
  const colours = data.series.map(colour).join(" ");
  const lines = useMemo(() => {
    const made = colours
      .split(" ")
      .filter(Boolean)
      .map((each) => ({ label: each, colour: each }));
    return bars ? made.reverse() : made;
  }, [colours, bars]);
  const seen = index !== null && index < data.begins.length ? index : null;
  return (
    <>
      <p class="aside when" role="status">
        {said(data, seen, sums)}
      </p>
      <Chart
        key={bars ? "bars" : "lines"}
        label={`${data.ident} over time, in windows of ${data.group}; the list below tells each series`}
        columns={columns}
        lines={lines}
        range={range}
        height={narrow ? 200 : 300}
        bars={bars}
        format={short}
        bright={bars ? null : bright}
        onCursor={setIndex}
        onZoom={(zoom) => change({ range: { ...shown.range, zoom: narrowed(zoom) } })}
        onReset={() => shown.range.zoom && change({ range: { ...shown.range, zoom: null } })}
      />
      <ul class="keyed whole" aria-label="Series" onMouseLeave={() => setBright(null)}>
        {data.series.map((series, place) => (
          <li key={JSON.stringify(series.key)} onMouseEnter={() => setBright(place)}>
            <One
              series={series}
              colour={colour(series, place)}
              value={seen === null ? (sums ? series.total : last(series)) : (series.values[seen] ?? null)}
              onKey={(named) => change({ words: demanded(shown.words, named) })}
            />
          </li>
        ))}
      </ul>
      {data.left_out > 0 && <p class="hint">{full(data.left_out)} more series are not drawn.</p>}
    </>
  );
}

function One({
  series,
  colour: swatch,
  value,
  onKey,
}: {
  series: ChartSeries;
  colour: string;
  value: number | null;
  onKey: (key: Record<string, string | null>) => void;
}) {
  const { key, name } = series;
  const told = (
    <>
      <span class="swatch" style={{ background: `var(${swatch})` }} />
      <code>{name}</code>
      <span class="muted">{short(value)}</span>
    </>
  );
  if (key === null || Object.keys(key).length === 0) return <span class="chip">{told}</span>;
  return (
    <button type="button" class="chip" title={`Only ${name}`} onClick={() => onKey(key)}>
      {told}
    </button>
  );
}

function colour({ key }: ChartSeries, place: number): string {
  return key === null ? "--muted" : seriesColour(place);
}

/** Columns as they are drawn: a bar from its window's begin, a point in its middle. */
function drawnOf({ begins, times, series }: ChartData, bars: boolean): Columns {
  const values = series.map((each) => each.values);
  if (bars) return heaped({ times: begins, values });
  return { times: begins.map((begin, index) => (begin + (times[index] ?? begin)) / 2), values };
}

/** The range in whole windows. */
function whole({ begins, times }: ChartData, range: Zoom): Zoom {
  return {
    from: Math.min(begins[0] ?? range.from, range.from),
    until: Math.max(times.at(-1) ?? range.until, range.until),
  };
}

/** The last value that there is. */
function last({ values }: ChartSeries): number | null {
  return values.findLast((value) => value !== null) ?? null;
}

/** What is seen: how many in all, where values add up, and when. */
function said({ begins, times, series, group }: ChartData, seen: number | null, sums: boolean): string {
  const [begin, end] = seen === null ? [begins[0], times.at(-1)] : [begins[seen], times[seen]];
  if (begin === undefined || end === undefined) return "";
  const parts = series.map((each) => (seen === null ? each.total : each.values[seen]) ?? 0);
  const sum = parts.reduce((one, other) => one + other, 0);
  const when = seen === null ? `${span(begin, end)}, windows of ${group}` : span(begin, end);
  return sums ? `${full(Math.round(sum * 1000) / 1000)}: ${when}` : when;
}
