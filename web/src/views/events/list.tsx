// The list of events: keys move through it, only the rows that are seen are drawn.
import { useEffect, useRef } from "preact/hooks";
import type { EventRecord } from "../../api/types";
import { MOST } from "../../lib/feed";
import { useKeys } from "../../lib/keys";
import { full } from "../../lib/numbers";
import { summary } from "../../lib/payload";
import { scrolledTo, useWindow } from "../../lib/window";
import { Mark } from "../../parts/priority";
import { type Followed, justCame } from "./feed";

/** Pixels of a row; on a phone a row has two lines. */
const ROW = 30;
const TALL = 54;
/** Rows before the end at which older events are asked for. */
const AHEAD = 60;

interface ListProps {
  followed: Followed;
  /** The event that keys have moved to, by its id. */
  at: string;
  open: string;
  tall: boolean;
  time: (epoch: number) => string;
  onMove: (event: EventRecord | null) => void;
  onOpen: (event: EventRecord | null) => void;
  /** Whether the list is scrolled away from its top. */
  onAway: (away: boolean) => void;
}

export function List({ followed, at, open, tall, time, onMove, onOpen, onAway }: ListProps) {
  const list = useRef<HTMLDivElement>(null);
  const keyed = useRef<HTMLDivElement>(null);
  const { feed, more } = followed;
  const { events, next } = feed;
  const row = tall ? TALL : ROW;
  const { first, end, scroll } = useWindow(list, row, events.length);
  const near = next !== null && events.length > 0 && end >= events.length - AHEAD;
  useEffect(() => {
    if (near) more();
  });
  const index = at ? events.findIndex((event) => event.id === at) : -1;
  const move = (to: number) => {
    const target = events[Math.max(Math.min(to, events.length - 1), 0)];
    const box = list.current;
    if (!target || !box) return;
    box.scrollTop = scrolledTo(events.indexOf(target), box.scrollTop, box.clientHeight, row);
    keyed.current?.focus({ preventScroll: true });
    onMove(target);
  };
  const leave = () => {
    if (open) return onOpen(null);
    list.current?.scrollTo(0, 0);
    onMove(null);
  };
  const page = Math.max(Math.floor((list.current?.clientHeight ?? 0) / row) - 1, 1);
  const inside: Record<string, () => void> = {
    ArrowDown: () => move(index + 1),
    ArrowUp: () => move(index - 1),
    PageDown: () => move(index + page),
    PageUp: () => move(index - page),
    Home: () => move(0),
    End: () => move(events.length - 1),
    Enter: () => events[index] && onOpen(events[index]),
  };
  useKeys({ j: () => move(index + 1), k: () => move(index - 1), Escape: leave });
  const pressed = (event: KeyboardEvent) => {
    const act = inside[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  };
  return (
    <div
      class="rows happened"
      ref={list}
      onScroll={(event) => {
        scroll(event.currentTarget);
        onAway(event.currentTarget.scrollTop > row / 2);
      }}
    >
      <div
        ref={keyed}
        role="listbox"
        tabIndex={0}
        aria-label="Events, newest first"
        aria-activedescendant={index >= first && index < end ? `event-${index}` : undefined}
        style={{ height: `${events.length * row}px`, position: "relative" }}
        onKeyDown={pressed}
      >
        {events.slice(first, end).map((event, offset) => (
          <Row
            key={event.id}
            event={event}
            index={first + offset}
            height={row}
            active={event.id === at}
            open={event.id === open}
            time={time}
            onOpen={onOpen}
          />
        ))}
      </div>
      <Foot followed={followed} />
    </div>
  );
}

function Foot({ followed }: { followed: Followed }) {
  const { events, next } = followed.feed;
  if (next)
    return (
      <button type="button" class="button older" onClick={followed.more}>
        Older events
      </button>
    );
  if (events.length === 0) return null;
  return (
    <p class="older muted">
      {events.length < MOST
        ? "No older events in this range."
        : `These are the newest ${full(MOST)}: choose a range or a filter for others.`}
    </p>
  );
}

interface RowProps {
  event: EventRecord;
  index: number;
  height: number;
  active: boolean;
  open: boolean;
  time: (epoch: number) => string;
  onOpen: (event: EventRecord | null) => void;
}

function Row({ event, index, height, active, open, time, onOpen }: RowProps) {
  const parts = summary(event.payload);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the list takes the keys for all of its rows
    <div
      id={`event-${index}`}
      class={`row ${active ? "active" : ""} ${justCame(event) ? "new" : ""}`}
      role="option"
      tabIndex={-1}
      aria-selected={open}
      style={{ top: `${index * height}px`, height: `${height}px` }}
      onClick={() => onOpen(open ? null : event)}
    >
      <time>{time(event.time)}</time>
      <span class="grave" title={event.priority}>
        <Mark priority={event.priority} />
        <span>{event.priority}</span>
      </span>
      <code class="type" title={event.type}>
        {event.type}
      </code>
      <span class="whose" title={event.tenant}>
        {event.tenant}
      </span>
      <span class="whose" title={event.publisher}>
        {event.publisher}
      </span>
      <span class="says">
        {parts.map(([name, value]) => (
          <span key={name}>
            <span class="muted">{name}=</span>
            {value}{" "}
          </span>
        ))}
      </span>
    </div>
  );
}
