// How many events there were over time, stacked by what tells them apart.
import { useMemo, useState } from "preact/hooks";
import { counts as ask } from "../../api/client";
import type { Count, EventRecord } from "../../api/types";
import { full, short } from "../../lib/numbers";
import { usePoll } from "../../lib/poll";
import { PRIORITIES, priorityColour } from "../../lib/priorities";
import { bounds, narrowed, type Range } from "../../lib/range";
import { BY, type By, counted, heaped, OTHERS, type Stack, slotted, stack, stepFor } from "../../lib/stack";
import { seriesColour } from "../../lib/theme";
import { clock, moment, now } from "../../lib/times";
import { Chart } from "../../parts/chart";
import { Wrong } from "../../parts/notes";
import { moving } from "./feed";
import { filters, over, type Shown } from "./state";

/** Keys that are told apart; what is less frequent is told together. */
const MOST = 8;
const DAY = 86_400;
/** The server is asked again after a slot, but not more often and not more seldom than this, in seconds. */
const [OFTEN, SELDOM] = [5, 60];

export interface Counted {
  stack: Stack;
  step: number;
  range: Range;
  end: number;
  error: Error | null;
  again: () => void;
  /** Count events that were just told. */
  add: (events: readonly EventRecord[]) => void;
}

/** Ask for the counts of what is shown, and go on counting as events come. */
export function useCounts(shown: Shown, slots: number): Counted {
  const { by, range } = shown;
  const step = stepFor(bounds(range, 0), slots);
  const key = JSON.stringify([filters(shown), range, by, step]);
  const [held, setHeld] = useState<{ key: string; counts: readonly Count[]; end: number }>({
    key: "",
    counts: [],
    end: now(),
  });
  const poll = usePoll(
    async (signal) => {
      const at = now();
      const { from } = slotted(bounds(range, at), step);
      const answer = await ask({ ...over(shown, range, at), since: from, step, by, most: MOST }, signal);
      setHeld({ key, counts: answer.counts, end: at });
    },
    moving(shown) ? Math.min(Math.max(step, OFTEN), SELDOM) : 0,
    key,
  );
  const mine = held.key === key;
  const made = useMemo(
    () => stack(mine ? held.counts : [], bounds(range, held.end), step, MOST, by === "priority" ? PRIORITIES : []),
    [mine, held, range, step, by],
  );
  const add = (events: readonly EventRecord[]) =>
    setHeld((before) =>
      before.key === key ? { key, counts: counted(before.counts, events, by, step), end: now() } : before,
    );
  return { stack: made, step, range, end: held.end, error: poll.error, again: poll.again, add };
}

interface CountsProps {
  counted: Counted;
  shown: Shown;
  height: number;
  onBy: (by: By) => void;
  onKey: (by: By, key: string) => void;
  onRange: (range: Range) => void;
}

export function Counts({ counted, shown, height, onBy, onKey, onRange }: CountsProps) {
  const { by, range } = shown;
  const { stack: made, step, end } = counted;
  const [index, setIndex] = useState<number | null>(null);
  const colours = made.keys.map((key, place) => colour(by, key, place)).join(" ");
  const lines = useMemo(
    () =>
      colours
        .split(" ")
        .filter(Boolean)
        .map((each) => ({ label: each, colour: each }))
        .reverse(),
    [colours],
  );
  const heaps = useMemo(() => heaped(made.columns), [made]);
  const total = made.totals.reduce((one, other) => one + other, 0);
  const seen = index !== null && index < heaps.times.length ? index : null;
  const { from, until } = bounds(range, end);
  return (
    <>
      <div class="counts-head">
        <p role="status">{told(made, seen, step, total)}</p>
        <fieldset class="segments" aria-label="Told apart by">
          {BY.map((each) => (
            <button type="button" key={each} aria-pressed={by === each} onClick={() => onBy(each)}>
              {each}
            </button>
          ))}
        </fieldset>
      </div>
      {counted.error && <Wrong error={counted.error} again={counted.again} />}
      <Chart
        label={`Events over time by ${by}: ${full(total)} in all; the list below tells each`}
        columns={heaps}
        lines={lines}
        range={{ from, until }}
        height={height}
        small
        bars
        format={short}
        onCursor={setIndex}
        onZoom={(zoom) => onRange({ ...range, zoom: narrowed(zoom) })}
        onReset={() => range.zoom && onRange({ ...range, zoom: null })}
      />
      <ul class="keyed" aria-label={`Events by ${by}`}>
        {made.keys.map((key, place) => (
          <li key={key}>
            <Key
              name={key}
              by={by}
              colour={colour(by, key, place)}
              count={seen === null ? (made.totals[place] ?? 0) : (made.columns.values[place]?.[seen] ?? 0)}
              onKey={onKey}
            />
          </li>
        ))}
      </ul>
    </>
  );
}

interface KeyProps {
  name: string;
  by: By;
  colour: string;
  count: number;
  onKey: (by: By, key: string) => void;
}

function Key({ name, by, colour: swatch, count, onKey }: KeyProps) {
  const said = (
    <>
      <span class="swatch" style={{ background: `var(${swatch})` }} />
      <code>{labelled(name, by)}</code>
      <span class="muted">{full(count)}</span>
    </>
  );
  if (!name || name === OTHERS) return <span class="chip">{said}</span>;
  return (
    <button type="button" class="chip" title={`Only ${name}`} onClick={() => onKey(by, name)}>
      {said}
    </button>
  );
}

function labelled(name: string, by: By): string {
  if (name === OTHERS && (by === "tenant" || by === "publisher")) return "others, or none";
  return name || `no ${by}`;
}

function colour(by: By, key: string, place: number): string {
  if (key === OTHERS) return "--muted";
  return by === "priority" ? priorityColour(key) : seriesColour(place);
}

/** What the chart tells: of the slot under the cursor, else of the whole range. */
function told({ columns }: Stack, seen: number | null, step: number, total: number): string {
  const at = seen === null ? undefined : columns.times[seen];
  if (seen === null || at === undefined) return `${full(total)} ${total === 1 ? "event" : "events"}`;
  const count = columns.values.reduce((sum, column) => sum + (column[seen] ?? 0), 0);
  const long = (columns.times.at(-1) ?? at) - (columns.times[0] ?? at) > DAY;
  return `${full(count)} from ${long ? moment(at) : clock(at)} to ${clock(at + step)}`;
}
