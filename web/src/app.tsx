// The frame around the views: where one can go, how the server is, keys, help, and the question for a token.
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { status as askStatus } from "./api/client";
import { line } from "./api/stream";
import type { Status } from "./api/types";
import { Help } from "./frame/help";
import { TokenPrompt } from "./frame/token-prompt";
import { useKeys } from "./lib/keys";
import { seconds } from "./lib/numbers";
import { type Polled, usePoll } from "./lib/poll";
import { address, go, useRoute } from "./lib/route";
import { told } from "./lib/sending";
import { useStore } from "./lib/store";
import { theme, toggle } from "./lib/theme";
import { VIEWS, type View } from "./views/views";

const SECONDS = 5;

function search(): void {
  const field = document.querySelector<HTMLInputElement>("[data-search]");
  if (field) {
    field.focus();
    field.select();
    return;
  }
  go("series");
  setTimeout(() => document.querySelector<HTMLInputElement>("[data-search]")?.focus(), 50);
}

export function App() {
  const route = useRoute();
  const view = VIEWS.find((each) => each.id === route.view) ?? (VIEWS[0] as View);
  const links = useLinks(view);
  const status = usePoll(askStatus, SECONDS);
  useEffect(() => told(status.value?.listeners ?? []), [status.value]);
  const [help, setHelp] = useState(false);
  const close = useCallback(() => setHelp(false), []);
  useEffect(() => {
    document.title = `${view.title} – Nilometer`;
  }, [view]);
  useKeys(
    useMemo(
      () => ({
        "/": search,
        "?": () => setHelp(true),
        t: toggle,
        ...Object.fromEntries(
          VIEWS.filter((each) => !each.linked).map((each, index) => [String(index + 1), () => go(each.id)]),
        ),
      }),
      [],
    ),
  );
  return (
    <>
      <a class="skip" href={location.hash} onClick={(event) => skip(event)}>
        To the content
      </a>
      <Frame view={view} links={links} status={status} onHelp={() => setHelp(true)} />
      <main id="content" tabIndex={-1}>
        <h1 class="hidden">{view.title}</h1>
        <view.component parameters={route.parameters} status={status} />
      </main>
      <Help open={help} onClose={close} />
      <TokenPrompt />
    </>
  );
}

function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}

/** Where each tab leads: a view that is reached by a link goes on as it was left. */
function useLinks(view: View): ReadonlyMap<View, string> {
  const visited = useRef(new Map<View, string>());
  if (view.linked) visited.current.set(view, location.hash);
  return new Map(
    VIEWS.flatMap((each): [View, string][] => {
      const link = each.linked ? visited.current.get(each) : address(each.id);
      return link === undefined ? [] : [[each, link]];
    }),
  );
}

interface FrameProps {
  view: View;
  links: ReadonlyMap<View, string>;
  status: Polled<Status>;
  onHelp: () => void;
}

function Frame({ view, links, status, onHelp }: FrameProps) {
  const dark = useStore(theme) === "dark";
  return (
    <header class="frame">
      <a class="brand" href={address("")}>
        <img src="/favicon.svg" alt="" width="22" height="22" />
        <span>Nilometer</span>
      </a>
      <nav aria-label="Views">
        {[...links].map(([each, link]) => (
          <a key={each.id} href={link} aria-current={each === view ? "page" : undefined}>
            <svg viewBox="0 0 20 20" width="16" height="16" aria-hidden="true">
              <path d={each.icon} />
            </svg>
            <span>{each.title}</span>
          </a>
        ))}
      </nav>
      <Pulse status={status} />
      <div class="actions">
        <button
          type="button"
          class="button quiet"
          onClick={toggle}
          aria-label={dark ? "Light colours" : "Dark colours"}
        >
          <svg viewBox="0 0 20 20" width="16" height="16" aria-hidden="true">
            <path
              d={
                dark
                  ? "M10 6a4 4 0 100 8 4 4 0 000-8M10 1v2m0 14v2M1 10h2m14 0h2M4 4l1 1m10 10l1 1M16 4l-1 1M5 15l-1 1"
                  : "M16 12A7 7 0 018 4a7 7 0 108 8z"
              }
            />
          </svg>
        </button>
        <button type="button" class="button quiet" onClick={onHelp} aria-label="Help and keys">
          ?
        </button>
      </div>
    </header>
  );
}

const LINES = { live: "live", waiting: "connecting", off: "" } as const;

/** How the server is, in a line that is always there. */
function Pulse({ status }: { status: Polled<Status> }) {
  const connected = LINES[useStore(line)];
  const { value, error } = status;
  const problems = value?.problems.length ?? 0;
  const health = error ? "bad" : problems ? "warn" : "good";
  const word = error ? "no answer" : problems ? `${problems} ${problems === 1 ? "problem" : "problems"}` : "well";
  return (
    <div class="pulse">
      {value || error ? (
        <a href={address("")} class={`state ${health}`}>
          <span class="dot" aria-hidden="true" />
          {word}
        </a>
      ) : null}
      {connected && <span class="muted">{connected}</span>}
      {value && (
        <span class="muted version">
          {value.version} · up {seconds(value.uptime)}
        </span>
      )}
    </div>
  );
}
