// The largest of a statistic, as a list.
import { full } from "../../lib/numbers";
import { Busy, Wrong } from "../../parts/notes";
import { Share } from "../../parts/share";
import { type Column, Table } from "../../parts/table";
import { useAsked } from "./changed";
import { Nothing } from "./nothing";
import type { DrawingProps } from "./one";
import { look, MOST, type Ranked } from "./ranking";
import { demanded, ofChart } from "./state";

/** Seconds after which a range that ends now has moved. */
const SECONDS = 60;

export function Top({ shown, statistic, changed, change }: DrawingProps) {
  const key = JSON.stringify([statistic.ident, ofChart(shown, 0, MOST), shown.range]);
  const { value, error, again } = useAsked(
    async (signal) => ({ key, ranked: await look(statistic, shown, signal) }),
    shown.range.zoom || !shown.live ? 0 : SECONDS,
    key,
    changed,
  );
  if (value?.key !== key) return error ? <Wrong error={error} again={again} /> : <Busy what="Adding up …" />;
  if (value.ranked.length === 0) return <Nothing shown={shown} statistic={statistic} change={change} />;
  const { ranked: found } = value;
  const cut = !statistic.window && found.length === MOST;
  const all = cut ? null : found.reduce((sum, { total }) => sum + total, 0);
  const longest = Math.max(...found.map(({ total }) => total));
  const names = Object.keys(found[0]?.key ?? {});
  const columns: Column<Ranked>[] = [
    {
      name: names.join(", ") || "all",
      class: "wide",
      cell: (row) => <Name of={row.key} shown={shown} change={change} />,
    },
    {
      name: statistic.columns.at(-1) ?? "",
      number: true,
      cell: ({ total }) => <Share part={total} whole={all} longest={longest} />,
    },
  ];
  return (
    <>
      {error && <Wrong error={error} again={again} />}
      <Table
        label={`Top of ${statistic.ident}`}
        columns={columns}
        rows={found}
        id={({ key: of }) => JSON.stringify(of)}
      />
      {cut && <p class="hint">The {full(MOST)} largest; the CSV has all.</p>}
    </>
  );
}

function Name({ of, shown, change }: Pick<DrawingProps, "shown" | "change"> & { of: Ranked["key"] }) {
  if (of === null) return <span class="muted">all others together</span>;
  const words = Object.values(of).map((word) => word ?? "(none)");
  if (words.length === 0) return <span>all together</span>;
  return (
    <button
      type="button"
      class="chip"
      title={`Only ${words.join(", ")}`}
      onClick={() => change({ words: demanded(shown.words, of) })}
    >
      <code>{words.join(", ")}</code>
    </button>
  );
}
