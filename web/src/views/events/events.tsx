// What happened: events as they come, found by what they are, counted over time. The address holds all of its state.
import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import type { EventRecord } from "../../api/types";
import { useKeys } from "../../lib/keys";
import { full } from "../../lib/numbers";
import { bounds } from "../../lib/range";
import { go, parse } from "../../lib/route";
import { useNarrow } from "../../lib/screen";
import type { By } from "../../lib/stack";
import { clock, day, now } from "../../lib/times";
import { Busy, Empty, Wrong } from "../../parts/notes";
import { Taking, Tools } from "../../parts/tools";
import type { ViewProps } from "../views";
import { Counts, useCounts } from "./counts";
import { Detail } from "./detail";
import { type Followed, moving, useFeed } from "./feed";
import { files } from "./files";
import { Fields } from "./filters";
import { FirstEvent, NoStore } from "./first";
import { List } from "./list";
import { type Filters, filtered, read, type Shown, write } from "./state";

const DAY = 86_400;
const SLOTS = 90;
const NARROW = 700;
const FEW_SLOTS = 40;

export function Events({ parameters, status }: ViewProps) {
  const { value, error, again } = status;
  if (value === null) return error ? <Wrong error={error} again={again} /> : <Busy what="Asking the server …" />;
  return value.events.store ? <Kept parameters={parameters} /> : <NoStore />;
}

function Kept({ parameters }: Pick<ViewProps, "parameters">) {
  const address = parameters.toString();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text of the parameters is what counts
  const shown = useMemo(() => read(parameters), [address]);
  const change = useCallback((part: Partial<Shown>, replace = false) => {
    const latest = read(parse(location.hash).parameters);
    go("events", write({ ...latest, ...part }), replace);
  }, []);
  const narrow = useNarrow(NARROW);
  const [at, setAt] = useState("");
  const [away, setAway] = useState(false);
  const held = away || at !== "" || shown.id !== "";
  const counted = useCounts(shown, narrow ? FEW_SLOTS : SLOTS);
  const followed = useFeed(shown, held, counted.add);
  const open = (event: EventRecord | null) => {
    setAt(event?.id ?? at);
    change({ id: event?.id ?? "" }, event !== null && shown.id !== "");
  };
  const close = () => {
    setAt("");
    change({ id: "" });
  };
  const { release } = followed;
  useEffect(() => {
    if (!held) release();
  }, [held, release]);
  const { feed, error } = followed;
  const known = feed.events.find((event) => event.id === shown.id);
  return (
    <div class={`events ${shown.id ? "opened" : ""}`}>
      <Head shown={shown} change={change} />
      <section class="panel counts" aria-label="Counts">
        <Counts
          counted={error ? { ...counted, error: null } : counted}
          shown={shown}
          height={narrow ? 96 : 118}
          onBy={(by) => change({ by }, true)}
          onKey={(by: By, key) => change({ [by]: key })}
          onRange={(range) => change({ range })}
        />
      </section>
      <section class="panel found" aria-label="Events">
        <Pill
          followed={followed}
          onShow={() => {
            setAt("");
            setAway(false);
            document.querySelector(".happened")?.scrollTo(0, 0);
            followed.release();
          }}
        />
        {error && <Wrong error={error} again={followed.again} />}
        {followed.loading && <Busy what="Looking for events …" />}
        {!followed.loading && !error && feed.events.length === 0 && <Nothing shown={shown} />}
        <List
          followed={followed}
          at={at}
          open={shown.id}
          tall={narrow}
          time={(epoch) => told(epoch, shown)}
          onMove={(event) => {
            setAt(event?.id ?? "");
            if (event && shown.id) change({ id: event.id }, true);
          }}
          onOpen={open}
          onAway={setAway}
        />
      </section>
      {shown.id && <Detail id={shown.id} known={known} shown={shown} onClose={close} />}
    </div>
  );
}

/** The day is told where the range may hold more than one. */
function told(epoch: number, shown: Shown): string {
  const { from, until } = bounds(shown.range, now());
  return until - from >= DAY ? `${day(epoch).slice(5)} ${clock(epoch)}` : clock(epoch);
}

interface HeadProps {
  shown: Shown;
  change: (part: Partial<Shown>, replace?: boolean) => void;
}

function Head({ shown, change }: HeadProps) {
  const { range, live } = shown;
  useKeys(
    useMemo(
      () => ({ l: () => change({ live: !live }, true), 0: () => change({ range: { ...range, zoom: null } }) }),
      [change, live, range],
    ),
  );
  return (
    <section class="panel asking" aria-label="Filters and range">
      <Fields shown={shown} onChange={(part: Partial<Filters>, typed = false) => change(part, typed)} />
      <div class="ranging">
        <Tools
          range={range}
          live={live}
          onRange={(next) => change({ range: next })}
          onLive={(next) => change({ live: next }, true)}
        />
        <Taking name="events" files={files(shown)} />
      </div>
    </section>
  );
}

/** How many events wait while the list is held still. */
function Pill({ followed, onShow }: { followed: Followed; onShow: () => void }) {
  const { waiting, gap } = followed.feed;
  return (
    <div class="pill" role="status">
      {waiting.length > 0 && (
        <button type="button" class="button primary" onClick={onShow}>
          {gap ? `more than ${full(waiting.length - 1)}` : full(waiting.length)} new
        </button>
      )}
    </div>
  );
}

function Nothing({ shown }: { shown: Shown }) {
  if (!filtered(shown) && shown.range.zoom === null) return <FirstEvent waits={moving(shown)} />;
  return (
    <Empty title="No event fits">
      <p>
        A type fits as a whole, <code>*</code> stands for any part of it: <code>*.table.create.*</code>. Tenant and
        publisher are whole words, the text stands somewhere in the payload. Or choose a longer range.
      </p>
    </Empty>
  );
}
