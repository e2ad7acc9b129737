// The rows themselves, the newest first.
import { useState } from "preact/hooks";
import { rows as ask, type StatisticRow } from "../../api/statistics";
import { full, short } from "../../lib/numbers";
import { moment, now } from "../../lib/times";
import { Busy, Wrong } from "../../parts/notes";
import { type Column, Table } from "../../parts/table";
import { useAsked } from "./changed";
import { Nothing } from "./nothing";
import type { DrawingProps } from "./one";
import { ofRows } from "./state";

const PAGE = 100;
/** More rows than these make a page slow; files have all. */
const MOST = 2000;

export function Rows({ shown, statistic, changed, change }: DrawingProps) {
  const [limit, setLimit] = useState(PAGE);
  const key = JSON.stringify([statistic.ident, ofRows(shown, statistic, 0), shown.range]);
  const { value, error, again } = useAsked(
    async (signal) => ({
      key,
      page: await ask(statistic.ident, { ...ofRows(shown, statistic, now()), limit }, signal),
    }),
    0,
    `${key} ${limit}`,
    changed,
  );
  if (value?.key !== key) return error ? <Wrong error={error} again={again} /> : <Busy what="Reading …" />;
  const { columns, rows, cursor } = value.page;
  if (rows.length === 0) return <Nothing shown={shown} statistic={statistic} change={change} />;
  const names = columns.filter((name) => name !== "timestamp");
  const made: Column<StatisticRow>[] = [
    { name: statistic.window ? "until" : "newest", cell: ({ timestamp }) => moment(timestamp) },
    ...names.map((name) => column(name, rows)),
  ];
  return (
    <>
      {error && <Wrong error={error} again={again} />}
      <Table
        label={`Rows of ${statistic.ident}`}
        columns={made}
        rows={rows}
        id={(row) => JSON.stringify([row.timestamp, ...statistic.keys.map((each) => row[each] ?? null)])}
      />
      {cursor && rows.length < MOST && (
        <button type="button" class="button older" onClick={() => setLimit(Math.min(rows.length + 4 * PAGE, MOST))}>
          More
        </button>
      )}
      {cursor && rows.length >= MOST && <p class="hint">The newest {full(MOST)}; the CSV has all.</p>}
    </>
  );
}

function column(name: string, rows: readonly StatisticRow[]): Column<StatisticRow> {
  const number = rows.some((row) => typeof row[name] === "number");
  return { name, number, cell: (row) => <Cell value={row[name] ?? null} /> };
}

function Cell({ value }: { value: string | number | null }) {
  if (value === null) return <>–</>;
  if (typeof value === "string") return <code>{value}</code>;
  return <>{Number.isInteger(value) ? full(value) : short(value)}</>;
}
