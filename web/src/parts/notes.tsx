// What stands where there is nothing to show: why, and what to do.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Failure } from "../api/client";
import { copy } from "../lib/copy";
import { listeners, program, shell } from "../lib/sending";
import { useStore } from "../lib/store";

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <strong>{title}</strong>
      {children}
    </div>
  );
}

export function Wrong({ error, again }: { error: Error; again?: () => void }) {
  const waits = error instanceof Failure && error.status === 401;
  return (
    <div class="wrong" role="alert">
      <span>{waits ? "Waiting for a token." : error.message}</span>
      {again && !waits && (
        <button type="button" class="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

/** A line for a shell, which a click copies. */
export function Shell({ text }: { text: string }) {
  const [said, setSaid] = useState("");
  const act = async () => {
    setSaid((await copy(text)) ? "copied" : "select it and copy");
    setTimeout(() => setSaid(""), 2000);
  };
  return (
    <div class="shell">
      <code>{text}</code>
      <button type="button" class="button quiet" onClick={act} aria-label={`Copy: ${text}`}>
        {said || "copy"}
      </button>
    </div>
  );
}

/** How to send a line to this server from a shell. */
export function Send({ text }: { text: string }) {
  return <Shell text={shell(text, useStore(listeners), location.hostname)} />;
}

/** How to send the first metric, for who has none yet. */
export function FirstMetric() {
  const found = useStore(listeners);
  return (
    <Empty title="No series yet">
      <p>
        Send one from a shell; it is here with the next flush. Everything that speaks StatsD can send to the same port.
      </p>
      <Send text="hello:1|c" />
      <Shell text={program(["page.views:1|c", "load:0.7|g", "request:23|ms"], found, location.hostname)} />
    </Empty>
  );
}

export function Busy({ what }: { what: string }) {
  return (
    <p class="busy" role="status">
      {what}
    </p>
  );
}
