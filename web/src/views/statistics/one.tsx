// One statistic: what it is, how it is, which part of it is looked at, and its drawing.
import { useCallback, useMemo, useState } from "preact/hooks";
import { resume, type Statistic } from "../../api/statistics";
import type { StatisticsStatus } from "../../api/types";
import { useKeys } from "../../lib/keys";
import { ago } from "../../lib/numbers";
import { useNow } from "../../lib/poll";
import { LONG_PRESETS, length } from "../../lib/range";
import { address, go } from "../../lib/route";
import { called, DRAWINGS, type Drawing, daily, drawings, type Family, ofCalendar } from "../../lib/statistics";
import { Wrong } from "../../parts/notes";
import { Segments } from "../../parts/segments";
import { Badge } from "../../parts/sinks";
import { Taking, Tools } from "../../parts/tools";
import { CalendarView } from "./calendar";
import { useChanged } from "./changed";
import { Choices, Words } from "./choices";
import { Drawn } from "./drawn";
import { files } from "./files";
import { Filling } from "./intake";
import { behind, state } from "./list";
import { Log } from "./log";
import { Rows } from "./rows";
import { moved, type Shown, write } from "./state";
import { Top } from "./top";

const DAY = 86_400;

interface OneProps {
  shown: Shown;
  statistic: Statistic;
  family: Family;
  status: StatisticsStatus;
  again: () => void;
}

/** What each drawing is given. */
export interface DrawingProps {
  shown: Shown;
  statistic: Statistic;
  /** Grows with every change of the rows. */
  changed: number;
  change: Change;
}
export type Change = (part: Partial<Shown>, replace?: boolean) => void;

const VIEWS = { log: Log, bars: Drawn, lines: Drawn, calendar: CalendarView, top: Top, rows: Rows } as const;

export function One({ shown, statistic, family, status, again }: OneProps) {
  const { range, live } = shown;
  const possible = drawings(statistic, family.members);
  const drawing = possible.find((each) => each === shown.drawing) ?? possible[0] ?? "rows";
  const change: Change = useCallback(
    (part, replace = false) => go("statistics", write({ ...shown, ...part }), replace),
    [shown],
  );
  const windowed = statistic.window !== "";
  const changed = useChanged(statistic.ident, live && !(windowed && range.zoom));
  const draw = (next: Drawing) =>
    change({ drawing: next, ...(next === "calendar" ? wholeDays(shown, statistic, family) : {}) });
  useKeys(
    useMemo(
      () => ({ l: () => change({ live: !live }), 0: () => change({ range: { ...range, zoom: null } }) }),
      [change, live, range],
    ),
  );
  const View = VIEWS[drawing];
  return (
    <>
      <About statistic={statistic} family={family} shown={shown} status={status} again={again} />
      <section class="panel statistic" aria-label={statistic.ident}>
        <header>
          <Segments label="Drawing" all={chosen(possible)} value={drawing} onChange={draw} />
          <Taking name={statistic.ident} files={files(shown, statistic, drawing)} />
        </header>
        <div class="bar-of-tools">
          {windowed ? (
            <Tools
              range={range}
              live={live}
              presets={LONG_PRESETS}
              onRange={(next) => change({ range: next })}
              onLive={(next) => change({ live: next }, true)}
            />
          ) : (
            <button type="button" class="button live" aria-pressed={live} onClick={() => change({ live: !live }, true)}>
              <span class="dot" aria-hidden="true" /> live
            </button>
          )}
          <Choices shown={shown} statistic={statistic} drawing={drawing} change={change} />
        </div>
        <Words shown={shown} change={change} />
        <View shown={{ ...shown, drawing }} statistic={statistic} changed={changed} change={change} />
      </section>
    </>
  );
}

function chosen(possible: readonly Drawing[]): Record<Drawing, string> {
  return Object.fromEntries(possible.map((each) => [each, DRAWINGS[each]])) as Record<Drawing, string>;
}

/** What else changes when days are to be seen: windows that make few of them, and a range of many. */
function wholeDays({ range }: Shown, statistic: Statistic, { members }: Family): Partial<Shown> {
  const of = daily(statistic, members) ?? statistic;
  const seconds = range.zoom ? range.zoom.until - range.zoom.from : length(range.preset);
  return {
    ident: of.ident,
    group: "",
    ...(seconds < 30 * DAY ? { range: { preset: ofCalendar(of), zoom: null } } : {}),
  };
}

interface AboutProps extends Omit<OneProps, "again"> {
  again: () => void;
}

function About({ statistic, family, shown, status, again }: AboutProps) {
  const { find } = shown;
  const filling = status.fill.filter(({ missing, error }) => missing > 0 || error);
  const to = (other: Statistic) => address("statistics", write(moved(shown, statistic, other)));
  return (
    <section class="panel about" aria-label="Statistic">
      <header>
        <h2>{family.name}</h2>
        <a href={address("statistics", new URLSearchParams(find ? { q: find } : {}))}>all statistics</a>
      </header>
      <p class="hint">{statistic.description || statistic.summary}</p>
      <div class="bar-of-tools">
        {family.members.length > 1 && (
          <ul class="segments links" aria-label="Windows">
            {family.members.map((each) => (
              <li key={each.ident}>
                <a href={to(each)} aria-current={each === statistic ? "true" : undefined}>
                  {called(each.window)}
                </a>
              </li>
            ))}
          </ul>
        )}
        <Badge {...state(statistic)} />
        {statistic.lag > 0 && <span class="aside">{behind(statistic.lag)} behind</span>}
      </div>
      {statistic.state === "stopped" && <Stopped statistic={statistic} again={again} />}
      {filling.length > 0 && <Filling fill={filling} />}
    </section>
  );
}

/** Why it stands still, and a way to let it go on. */
function Stopped({ statistic, again }: { statistic: Statistic; again: () => void }) {
  const [failed, setFailed] = useState<Error | null>(null);
  const now = useNow(5);
  const act = async () => {
    try {
      await resume(statistic.ident);
      setFailed(null);
      again();
    } catch (error) {
      setFailed(error as Error);
    }
  };
  return (
    <>
      <div class="wrong" role="alert">
        <span>
          Stopped {statistic.since === null ? "" : `${ago(statistic.since, now)} `}at message{" "}
          <code>{statistic.culprit}</code>: {statistic.error}
        </span>
        <button type="button" class="button" onClick={act}>
          Try again
        </button>
      </div>
      {failed && <Wrong error={failed} />}
    </>
  );
}
