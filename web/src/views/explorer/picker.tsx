// Search as you type, and the list of what was found: keys move through it, only the rows that are seen are drawn.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { full } from "../../lib/numbers";
import { useSettled } from "../../lib/poll";
import { cut, marked, type Piece } from "../../lib/search";
import { scrolledTo, useWindow } from "../../lib/window";
import { Busy, Empty, FirstMetric, Wrong } from "../../parts/notes";
import { usePages } from "./pages";

const ROW = 28;
const TYPING = 150;
/** Characters at the end of a path that are always shown. */
const TAIL = 18;

interface PickerProps {
  text: string;
  chosen: readonly string[];
  onText: (text: string) => void;
  onToggle: (path: string) => void;
}

/** Where the keys went in the list of what was found for `text`; another list has no such place. */
interface Moved {
  text: string | null;
  index: number;
}

export function Picker({ text, chosen, onText, onToggle }: PickerProps) {
  const found = usePages(useSettled(text, TYPING));
  const [moved, setMoved] = useState<Moved>({ text: null, index: -1 });
  const at = moved.text === found.text ? moved.index : -1;
  const list = useRef<HTMLDivElement>(null);
  const { paths, next } = found;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another list begins at its top
  useLayoutEffect(() => list.current?.scrollTo(0, 0), [found.text]);

  const move = (to: number) => {
    const index = Math.max(Math.min(to, paths.length - 1), 0);
    setMoved({ text: found.text, index });
    const box = list.current;
    if (box) box.scrollTop = scrolledTo(index, box.scrollTop, box.clientHeight, ROW);
  };
  const page = Math.max(Math.floor((list.current?.clientHeight ?? 0) / ROW) - 1, 1);
  const keys: Record<string, () => void> = {
    ArrowDown: () => move(at + 1),
    ArrowUp: () => move(at - 1),
    PageDown: () => move(at + page),
    PageUp: () => move(at - page),
    Enter: () => {
      const path = paths[Math.max(at, 0)];
      if (path !== undefined) onToggle(path);
    },
    Escape: () => (text ? onText("") : list.current?.parentElement?.querySelector("input")?.blur()),
  };
  const pressed = (event: KeyboardEvent) => {
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  return (
    <section class="picker panel" aria-label="Find series">
      <input
        type="text"
        class="search"
        data-search
        role="combobox"
        aria-expanded="true"
        aria-controls="found"
        aria-activedescendant={at >= 0 ? `found-${at}` : undefined}
        aria-label="Search series"
        placeholder="Search: words, globs *, tag=value"
        autocomplete="off"
        spellcheck={false}
        value={text}
        onInput={(event) => onText(event.currentTarget.value)}
        onKeyDown={pressed}
      />
      <p class="count" role="status">
        {found.text === null ? "" : counted(paths.length, next !== null, found.total)}
      </p>
      {found.error && <Wrong error={found.error} again={found.again} />}
      {found.text === null && !found.error && <Busy what="Looking for series …" />}
      {found.text !== null && paths.length === 0 && !found.error && <Nothing text={found.text} />}
      <Rows list={list} found={found} at={at} chosen={chosen} onToggle={onToggle} />
    </section>
  );
}

function counted(count: number, more: boolean, total: number | null): string {
  if (!more) return `${full(count)} series`;
  return total === null
    ? `the first ${full(count)} series; scroll for more`
    : `${full(count)} of ${full(total)} series`;
}

function Nothing({ text }: { text: string }) {
  if (!text) return <FirstMetric />;
  return (
    <Empty title="No series fits">
      <p>
        Words are found anywhere in a path, in their order. With <code>*</code> or <code>?</code> the whole path must
        fit: <code>stats.timers.*.mean_90</code>. A tag: <code>region=eu</code>.
      </p>
    </Empty>
  );
}

interface RowsProps {
  list: { current: HTMLDivElement | null };
  found: ReturnType<typeof usePages>;
  at: number;
  chosen: readonly string[];
  onToggle: (path: string) => void;
}

function Rows({ list, found, at, chosen, onToggle }: RowsProps) {
  const { paths, more } = found;
  const { first, end, scroll } = useWindow(list, ROW, paths.length);
  const near = end >= paths.length - 50;
  useEffect(() => {
    if (near) more();
  });
  return (
    <div
      class="rows"
      id="found"
      ref={list}
      role="listbox"
      aria-label="Series found"
      aria-multiselectable="true"
      onScroll={(event) => scroll(event.currentTarget)}
    >
      <div style={{ height: `${paths.length * ROW}px`, position: "relative" }} role="presentation">
        {paths.slice(first, end).map((path, offset) => {
          const index = first + offset;
          return (
            <Row
              key={path}
              path={path}
              index={index}
              text={found.text ?? ""}
              active={index === at}
              chosen={chosen.includes(path)}
              onToggle={onToggle}
            />
          );
        })}
      </div>
    </div>
  );
}

interface RowProps {
  path: string;
  index: number;
  text: string;
  active: boolean;
  chosen: boolean;
  onToggle: (path: string) => void;
}

function Row({ path, index, text, active, chosen, onToggle }: RowProps) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the search box takes the keys for the whole list
    <div
      id={`found-${index}`}
      class={`row ${active ? "active" : ""}`}
      role="option"
      tabIndex={-1}
      aria-label={path}
      aria-selected={chosen}
      title={path}
      style={{ top: `${index * ROW}px`, height: `${ROW}px` }}
      onClick={() => onToggle(path)}
    >
      <span class="tick" aria-hidden="true" />
      <Path path={path} text={text} />
    </div>
  );
}

/** A path, what was searched for marked; where it does not fit, its middle is left out: its end tells most. */
function Path({ path, text }: { path: string; text: string }) {
  const [head, tail] = cut(marked(path, text), path.length - TAIL);
  const show = (pieces: readonly Piece[]) =>
    pieces.map((piece, place) => (piece.hit ? <mark key={`${place}`}>{piece.text}</mark> : piece.text));
  return (
    <span class="path">
      <span class="head">{show(head)}</span>
      <span>{show(tail)}</span>
    </span>
  );
}
