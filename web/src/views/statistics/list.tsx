// All statistics, a row for each plugin: its windows, how it is, and how far behind.

import type { Statistic } from "../../api/statistics";
import type { StatisticsStatus } from "../../api/types";
import { full } from "../../lib/numbers";
import { useNow } from "../../lib/poll";
import { address, go } from "../../lib/route";
import { called, type Family, fitting } from "../../lib/statistics";
import { useTyped } from "../../lib/typing";
import { Empty } from "../../parts/notes";
import { Panel } from "../../parts/panel";
import { Badge, type State } from "../../parts/sinks";
import { type Column, Table } from "../../parts/table";
import { Intake } from "./intake";
import { link, type Shown, write } from "./state";

interface ListedProps {
  families: readonly Family[];
  status: StatisticsStatus;
  shown: Shown;
}

export function Listed({ families, status, shown }: ListedProps) {
  const [text, setText] = useTyped(shown.find, (find) => go("statistics", write({ ...shown, find }), true));
  const found = fitting(families, text);
  const now = useNow(5);
  return (
    <>
      <Intake status={status} now={now} />
      <Panel title="Statistics" beside={<span class="aside">{count(families, found)}</span>}>
        <div class="bar-of-tools">
          <input
            type="search"
            class="search"
            data-search
            placeholder="Find a statistic"
            aria-label="Find a statistic"
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </div>
        {found.length > 0 && <Families families={found} find={text} />}
        {found.length === 0 && families.length > 0 && <Empty title="No statistic has these words" />}
        {families.length === 0 && (
          <Empty title="No plugin is loaded">
            <p>
              Name some in <code>statistics.plugins</code>, or <code>all</code>.
            </p>
          </Empty>
        )}
      </Panel>
    </>
  );
}

function count(all: readonly Family[], found: readonly Family[]): string {
  const whole = `${full(all.length)} ${all.length === 1 ? "plugin" : "plugins"}`;
  const statistics = all.flatMap(({ members }) => members);
  const stopped = statistics.filter(({ state: word }) => word === "stopped").length;
  const lacking = stopped > 0 ? `, ${full(stopped)} stopped` : "";
  if (found.length < all.length) return `${full(found.length)} of ${whole}${lacking}`;
  return `${whole}, ${full(statistics.length)} statistics${lacking}`;
}

/** How one is, in a word. */
export function state({ state: word, lag }: Statistic): State {
  if (word === "stopped") return { health: "bad", word: "stopped" };
  return lag > 0 ? { health: "warn", word: "catching up" } : { health: "good", word: "running" };
}

/** How those of a plugin are: as the worst of them. */
function worst({ members }: Family): Statistic | undefined {
  const behind = members.toSorted((one, other) => other.lag - one.lag);
  return behind.find((each) => each.state === "stopped") ?? behind[0];
}

function Families({ families, find }: { families: readonly Family[]; find: string }) {
  const open = (ident: string) => address("statistics", link(ident, find));
  const columns: Column<Family>[] = [
    {
      name: "Name",
      class: "wide",
      cell: (family) => {
        const told = worst(family);
        return (
          <>
            <a href={open(family.members[0]?.ident ?? "")}>{family.name}</a>
            <p class="aside">{family.summary}</p>
            {told?.error && <p class="reason">{told.error}</p>}
          </>
        );
      },
    },
    {
      name: "Windows",
      cell: ({ members }) => (
        <span class="windows">
          {members.map(({ ident, window }) => (
            <a key={ident} href={open(ident)}>
              {called(window)}
            </a>
          ))}
        </span>
      ),
    },
    {
      name: "State",
      cell: (family) => {
        const told = worst(family);
        return told && <Badge {...state(told)} />;
      },
    },
    { name: "Behind", number: true, cell: (family) => behind(Math.max(...family.members.map(({ lag }) => lag))) },
  ];
  return <Table label="Statistics" columns={columns} rows={families} id={({ name }) => name} />;
}

/** How many messages it has not seen. */
export function behind(lag: number): string {
  return lag === 0 ? "–" : `${full(lag)} ${lag === 1 ? "message" : "messages"}`;
}
