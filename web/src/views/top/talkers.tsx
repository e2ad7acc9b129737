// Who sends the most, over the last finished window and the open one, and what is refused.
import type { ComponentChildren } from "preact";
import { top } from "../../api/client";
import type { Top } from "../../api/types";
import { full } from "../../lib/numbers";
import { usePoll } from "../../lib/poll";
import { address } from "../../lib/route";
import { Busy, Empty, FirstMetric, Shell, Wrong } from "../../parts/notes";
import { Panel } from "../../parts/panel";
import { Share } from "../../parts/share";
import { type Column, Table } from "../../parts/table";

const MOST = 25;
const SECONDS = 3;

export function Talkers() {
  const { value, error, again } = usePoll((signal) => top(MOST, signal), SECONDS);
  if (value === null) return error ? <Wrong error={error} again={again} /> : <Busy what="Asking the server …" />;
  return (
    <>
      {error && <Wrong error={error} again={again} />}
      <div class="pair">
        <Panel title="Busiest names" beside={<span class="aside">values in the last window and the open one</span>}>
          <Names rows={value.names} />
        </Panel>
        <Panel title="Busiest sources" beside={<span class="aside">lines by address</span>}>
          <Sources rows={value.sources} />
        </Panel>
      </div>
      <Panel
        title="Refused"
        beside={<span class="aside">values by source and reason, with the first line of each</span>}
      >
        <Refused rows={value.refused} />
      </Panel>
    </>
  );
}

function listed<Row>(
  rows: readonly Row[],
  empty: ComponentChildren,
  table: () => ComponentChildren,
): ComponentChildren {
  return rows.length === 0 ? empty : table();
}

function Names({ rows }: { rows: Top["names"] }) {
  const all = rows.reduce((sum, row) => sum + row.updates, 0);
  const columns: Column<Top["names"][number]>[] = [
    {
      name: "Name",
      class: "wide",
      cell: (row) => <a href={address("series", new URLSearchParams({ q: row.key.split(";")[0] ?? "" }))}>{row.key}</a>,
    },
    { name: "Kind", cell: (row) => row.kind },
    { name: "Values", number: true, cell: (row) => <Share part={row.updates} whole={all} /> },
  ];
  return listed(rows, <FirstMetric />, () => (
    <Table label="Busiest names" columns={columns} rows={rows} id={(row) => `${row.kind} ${row.key}`} />
  ));
}

function Sources({ rows }: { rows: Top["sources"] }) {
  const all = rows.reduce((sum, row) => sum + row.lines, 0);
  const columns: Column<Top["sources"][number]>[] = [
    { name: "Source", class: "wide", cell: (row) => <code>{row.source}</code> },
    { name: "Lines", number: true, cell: (row) => <Share part={row.lines} whole={all} /> },
  ];
  return listed(rows, <Empty title="Nobody sends just now" />, () => (
    <Table label="Busiest sources" columns={columns} rows={rows} id={(row) => row.source} />
  ));
}

function Refused({ rows }: { rows: Top["refused"] }) {
  const columns: Column<Top["refused"][number]>[] = [
    { name: "Source", cell: (row) => <code>{row.source}</code> },
    { name: "Reason", cell: (row) => row.reason.replaceAll("_", " ") },
    { name: "First line", class: "wide", cell: (row) => <code>{row.line}</code> },
    { name: "Refused", number: true, cell: (row) => full(row.refused) },
  ];
  const empty = (
    <Empty title="Nothing was refused">
      <p>
        A line that is wrong would stand here with its sender and the reason. To see why one is, without sending it:
      </p>
      <Shell text="echo 'hello:one|c' | nilometer parse" />
    </Empty>
  );
  return listed(rows, empty, () => (
    <Table label="Refused values" columns={columns} rows={rows} id={(row) => `${row.source} ${row.reason}`} />
  ));
}
