// A chart of lines or bars over time: uPlot inside, told what to draw by properties.
//
// Dragging hands a range over, a double click asks for the whole one; what is then drawn, the owner decides.
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { type Cell, type Columns, lone } from "../lib/columns";
import type { Zoom } from "../lib/range";
import { useStore } from "../lib/store";
import { colour, theme } from "../lib/theme";
import { tick } from "../lib/times";

export interface Line {
  label: string;
  /** The name of a variable of the theme. */
  colour: string;
  fill?: boolean;
}

export interface ChartProps {
  label: string;
  columns: Columns;
  lines: readonly Line[];
  range: Zoom;
  height: number;
  small?: boolean;
  /** Each value is a bar that begins at its time. */
  bars?: boolean;
  /** The values are bytes: ticks stand at powers of two. */
  binary?: boolean;
  format: (value: number | null) => string;
  /** Charts of one name show the same moment under the cursor. */
  sync?: string;
  bright?: number | null;
  onCursor?: (index: number | null) => void;
  onZoom?: (zoom: Zoom) => void;
  onReset?: () => void;
}

type Latest = { current: ChartProps };
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const SMALLEST_DRAG = 4;
const BINARY = Array.from({ length: 60 }, (_, power) => 2 ** power);

function axes(latest: Latest): uPlot.Axis[] {
  const { small, binary } = latest.current;
  const shared = {
    stroke: colour("--muted"),
    font: `${small ? 10.5 : 11.5}px ${FONT}`,
    grid: { stroke: colour("--grid"), width: 1 },
    ticks: { show: false },
  };
  return [
    {
      ...shared,
      space: small ? 60 : 80,
      size: small ? 20 : 26,
      gap: 4,
      grid: { ...shared.grid, show: !small },
      values: (_, splits, _axis, _space, step) => splits.map((time) => tick(time, step)),
    },
    {
      ...shared,
      space: small ? 26 : 36,
      size: (_, labels) =>
        Math.max(small ? 40 : 46, 14 + 6.6 * Math.max(...(labels ?? [""]).map((label) => label.length))),
      ...(binary ? { incrs: BINARY } : {}),
      gap: 6,
      values: (_, splits) => splits.map((value) => latest.current.format(value)),
    },
  ];
}

function bar(each: Line): uPlot.Series {
  const paths = uPlot.paths.bars?.({ size: [0.82, 40, 1], align: 1 });
  return {
    label: each.label,
    fill: colour(each.colour),
    width: 0,
    points: { show: false },
    ...(paths ? { paths } : {}),
  };
}

function line(each: Line): uPlot.Series {
  const stroke = colour(each.colour);
  return {
    label: each.label,
    stroke,
    width: 1.5,
    points: {
      size: 5,
      fill: stroke,
      filter: (plot, index, all) => (all ? null : lone(plot.data[index] as readonly Cell[])),
    },
    ...(each.fill ? { fill: `color-mix(in srgb, ${stroke} 12%, transparent)` } : {}),
  };
}

/** Leave some air above, and show zero unless all values are far from it; an area always stands on it. */
function vertical(least: number | null, most: number | null, area: boolean): [number, number] {
  if (least === null || most === null || !Number.isFinite(least) || (least === 0 && most === 0)) return [0, 1];
  const low = least >= 0 && (area || least <= most * 0.6) ? 0 : least;
  const room = (most - low || Math.abs(most) || 1) * 0.08;
  return [low === 0 ? 0 : low - room, most + room];
}

function bindings(latest: Latest): NonNullable<uPlot.Cursor["bind"]> {
  return {
    dblclick: () => () => {
      latest.current.onReset?.();
      return null;
    },
  };
}

function cursor(latest: Latest): uPlot.Cursor {
  const { sync, small, bars, onZoom } = latest.current;
  return {
    bind: bindings(latest),
    drag: { x: Boolean(onZoom), y: false, setScale: false },
    focus: { prox: small ? -1 : 24 },
    points: bars ? { show: false } : { size: small ? 6 : 8 },
    y: !small,
    ...(bars ? { dataIdx: begun } : {}),
    ...(sync ? { sync: { key: sync, setSeries: false } } : {}),
  };
}

/** The bar that a place lies in, where the nearest beginning may be that of the next. */
function begun(plot: uPlot, _series: number, nearest: number, place: number): number {
  return (plot.data[0][nearest] ?? place) > place ? Math.max(nearest - 1, 0) : nearest;
}

function zoomed(latest: Latest, plot: uPlot): void {
  const { left, width } = plot.select;
  if (width < SMALLEST_DRAG) return;
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  latest.current.onZoom?.({ from: plot.posToVal(left, "x"), until: plot.posToVal(left + width, "x") });
}

function options(latest: Latest, width: number): uPlot.Options {
  const { height, lines, small, bars = false } = latest.current;
  return {
    width,
    height,
    padding: [small ? 6 : 10, 18, 0, 0],
    legend: { show: false },
    focus: { alpha: 0.25 },
    cursor: cursor(latest),
    scales: {
      x: { time: true, range: () => [latest.current.range.from, latest.current.range.until] },
      y: {
        range: (_, least, most) => vertical(least, most, bars || lines.some((each) => each.fill)),
      },
    },
    axes: axes(latest),
    series: [{}, ...lines.map(bars ? bar : line)],
    hooks: {
      setCursor: [(plot) => latest.current.onCursor?.((bars ? plot.cursor.idxs?.[1] : plot.cursor.idx) ?? null)],
      setSelect: [(plot) => zoomed(latest, plot)],
    },
  };
}

function table(columns: Columns): uPlot.AlignedData {
  return [columns.times, ...(columns.values as Cell[][])] as uPlot.AlignedData;
}

export function Chart(properties: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(properties);
  latest.current = properties;
  const shown = useStore(theme);
  const { columns, lines, height, range, bright } = properties;
  const kind = JSON.stringify([lines, shown, height]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: drawn anew when lines, theme or height change
  useEffect(() => {
    const box = place.current;
    if (!box) return;
    const made = new uPlot(options(latest, box.clientWidth), table(latest.current.columns), box);
    plot.current = made;
    const watch = new ResizeObserver(() => {
      if (box.clientWidth && box.clientWidth !== made.width) made.setSize({ width: box.clientWidth, height });
    });
    watch.observe(box);
    return () => {
      watch.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [kind]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the range is read when the data is set
  useEffect(() => {
    if (plot.current?.series.length === columns.values.length + 1) plot.current.setData(table(columns));
  }, [columns, range.from, range.until]);

  useEffect(() => {
    plot.current?.setSeries(bright === null || bright === undefined ? null : bright + 1, { focus: true });
  }, [bright]);

  return <div class="chart" ref={place} role="img" aria-label={properties.label} style={{ height: `${height}px` }} />;
}
