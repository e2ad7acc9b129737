// Days as a heat map: a row for each day of the week, a column for each week, a map for each year.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { chart as ask } from "../../api/statistics";
import { full, short } from "../../lib/numbers";
import { type CalendarDay, type CalendarYear, calendar, LEVELS } from "../../lib/statistics";
import { now } from "../../lib/times";
import { Busy, Wrong } from "../../parts/notes";
import { useAsked } from "./changed";
import { ofDays } from "./files";
import { Nothing } from "./nothing";
import type { DrawingProps } from "./one";
import { ofChart } from "./state";

const CELL = 13;
const SIZE = 11;
const [LEFT, ABOVE] = [30, 16];
const WEEKDAYS = ["Mon", "", "Wed", "", "Fri", "", "Sun"];
const SECONDS = 60;

export function CalendarView({ shown, statistic, changed, change }: DrawingProps) {
  const wanted = (at: number) => ({ ...ofChart(shown, at, 1), ...ofDays(statistic) });
  const key = JSON.stringify([statistic.ident, wanted(0), shown.range]);
  const { value, error, again } = useAsked(
    async (signal) => ({ key, data: await ask(statistic.ident, wanted(now()), signal) }),
    shown.range.zoom || !shown.live ? 0 : SECONDS,
    key,
    changed,
  );
  const [at, setAt] = useState<CalendarDay | null>(null);
  if (value?.key !== key) return error ? <Wrong error={error} again={again} /> : <Busy what="Adding up …" />;
  const { group, begins, series } = value.data;
  const values = series[0]?.values ?? [];
  if (values.every((cell) => !cell)) return <Nothing shown={shown} statistic={statistic} change={change} />;
  const years = begun(calendar(group, begins, values));
  return (
    <div class="calendar">
      {error && <Wrong error={error} again={again} />}
      <p class="aside when" role="status">
        {at ? `${at.date}: ${told(at.value)}` : sentence(years)}
      </p>
      {years.map((year) => (
        <Year key={year.year} year={year} onDay={setAt} />
      ))}
      <p class="aside scale" aria-hidden="true">
        less
        {Array.from({ length: LEVELS + 1 }, (_, level) => (
          <span key={String(level)} class={`heat heat-${level}`} />
        ))}
        more
      </p>
    </div>
  );
}

function told(value: number | null): string {
  return value === null || !Number.isInteger(value) ? short(value) : full(value);
}

/** Years from the first in which there was something. */
function begun(years: readonly CalendarYear[]): readonly CalendarYear[] {
  return years.slice(0, years.findLastIndex(({ days }) => days.some(({ value }) => value)) + 1);
}

/** The day with the most, in words. */
function sentence(years: readonly CalendarYear[]): string {
  const days = years.flatMap((year) => year.days);
  const most = days.reduce<CalendarDay | null>((one, day) => ((day.value ?? 0) > (one?.value ?? 0) ? day : one), null);
  return most ? `The most was on ${most.date}: ${told(most.value)}` : "Nothing";
}

/** The day that the pointer is on. */
function under(target: EventTarget | null, { days }: CalendarYear): CalendarDay | null {
  const date = target instanceof Element ? target.getAttribute("data-date") : null;
  return days.find((day) => day.date === date) ?? null;
}

function Year({ year, onDay }: { year: CalendarYear; onDay: (day: CalendarDay | null) => void }) {
  const width = LEFT + year.weeks * CELL;
  const height = ABOVE + 7 * CELL;
  const place = useRef<HTMLElement>(null);
  const last = year.days.findLast(({ value }) => value)?.week ?? 0;
  useLayoutEffect(() => {
    // where the map is wider than the screen, the newest days are what one looks for
    if (place.current) place.current.scrollLeft = LEFT + (last + 2) * CELL - place.current.clientWidth;
  }, [last]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what is scrolled is reached by keys
    <section class="year" tabIndex={0} aria-label={year.year} ref={place}>
      <h3>{year.year}</h3>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        width={width}
        height={height}
        role="img"
        aria-label={`${sentence([year])}; the rows tell each day`}
        onMouseMove={(event) => onDay(under(event.target, year))}
        onMouseLeave={() => onDay(null)}
      >
        {year.months.map(({ name, week }) => (
          <text key={name} x={LEFT + week * CELL} y={11}>
            {name}
          </text>
        ))}
        {WEEKDAYS.map((name, index) => (
          <text key={name || String(index)} x={0} y={ABOVE + index * CELL + 10}>
            {name}
          </text>
        ))}
        {year.days.map((day) => (
          <rect
            key={day.date}
            class={`heat-${day.level}`}
            x={LEFT + day.week * CELL}
            y={ABOVE + day.weekday * CELL}
            width={SIZE}
            height={SIZE}
            rx={2}
            data-date={day.date}
          >
            <title>{`${day.date}: ${told(day.value)}`}</title>
          </rect>
        ))}
      </svg>
    </section>
  );
}
