// Statistics of a bus: the list of all, or one of them, as the address says.
import { useMemo } from "preact/hooks";
import { statistics as ask } from "../../api/statistics";
import { usePoll } from "../../lib/poll";
import { address } from "../../lib/route";
import { families, usual } from "../../lib/statistics";
import { Busy, Empty, Shell, Wrong } from "../../parts/notes";
import { Panel } from "../../parts/panel";
import type { ViewProps } from "../views";
import { Listed } from "./list";
import { One } from "./one";
import { read } from "./state";

const SECONDS = 5;

export function Statistics({ parameters, status }: ViewProps) {
  const { value, error, again } = status;
  if (value === null) return error ? <Wrong error={error} again={again} /> : <Busy what="Asking the server …" />;
  return value.statistics ? <Running parameters={parameters} /> : <NoneRun />;
}

function Running({ parameters }: Pick<ViewProps, "parameters">) {
  const text = parameters.toString();
  const { value, error, again } = usePoll(ask, SECONDS);
  const ident = parameters.get("s");
  const found = value?.statistics.find((each) => each.ident === ident);
  const preset = usual(found);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text of the parameters is what counts
  const shown = useMemo(() => read(parameters, preset), [text, preset]);
  const all = useMemo(() => families(value?.statistics ?? []), [value]);
  if (value === null) return error ? <Wrong error={error} again={again} /> : <Busy what="Asking the server …" />;
  const family = all.find(({ members }) => members.some((each) => each === found));
  return (
    <>
      {error && <Wrong error={error} again={again} />}
      {ident && found && family && (
        <One key={family.name} shown={shown} statistic={found} family={family} status={value.status} again={again} />
      )}
      {ident && !found && <Unknown ident={ident} />}
      {!ident && <Listed families={all} status={value.status} shown={shown} />}
    </>
  );
}

function Unknown({ ident }: { ident: string }) {
  return (
    <Panel title={ident} beside={<a href={address("statistics")}>all statistics</a>}>
      <Empty title="There is no such statistic">
        <p>Its plugin may have been renamed, or is not loaded any more.</p>
      </Empty>
    </Panel>
  );
}

function NoneRun() {
  return (
    <Panel
      title="Statistics"
      beside={<a href={address("settings", new URLSearchParams({ q: "statistics" }))}>settings</a>}
    >
      <Empty title="No statistics run here">
        <p>
          They count the messages of a bus: how many there were, of what, by whom. Name the bus in{" "}
          <code>statistics.buses</code>, such as <code>amqp://localhost</code>, <code>nats://localhost/SUBJECT</code> or{" "}
          <code>kafka://localhost/TOPIC</code>. Or let them run alone:
        </p>
        <Shell text="nilometer statistics serve --bus amqp://localhost --store sqlite:///statistics.db" />
      </Empty>
    </Panel>
  );
}
