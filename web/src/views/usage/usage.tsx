// Who uses how much: reads, writes and storage over a period, by service, domain or project.
import { useMemo, useState } from "preact/hooks";
import { usage as ask, usageFile } from "../../api/client";
import type { UsageRow } from "../../api/types";
import { full, short } from "../../lib/numbers";
import { usePoll } from "../../lib/poll";
import { go } from "../../lib/route";
import { useNarrow } from "../../lib/screen";
import { heaped, OTHERS, stack } from "../../lib/stack";
import { seriesColour } from "../../lib/theme";
import { now, span } from "../../lib/times";
import { amounts, BY, FIGURES, type Figure, greatest } from "../../lib/usage";
import { Chart } from "../../parts/chart";
import { Busy, Empty, Shell, Wrong } from "../../parts/notes";
import { Panel } from "../../parts/panel";
import { named, Segments } from "../../parts/segments";
import { type Column, Table } from "../../parts/table";
import { Taking } from "../../parts/tools";
import { NoStore } from "../events/first";
import type { ViewProps } from "../views";
import { bounds, PERIODS, read, type Shown, stepOf, write } from "./state";

const MOST = 8;
/** Rows of the table. */
const LISTED = 200;
const SECONDS = 60;
const NOTHING: readonly UsageRow[] = [];
const NARROW = 700;
export function Usage({ parameters, status }: ViewProps) {
  const { value, error, again } = status;
  if (value === null) return error ? <Wrong error={error} again={again} /> : <Busy what="Asking the server …" />;
  return value.events.store ? <Added parameters={parameters} /> : <NoStore />;
}

function Added({ parameters }: Pick<ViewProps, "parameters">) {
  const address = parameters.toString();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text of the parameters is what counts
  const shown = useMemo(() => read(parameters), [address]);
  const change = (part: Partial<Shown>) => go("usage", write({ ...shown, ...part }), true);
  const [at, setAt] = useState(now);
  const range = useMemo(() => bounds(shown.period, at), [shown.period, at]);
  const { value, error, again } = usePoll(
    async (signal) => {
      const time = now();
      const { from, until } = bounds(shown.period, time);
      const [slots, whole] = await Promise.all([
        ask({ since: from, until, by: [shown.by], step: stepOf(shown.period) }, signal),
        ask({ since: from, until }, signal),
      ]);
      setAt(time);
      return { slots: slots.totals, whole: whole.totals, by: shown.by, period: shown.period };
    },
    SECONDS,
    shown.period + shown.by,
  );
  const mine = value?.period === shown.period ? value : null;
  const { from, until } = range;
  const files = { csv: () => usageFile({ since: from, until, step: stepOf(shown.period) }) };
  return (
    <>
      <section class="panel asking" aria-label="Period">
        <div class="ranging">
          <Segments label="Period" all={PERIODS} value={shown.period} onChange={(period) => change({ period })} />
          <Taking name="usage" files={files} />
        </div>
        <p class="aside">{span(from, until)}</p>
      </section>
      {error && <Wrong error={error} again={again} />}
      {mine === null && !error && <Busy what="Adding up …" />}
      {mine?.whole.length === 0 && <None />}
      {mine && mine.whole.length > 0 && (
        <>
          <Drawn rows={mine.by === shown.by ? mine.slots : NOTHING} shown={shown} range={range} onChange={change} />
          <Totals rows={mine.whole} figure={shown.figure} />
        </>
      )}
    </>
  );
}

interface DrawnProps {
  rows: readonly UsageRow[];
  shown: Shown;
  range: ReturnType<typeof bounds>;
  onChange: (part: Partial<Shown>) => void;
}

function Drawn({ rows, shown, range, onChange }: DrawnProps) {
  const { by, figure, period } = shown;
  const [index, setIndex] = useState<number | null>(null);
  const narrow = useNarrow(NARROW);
  const step = stepOf(period);
  const made = useMemo(() => stack(amounts(rows, by, figure), range, step, MOST), [rows, by, figure, range, step]);
  const heaps = useMemo(() => heaped(made.columns), [made]);
  const colours = made.keys.map((key, place) => (key === OTHERS ? "--muted" : seriesColour(place))).join(" ");
  const lines = useMemo(
    () =>
      colours
        .split(" ")
        .filter(Boolean)
        .map((colour) => ({ label: colour, colour }))
        .reverse(),
    [colours],
  );
  const seen = index !== null && index < heaps.times.length ? index : null;
  const at = seen === null ? null : (heaps.times[seen] ?? null);
  return (
    <section class="panel counts" aria-label="Over time">
      <div class="counts-head">
        <Segments
          label="What is drawn"
          all={named(FIGURES)}
          value={figure}
          onChange={(next) => onChange({ figure: next })}
        />
        <span class="aside">{at === null ? "" : span(at, at + step)}</span>
        <Segments label="Told apart by" all={named(BY)} value={by} onChange={(next) => onChange({ by: next })} />
      </div>
      <Chart
        label={`${figure} over time by ${by}; the list below tells each`}
        columns={heaps}
        lines={lines}
        range={range}
        height={narrow ? 160 : 240}
        bars
        format={short}
        onCursor={setIndex}
      />
      <ul class="keyed whole" aria-label={`${figure} by ${by}`}>
        {made.keys.map((key, place) => (
          <li key={key}>
            <span class="chip">
              <span class="swatch" style={{ background: `var(${colours.split(" ")[place]})` }} />
              <code>{key}</code>
              <span class="muted">
                {short(seen === null ? made.totals[place] : made.columns.values[place]?.[seen])}
                {figure === "storage" && " GB h"}
              </span>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function listed(rows: number, figure: Figure): string {
  return rows > LISTED
    ? `the ${LISTED} with the most ${figure}, of ${full(rows)}; the CSV has all`
    : "by service, domain and project";
}

function Totals({ rows, figure }: { rows: readonly UsageRow[]; figure: Figure }) {
  const all = useMemo(() => greatest(rows, figure), [rows, figure]);
  const columns: Column<UsageRow>[] = [
    { name: "Service", class: "title", cell: (row) => row.service || "–" },
    { name: "Domain", cell: (row) => row.domain || "–" },
    { name: "Project", cell: (row) => <code>{row.project || "–"}</code> },
    { name: "Reads", number: true, cell: (row) => full(row.reads) },
    { name: "Writes", number: true, cell: (row) => full(row.writes) },
    { name: "Storage, GB h", number: true, cell: (row) => short(row.storage_gb_hours) },
    { name: "Events", number: true, cell: (row) => full(row.events) },
  ];
  return (
    <Panel title="Totals" beside={<span class="aside">{listed(all.length, figure)}</span>}>
      <Table
        label="Usage"
        columns={columns}
        rows={all.slice(0, LISTED)}
        id={(row) => JSON.stringify([row.service, row.domain, row.project])}
      />
    </Panel>
  );
}

function None() {
  return (
    <section class="panel" aria-label="Usage">
      <Empty title="No usage in this period">
        <p>
          Reads and writes are added up from the events that tell of them; storage from those of the usage audit, in
          gigabyte hours. An event that counts as three rows written:
        </p>
        <Shell text={`nilometer events send magnetodb.data.putitem --tenant acme --payload '{"rows_impacted":3}'`} />
      </Empty>
    </section>
  );
}
