// What stands where there is nothing to show: why, and what to do.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Failure } from "../api/client";
import { copy } from "../lib/copy";

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

/** How to send the first metric, for who has none yet. */
export function FirstMetric() {
  return (
    <Empty title="No series yet">
      <p>
        Send one from a shell; it is here with the next flush. Everything that speaks StatsD can send to the same port.
      </p>
      <Shell text={`echo "hello:1|c" | nc -u -w0 ${location.hostname || "127.0.0.1"} 8125`} />
      <Shell text="nilometer send 'page.views:1|c' 'load:0.7|g' 'request:23|ms'" />
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
