// How the server is: what it is, where it listens, where it writes, what it forwards, and its bounds.
import { config } from "../../api/client";
import type { EventsStatus, Listener, Status, Target, Way } from "../../api/types";
import { ago, bytes, full, seconds } from "../../lib/numbers";
import { useNow, usePoll } from "../../lib/poll";
import { address } from "../../lib/route";
import { Busy, Empty, Wrong } from "../../parts/notes";
import { Panel } from "../../parts/panel";
import { Badge, Sinks } from "../../parts/sinks";
import { type Column, Table } from "../../parts/table";
import type { ViewProps } from "../views";

export function StatusView({ status }: ViewProps) {
  const { value, error, again } = status;
  if (value === null) return error ? <Wrong error={error} again={again} /> : <Busy what="Asking the server …" />;
  return (
    <>
      <Facts status={value} />
      <Panel title="Listeners">
        <Listeners listeners={value.listeners} />
      </Panel>
      <Panel title="Sinks" beside={<span class="aside">{history(value.history)}</span>}>
        <Sinks sinks={value.sinks} />
      </Panel>
      <Ways events={value.events} />
      {value.relay.length > 0 && (
        <Panel title="Relay">
          <Relay targets={value.relay} />
        </Panel>
      )}
      <Panel
        title="Limits"
        class="facts"
        beside={<a href={address("settings", new URLSearchParams({ q: "limits" }))}>settings</a>}
      >
        <Limits />
      </Panel>
    </>
  );
}

/** Where series are read from, without what the sink's own line tells. */
function history(url: string | null): string {
  return url === null ? "no sink gives series back; add one such as sqlite:///" : `series are read from ${url}`;
}

function Facts({ status }: { status: Status }) {
  const { totals } = status;
  const told: [string, string][] = [
    ["Version", status.version],
    ["Kernel", status.kernel],
    ["Up for", seconds(status.uptime)],
    ["Health", status.health],
    ["Flushes every", seconds(status.interval)],
    ["Lines", full(totals.lines)],
    ["Packets", full(totals.packets)],
    ["Bytes", bytes(totals.bytes)],
    ["Bad lines", full(totals.bad_lines)],
    ["Last packet", totals.packets ? `${seconds(totals.idle_seconds)} ago` : "none yet"],
  ];
  return (
    <Panel title="Server" class="facts">
      <dl>
        {told.map(([name, text]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}

function Listeners({ listeners }: { listeners: readonly Listener[] }) {
  if (listeners.length === 0) return <Empty title="Nothing listens" />;
  const columns: Column<Listener>[] = [
    { name: "Listener", class: "wide", cell: (each) => <code>{each.url}</code> },
    {
      name: "Addresses",
      cell: (each) => <code>{each.addresses.map((address) => address.replace(/^.*:\/\//, "")).join(", ")}</code>,
    },
    { name: "Receive buffer", number: true, cell: (each) => bytes(each.buffer) },
  ];
  return <Table label="Listeners" columns={columns} rows={listeners} id={(each) => each.url} />;
}

/** Where events come from; nothing until one has come, or a bus is asked for them. */
function Ways({ events: { ways, store } }: { events: EventsStatus }) {
  const now = useNow();
  const used = ways.filter((way) => way.received > 0 || way.bad > 0 || way.name.includes("://"));
  if (used.length === 0) return null;
  const columns: Column<Way>[] = [
    {
      name: "From",
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
      cell: (way) => (way.error ? <Badge health="bad" word="away" /> : <Badge health="good" word="takes" />),
    },
    { name: "Last", number: true, cell: (way) => ago(way.last, now) },
    { name: "Received", number: true, cell: (way) => full(way.received) },
    { name: "New", number: true, cell: (way) => full(way.stored) },
    { name: "Known before", number: true, cell: (way) => full(way.duplicates) },
    { name: "Waiting", number: true, cell: (way) => full(way.waiting) },
    { name: "Bad", number: true, cell: (way) => <span class={way.bad ? "bad" : ""}>{full(way.bad)}</span> },
  ];
  const kept = store ? `kept in ${store.name}` : "not kept: events.store is none";
  return (
    <Panel title="Events" beside={<span class="aside">{kept}</span>}>
      {store?.error && <p class="wrong">{store.error}</p>}
      <Table label="Where events come from" columns={columns} rows={used} id={(way) => way.name} />
    </Panel>
  );
}

function Relay({ targets }: { targets: readonly Target[] }) {
  const columns: Column<Target>[] = [
    {
      name: "Target",
      class: "wide",
      cell: (each) => (
        <>
          <code>{each.name}</code>
          {each.error && <p class="reason">{each.error}</p>}
        </>
      ),
    },
    {
      name: "State",
      cell: (each) => (each.up ? <Badge health="good" word="up" /> : <Badge health="bad" word="away" />),
    },
    { name: "Packets", number: true, cell: (each) => full(each.sent) },
    { name: "Bytes", number: true, cell: (each) => bytes(each.bytes) },
    { name: "Lost", number: true, cell: (each) => <span class={each.lost ? "bad" : ""}>{full(each.lost)}</span> },
  ];
  return (
    <Table label="Servers that packets are forwarded to" columns={columns} rows={targets} id={(each) => each.name} />
  );
}

function Limits() {
  const { value, error, again } = usePoll(config, 0);
  if (value === null) return error ? <Wrong error={error} again={again} /> : <Busy what="Asking the server …" />;
  const limits = Object.entries(value.settings).filter(([name]) => name.startsWith("limits."));
  return (
    <dl>
      {limits.map(([name, setting]) => (
        <div key={name}>
          <dt>{name.replace("limits.", "").replaceAll("_", " ")}</dt>
          <dd title={`from: ${setting.origin}`}>{limit(name, setting.value)}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A limit as it is told: grouped digits, no quotation marks. */
function limit(name: string, value: string): string {
  if (value === "0" && name.includes("_per_")) return "no bound";
  return /^\d+$/.test(value) ? full(Number(value)) : value.replaceAll('"', "");
}
