// How to send the first event, for who has none yet; and where events are kept, for who keeps none.
import { address } from "../../lib/route";
import { posted, sent } from "../../lib/sending";
import { Empty, Shell } from "../../parts/notes";
import { Panel } from "../../parts/panel";

export function FirstEvent({ waits }: { waits: boolean }) {
  return (
    <Empty title="No events in this range">
      <p>
        An event says what happened: a table was created, a backup failed. Send one from a shell
        {waits ? "; it is here at once" : ""}. Applications send them with <code>nilometer.Notifier</code>, OpenStack's
        services with their own notifier. What happened before stands in a longer range.
      </p>
      <Shell text={sent(location.origin)} />
      <Shell text={posted(location.origin)} />
    </Empty>
  );
}

export function NoStore() {
  return (
    <Panel title="Events" beside={<a href={address("settings", new URLSearchParams({ q: "events" }))}>settings</a>}>
      <Empty title="This server keeps no events">
        <p>
          They move metrics and go on to sinks, but none stays here. To keep them, name a place:{" "}
          <code>events.store</code>, such as <code>sqlite</code> or <code>postgresql://db.example/events</code>.
        </p>
      </Empty>
    </Panel>
  );
}
