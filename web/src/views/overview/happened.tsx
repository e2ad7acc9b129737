// What happened lately: events per minute, and the newest that tell of trouble, in words.
import { useMemo, useState } from "preact/hooks";
import { counts as askCounts, events as askEvents } from "../../api/client";
import type { Count, EventRecord } from "../../api/types";
import { full, short } from "../../lib/numbers";
import { words } from "../../lib/payload";
import { usePoll } from "../../lib/poll";
import { PRIORITIES, priorityColour, TROUBLE } from "../../lib/priorities";
import { length, type Range } from "../../lib/range";
import { address } from "../../lib/route";
import { heaped, stack } from "../../lib/stack";
import { clock, now } from "../../lib/times";
import { Chart } from "../../parts/chart";
import { Panel } from "../../parts/panel";
import { Priority } from "../../parts/priority";
import { link } from "../events/state";

const HOUR: Range = { preset: "1h", zoom: null };
const DAY: Range = { preset: "24h", zoom: null };
const MINUTE = 60;
const SECONDS = 10;
const MOST = 5;

interface Lately {
  /** When it was asked. */
  at: number;
  counts: readonly Count[];
  trouble: readonly EventRecord[];
}

async function look(signal: AbortSignal): Promise<Lately> {
  const at = now();
  const since = Math.floor((at - length(HOUR.preset)) / MINUTE) * MINUTE;
  const day = Math.floor(at - length(DAY.preset));
  const counted = await askCounts({ by: "priority", step: MINUTE, since, most: PRIORITIES.length }, signal);
  const pages = await Promise.all(TROUBLE.map((priority) => askEvents({ priority, since: day, limit: MOST }, signal)));
  const trouble = pages.flatMap((page) => page.events).sort((one, other) => other.time - one.time);
  return { at, counts: counted.counts, trouble: trouble.slice(0, MOST) };
}

/** Nothing where no events are kept, or none happened. */
export function Happened() {
  const { value } = usePoll(look, SECONDS);
  if (!value || (value.counts.length === 0 && value.trouble.length === 0)) return null;
  return (
    <Panel title="Events" beside={<a href={address("events")}>all events</a>} class="lately">
      <div class="halves">
        <Rate lately={value} />
        <Trouble events={value.trouble} />
      </div>
    </Panel>
  );
}

function Rate({ lately }: { lately: Lately }) {
  const [index, setIndex] = useState<number | null>(null);
  const range = { from: lately.at - length(HOUR.preset), until: lately.at };
  // biome-ignore lint/correctness/useExhaustiveDependencies: the range is that of the answer
  const made = useMemo(() => stack(lately.counts, range, MINUTE, PRIORITIES.length, PRIORITIES), [lately]);
  const heaps = useMemo(() => heaped(made.columns), [made]);
  const names = made.keys.join(" ");
  const lines = useMemo(
    () =>
      names
        .split(" ")
        .filter(Boolean)
        .map((label) => ({ label, colour: priorityColour(label) }))
        .reverse(),
    [names],
  );
  const { times, values } = made.columns;
  const seen = index !== null && index < times.length ? index : null;
  const minute = seen ?? times.length - 2; // the last one is not over
  const count = values.reduce((sum, column) => sum + (column[minute] ?? 0), 0);
  return (
    <section class="rate" aria-label="Events per minute">
      <p class="value">
        {full(count)}
        <span class="unit">/min</span>
        <span class="when">{seen === null ? "" : clock(times[seen] ?? 0)}</span>
      </p>
      <Chart
        label="Events per minute over the last hour, by priority"
        columns={heaps}
        lines={lines}
        range={range}
        height={86}
        small
        bars
        format={short}
        onCursor={setIndex}
      />
    </section>
  );
}

function Trouble({ events }: { events: readonly EventRecord[] }) {
  if (events.length === 0) return <p class="muted">No event of the last day tells of trouble.</p>;
  return (
    <ul aria-label="Newest events that tell of trouble">
      {events.map((event) => (
        <li key={event.id}>
          <Priority priority={event.priority} />
          <a href={address("events", link({ priority: event.priority }, DAY, event.id))}>{words(event)}</a>
          <time class="muted">{clock(event.time)}</time>
        </li>
      ))}
    </ul>
  );
}
