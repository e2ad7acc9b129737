// One event: all of it as JSON, and the ways from it to others.
import { useMemo, useState } from "preact/hooks";
import { event as ask, Failure } from "../../api/client";
import type { EventRecord } from "../../api/types";
import { copy } from "../../lib/copy";
import { counterOf } from "../../lib/names";
import { ago } from "../../lib/numbers";
import { request, tokens } from "../../lib/payload";
import { useNow, usePoll } from "../../lib/poll";
import { address } from "../../lib/route";
import { moment } from "../../lib/times";
import { Busy, Wrong } from "../../parts/notes";
import { Priority } from "../../parts/priority";
import { type Filters, link, type Shown } from "./state";

interface DetailProps {
  id: string;
  /** The event, where the list has it. */
  known: EventRecord | undefined;
  shown: Shown;
  onClose: () => void;
}

export function Detail({ id, known, shown, onClose }: DetailProps) {
  return (
    <section class="detail panel" aria-label="Event">
      {known ? (
        <One event={known} shown={shown} onClose={onClose} />
      ) : (
        <Asked key={id} id={id} shown={shown} onClose={onClose} />
      )}
    </section>
  );
}

/** An event that the list does not have: a link led to it. */
function Asked({ id, shown, onClose }: Omit<DetailProps, "known">) {
  const { value, error, again } = usePoll((signal) => ask(id, signal), 0, id);
  if (value) return <One event={value} shown={shown} onClose={onClose} />;
  const gone = error instanceof Failure && error.status === 404;
  return (
    <>
      <header>
        <h2>Event</h2>
        <Close onClose={onClose} />
      </header>
      {gone ? (
        <p class="busy">There is no event {id}. Events are kept for a while only.</p>
      ) : error ? (
        <Wrong error={error} again={again} />
      ) : (
        <Busy what="Asking the server …" />
      )}
    </>
  );
}

function Close({ onClose }: { onClose: () => void }) {
  return (
    <button type="button" class="button quiet" aria-label="Close" title="Close (Esc)" onClick={onClose}>
      ×
    </button>
  );
}

interface OneProps {
  event: EventRecord;
  shown: Shown;
  onClose: () => void;
}

function One({ event, shown, onClose }: OneProps) {
  return (
    <>
      <header>
        <h2>
          <code>{event.type}</code>
        </h2>
        <Close onClose={onClose} />
      </header>
      <Facts event={event} />
      <Ways event={event} shown={shown} />
      <Text event={event} />
    </>
  );
}

function Facts({ event }: { event: EventRecord }) {
  const when = `${moment(event.time)}, ${ago(event.time, useNow())}`;
  const told: [string, string][] = [
    ["Tenant", event.tenant],
    ["Publisher", event.publisher],
    ["Request", request(event)],
    ["Id", event.id],
  ];
  return (
    <dl>
      <div>
        <dt>Priority</dt>
        <dd>
          <Priority priority={event.priority} />
        </dd>
      </div>
      <div>
        <dt>Time</dt>
        <dd>{when}</dd>
      </div>
      {told
        .filter(([, text]) => text)
        .map(([name, text]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <code>{text}</code>
            </dd>
          </div>
        ))}
    </dl>
  );
}

/** To events like this one, and to the series that counts them. */
function Ways({ event, shown }: { event: EventRecord; shown: Shown }) {
  const ways: [string, Partial<Filters>][] = [["same type", { type: event.type }]];
  if (event.tenant) ways.push(["same tenant", { tenant: event.tenant }]);
  if (event.publisher) ways.push(["same publisher", { publisher: event.publisher }]);
  return (
    <p class="ways">
      <span class="muted">More like this:</span>
      {ways.map(([name, filters]) => (
        <a key={name} href={address("events", link(filters, shown.range, event.id))}>
          {name}
        </a>
      ))}
      <a href={address("series", new URLSearchParams({ q: counterOf(event.type) }))}>its series</a>
    </p>
  );
}

function Text({ event }: { event: EventRecord }) {
  const json = useMemo(() => JSON.stringify(event, null, 2), [event]);
  const pieces = useMemo(() => tokens(json), [json]);
  const [said, setSaid] = useState("");
  const take = async (text: string, what: string) => {
    setSaid((await copy(text)) ? `${what} copied` : "select it and copy");
    setTimeout(() => setSaid(""), 3000);
  };
  const here = `${location.origin}${location.pathname}${address("events", new URLSearchParams({ event: event.id }))}`;
  return (
    <>
      <div class="taking">
        <button type="button" class="button" onClick={() => take(json, "JSON")}>
          Copy JSON
        </button>
        <button type="button" class="button" onClick={() => take(here, "link")}>
          Copy link
        </button>
        <span class="said" role="status">
          {said}
        </span>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so keys must reach it */}
      <pre tabIndex={0}>
        {pieces.map(({ kind, text }, place) =>
          kind === "plain" ? (
            text
          ) : (
            <span key={`${place}`} class={`json-${kind}`}>
              {text}
            </span>
          ),
        )}
      </pre>
    </>
  );
}
