// What happens now: headline figures, what is wrong, where flushes go, what was lost.
import { useMemo, useState } from "preact/hooks";
import type { Status } from "../../api/types";
import { type Columns, sum } from "../../lib/columns";
import { storeless, useHistory } from "../../lib/history";
import { names } from "../../lib/names";
import { full } from "../../lib/numbers";
import { length, type Range } from "../../lib/range";
import { Busy, Empty, Send, Wrong } from "../../parts/notes";
import { Panel } from "../../parts/panel";
import { Sinks } from "../../parts/sinks";
import { Table } from "../../parts/table";
import type { ViewProps } from "../views";
import { type Figure, figures } from "./figures";
import { Happened } from "./happened";
import { Rates } from "./rates";
import { Tile } from "./tile";

const HOUR: Range = { preset: "1h", zoom: null };
/** For a server that has not been up for longer. */
const QUARTER: Range = { preset: "15m", zoom: null };
const POINTS = 360;

export function Overview({ status }: ViewProps) {
  if (status.value === null)
    return status.error ? <Wrong error={status.error} again={status.again} /> : <Busy what="Asking the server …" />;
  return (
    <>
      <Problems problems={status.value.problems} />
      {status.value.metrics === null ? (
        <Rates status={status.value} />
      ) : (
        <Figures losses={Object.keys(status.value.losses)} uptime={status.value.uptime} own={status.value.metrics} />
      )}
      {status.value.events.store && <Happened />}
      <Panel title="Sinks">
        {status.value.sinks.length > 0 ? <Sinks sinks={status.value.sinks} /> : <Empty title="No sinks" />}
      </Panel>
      <Losses losses={status.value.losses} />
    </>
  );
}

function Problems({ problems }: { problems: readonly string[] }) {
  if (problems.length === 0)
    return (
      <p class="verdict good" role="status">
        All is well: what arrives is aggregated and handed on.
      </p>
    );
  return (
    <section class="verdict bad" aria-label="What is wrong now" role="alert">
      <h2>What is wrong now</h2>
      <ul>
        {problems.map((problem) => (
          <li key={problem}>{problem}</li>
        ))}
      </ul>
    </section>
  );
}

interface FiguresProps {
  losses: readonly string[];
  uptime: number;
  own: string;
}

function Figures({ losses, uptime, own }: FiguresProps) {
  const [range] = useState(uptime < length(QUARTER.preset) ? QUARTER : HOUR);
  const known = losses.join(" ");
  const shown = useMemo(() => figures(names(own), known.split(" ").filter(Boolean)), [known, own]);
  const paths = useMemo(() => shown.flatMap((figure) => figure.paths), [shown]);
  const history = useHistory(paths, range, POINTS, true);
  const [index, setIndex] = useState<number | null>(null);
  const parts = useMemo(() => split(shown, history.columns), [shown, history.columns]);
  const seen = index !== null && index < history.columns.times.length ? index : null;
  return (
    <>
      {history.error && !storeless(history.error) && <Wrong error={history.error} again={history.again} />}
      <div class="tiles">
        {shown.map((figure, place) => (
          <Tile
            key={figure.title}
            figure={figure}
            columns={parts[place] ?? history.columns}
            range={history.range}
            index={seen}
            onCursor={setIndex}
          />
        ))}
      </div>
      {storeless(history.error) && <p class="hint">The figures begin now: {history.error?.message}.</p>}
    </>
  );
}

/** Give each figure its column: the sum of its series, scaled. */
function split(shown: readonly Figure[], whole: Columns): Columns[] {
  let at = 0;
  return shown.map((figure) => {
    const mine = whole.values.slice(at, at + figure.paths.length);
    at += figure.paths.length;
    const added = mine.length === 1 ? (mine[0] ?? []) : sum(mine, whole.times.length);
    const values =
      figure.scale === 1 ? added : added.map((cell) => (typeof cell === "number" ? cell * figure.scale : cell));
    return { times: whole.times, values: [values] };
  });
}

function Losses({ losses }: Pick<Status, "losses">) {
  const rows = Object.entries(losses)
    .filter(([, lost]) => lost > 0)
    .sort(([, one], [, other]) => other - one);
  return (
    <Panel title="Losses since the start">
      {rows.length === 0 ? (
        <Empty title="Nothing was lost">
          <p>Whatever is dropped, at any stage, is counted here by its reason. Try a line that is wrong:</p>
          <Send text="hello:one|c" />
        </Empty>
      ) : (
        <Table
          label="Losses by reason"
          rows={rows}
          id={([name]) => name}
          columns={[
            { name: "Stage and reason", class: "wide", cell: ([name]) => name.replace(".", ": ").replaceAll("_", " ") },
            { name: "Lost", number: true, cell: ([, lost]) => full(lost) },
          ]}
        />
      )}
    </Panel>
  );
}
