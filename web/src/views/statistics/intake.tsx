// Where the messages come from: buses, what is filled from archives, and what the inbox holds.
import type { Fill, StatisticsStatus, Way } from "../../api/types";
import { ago, full, percent, seconds } from "../../lib/numbers";
import { moment } from "../../lib/times";
import { Panel } from "../../parts/panel";
import { Badge } from "../../parts/sinks";
import { type Column, Table } from "../../parts/table";

export function Intake({ status, now }: { status: StatisticsStatus; now: number }) {
  const { ways, fill, store, inbox, expired } = status;
  return (
    <Panel title="Messages" beside={<span class="aside">{held(inbox, now)}</span>}>
      {store?.error && (
        <p class="wrong" role="alert">
          {store.name}: {store.error}
        </p>
      )}
      {expired > 0 && (
        <p class="wrong" role="alert">
          {full(expired)} messages left the inbox before stopped statistics had seen them: their rows lack them.
        </p>
      )}
      {ways.length > 0 && <Ways ways={ways} now={now} />}
      {fill.length > 0 && <Filling fill={fill} />}
    </Panel>
  );
}

function held({ count, oldest }: StatisticsStatus["inbox"], now: number): string {
  if (count === 0) return "the inbox is empty";
  return `${full(count)} in the inbox${oldest === null ? "" : `, the oldest came ${ago(oldest, now)}`}`;
}

function Ways({ ways, now }: { ways: readonly Way[]; now: number }) {
  const columns: Column<Way>[] = [
    {
      name: "Bus",
      class: "wide",
      cell: (way) => (
        <>
          <code>{way.name}</code>
          {way.error && <p class="reason">{way.error}</p>}
        </>
      ),
    },
    {
      name: "State",
      cell: ({ error }) => (error ? <Badge health="bad" word="away" /> : <Badge health="good" word="listens" />),
    },
    { name: "Last message", number: true, cell: ({ last }) => ago(last, now) },
    { name: "Received", number: true, cell: ({ received }) => full(received) },
    { name: "Known before", number: true, cell: ({ duplicates }) => full(duplicates) },
    { name: "Not read", number: true, cell: ({ bad }) => <span class={bad ? "bad" : ""}>{full(bad)}</span> },
  ];
  return <Table label="Buses" columns={columns} rows={ways} id={({ name }) => name} />;
}

/** How far gaps are filled, for each archive. */
export function Filling({ fill }: { fill: readonly Fill[] }) {
  return (
    <ul class="filling" aria-label="Filled from archives">
      {fill.map((each) => (
        <li key={each.name}>
          <div>
            <code>{each.name}</code> <span class="aside">{told(each)}</span>
          </div>
          <progress aria-label={`Filled from ${each.name}`} max={1} value={share(each)} />
          {each.error && <p class="reason">{each.error}</p>}
        </li>
      ))}
    </ul>
  );
}

/** Which part of what is wanted is here. */
export function share({ missing, wanted }: Fill): number {
  return wanted > 0 ? Math.min(Math.max(1 - missing / wanted, 0), 1) : 1;
}

export function told(fill: Fill): string {
  const counts = `${full(fill.new)} new, ${full(fill.known)} known`;
  const bad = fill.bad ? `, ${full(fill.bad)} not read` : "";
  if (fill.missing <= 0) return `filled: ${counts}${bad}`;
  const at = fill.at === null ? "" : `, now at ${moment(fill.at)}`;
  return `${percent(Math.floor(share(fill) * 1000) / 10)} filled, ${seconds(fill.missing)} missing${at}: ${counts}${bad}`;
}
