// Where the flushes go, and how each place is doing.
import type { Sink } from "../api/types";
import { ago, bytes, full, seconds } from "../lib/numbers";
import { useNow } from "../lib/poll";
import { type Column, Table } from "./table";

export type Health = "good" | "warn" | "bad";

export interface State {
  health: Health;
  word: string;
}

/** A sink's state in a word. */
export function state(sink: Sink): State {
  if (sink.last_error) {
    const retry = sink.retry_in === null ? "" : `, again in ${seconds(Math.max(sink.retry_in, 0))}`;
    return { health: "bad", word: `away${retry}` };
  }
  if (sink.spool_items > 0) return { health: "warn", word: "catching up" };
  return sink.last_success === null ? { health: "warn", word: "not yet written" } : { health: "good", word: "writes" };
}

export function Badge({ health, word }: State) {
  return <span class={`badge ${health}`}>{word}</span>;
}

export function Sinks({ sinks }: { sinks: readonly Sink[] }) {
  const now = useNow();
  const columns: Column<Sink>[] = [
    {
      name: "Sink",
      class: "wide",
      cell: (sink) => (
        <>
          <code>{sink.name}</code>
          {sink.last_error && <p class="reason">{sink.last_error}</p>}
        </>
      ),
    },
    { name: "State", cell: (sink) => <Badge {...state(sink)} /> },
    { name: "Last write", number: true, cell: (sink) => ago(sink.last_success, now) },
    { name: "Flushes", number: true, cell: (sink) => full(sink.written) },
    { name: "Series", number: true, cell: (sink) => full(sink.written_series) },
    {
      name: "Spool",
      number: true,
      cell: (sink) => (sink.spool_items ? `${full(sink.spool_items)} flushes, ${bytes(sink.spool_bytes)}` : "empty"),
    },
    { name: "Lost", number: true, cell: (sink) => <span class={sink.dropped ? "bad" : ""}>{full(sink.dropped)}</span> },
  ];
  return <Table label="Sinks and their spools" columns={columns} rows={sinks} id={(sink) => sink.name} />;
}
