// What of a statistic can be taken along: the chart as numbers or a picture, the largest or the rows as numbers.
import type { Query } from "../../api/client";
import { chartFile, rows, type Statistic, type StatisticRow } from "../../api/statistics";
import { csv } from "../../lib/csv";
import type { Drawing } from "../../lib/statistics";
import { now } from "../../lib/times";
import { look } from "./ranking";
import { ofChart, ofRows, type Shown } from "./state";

const PAGE = 10_000;
const SERIES = 100;
/** Series that can be told apart in a picture. */
const DRAWN = 8;
const OTHERS = "(all others)";

/** Every row that fits, page by page. */
export async function all(ident: string, wanted: Query): Promise<{ columns: string[]; found: StatisticRow[] }> {
  const found: StatisticRow[] = [];
  let columns: string[] = [];
  let cursor: string | null = "";
  do {
    const page = await rows(ident, { ...wanted, limit: PAGE, cursor });
    if (found.length === 0) columns = page.columns;
    for (const row of page.rows) found.push(row);
    cursor = page.cursor;
  } while (cursor);
  return { columns, found };
}

async function asCsv(shown: Shown, statistic: Statistic): Promise<Blob> {
  const { columns, found } = await all(statistic.ident, ofRows(shown, statistic, now()));
  const cells = found.map((row) => columns.map((name) => row[name] ?? ""));
  return new Blob([csv(columns, cells)], { type: "text/csv" });
}

/** The largest, and all others together. */
async function asTop(shown: Shown, statistic: Statistic): Promise<Blob> {
  const found = await look(statistic, shown);
  const names = Object.keys(found.find(({ key }) => key)?.key ?? {});
  const words = (key: Record<string, string | null> | null) => names.map((name) => (key ? (key[name] ?? "") : OTHERS));
  const head = [...names, statistic.columns.at(-1) ?? ""];
  return new Blob(
    [
      csv(
        head,
        found.map(({ key, total }) => [...words(key), total]),
      ),
    ],
    { type: "text/csv" },
  );
}

/** The files that a drawing offers. */
export function files(shown: Shown, statistic: Statistic, drawing: Drawing): Record<string, () => Promise<Blob>> {
  const { ident, window } = statistic;
  if (!window || drawing === "rows" || drawing === "log") return { csv: () => asCsv(shown, statistic) };
  if (drawing === "top") return { csv: () => asTop(shown, statistic) };
  const days = drawing === "calendar" ? ofDays(statistic) : {};
  const wanted = (most: number) => ({ ...ofChart(shown, now(), most), ...days });
  return {
    csv: () => chartFile(ident, wanted(SERIES), "csv"),
    svg: () => chartFile(ident, { ...wanted(DRAWN), style: drawing }, "svg"),
  };
}

/** What else a chart of days is asked for. */
export function ofDays({ window, kind }: Statistic): Query {
  const days = /^1d/.test(window) ? window : "1d";
  return { group: days, by: kind === "distinct" ? null : [""] };
}
