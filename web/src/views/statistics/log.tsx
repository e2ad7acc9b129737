// The latest of each, in groups as the plugin's layout says.
import type { Statistic, StatisticRow } from "../../api/statistics";
import { rows as ask } from "../../api/statistics";
import { type Component, type Group, laidOut, said } from "../../lib/layout";
import { ago, full } from "../../lib/numbers";
import { useNow } from "../../lib/poll";
import { iso, moment, now } from "../../lib/times";
import { Busy, Wrong } from "../../parts/notes";
import type { Health } from "../../parts/sinks";
import { useAsked } from "./changed";
import { Nothing } from "./nothing";
import type { DrawingProps } from "./one";
import { ofRows } from "./state";

/** Rows of a log; files have all. */
const MOST = 1000;
const HEALTH: readonly [RegExp, Health][] = [
  [/danger/, "bad"],
  [/warning/, "warn"],
  [/success|primary|info/, "good"],
];

export function Log({ shown, statistic, changed, change }: DrawingProps) {
  const key = `${statistic.ident} ${shown.words.join(" ")}`;
  const at = useNow(10);
  const { value, error, again } = useAsked(
    async (signal) => ({
      key,
      page: await ask(statistic.ident, { ...ofRows(shown, statistic, now()), limit: MOST }, signal),
    }),
    0,
    key,
    changed,
  );
  if (value?.key !== key) return error ? <Wrong error={error} again={again} /> : <Busy what="Reading …" />;
  const { rows, cursor } = value.page;
  if (rows.length === 0) return <Nothing shown={shown} statistic={statistic} change={change} />;
  const category = statistic.keys[0] ?? "";
  return (
    <div class="log">
      {error && <Wrong error={error} again={again} />}
      {laidOut(statistic.layout, rows, category).map((group) => (
        <Grouped key={group.id} group={group} rows={rows} statistic={statistic} now={at} />
      ))}
      {cursor && <p class="hint">The newest {full(MOST)}; the CSV has all.</p>}
    </div>
  );
}

interface GroupedProps {
  group: Group;
  rows: readonly StatisticRow[];
  statistic: Statistic;
  now: number;
}

function Grouped({ group, rows, statistic, now }: GroupedProps) {
  const category = statistic.keys[0] ?? "";
  const of = (id: string) => rows.filter((row) => String(row[category] ?? "") === id);
  return (
    <section aria-label={group.name || "Log"}>
      {group.name && <h3 class="group">{group.name}</h3>}
      <div class="components">
        {group.components.map((component) => (
          <Part key={component.id} component={component} rows={of(component.id)} statistic={statistic} now={now} />
        ))}
      </div>
    </section>
  );
}

interface PartProps {
  component: Component;
  rows: readonly StatisticRow[];
  statistic: Statistic;
  now: number;
}

function Part({ component, rows, statistic, now }: PartProps) {
  return (
    <div class="component">
      <h4>{component.name}</h4>
      {rows.length === 0 && <p class="aside">nothing yet</p>}
      <ul>
        {rows.map((row) => (
          <Entry
            key={JSON.stringify(statistic.keys.map((name) => row[name]))}
            row={row}
            component={component}
            statistic={statistic}
            now={now}
          />
        ))}
      </ul>
    </div>
  );
}

function Entry({ row, component, statistic, now }: { row: StatisticRow } & Omit<PartProps, "rows">) {
  const { options } = component;
  const found = said(row[statistic.columns.at(-1) ?? ""]);
  const old = options.old !== null && now - row.timestamp > options.old;
  const others = statistic.keys
    .slice(1)
    .map((name) => row[name])
    .filter((word) => word !== null && word !== found.name);
  return (
    <li class={old ? "old" : ""}>
      <span class="entry">
        {found.link ? (
          <a href={found.link} rel="noreferrer">
            {found.name}
          </a>
        ) : (
          <span>{found.name}</span>
        )}
        {others.length > 0 && <span class="muted">{others.join(", ")}</span>}
      </span>
      {options.status && found.status && (
        <span class={`badge ${health(options.classes[found.status])}`}>
          {options.verbs[found.status] ?? found.status}
        </span>
      )}
      {options.time && (
        <time class="aside" dateTime={iso(row.timestamp)} title={moment(row.timestamp)}>
          {ago(row.timestamp, now)}
        </time>
      )}
    </li>
  );
}

function health(style = ""): Health | "plain" {
  return HEALTH.find(([fits]) => fits.test(style))?.[1] ?? "plain";
}
