// What is said where a range is empty: when the newest row was, and a way there.
import { rows as ask } from "../../api/statistics";
import { usePoll } from "../../lib/poll";
import { moment } from "../../lib/times";
import { Empty } from "../../parts/notes";
import type { DrawingProps } from "./one";

const WINDOWS = 60;

export function Nothing({ shown, statistic, change }: Omit<DrawingProps, "changed">) {
  const { value } = usePoll(
    (signal) => ask(statistic.ident, { key: shown.words, limit: 1 }, signal),
    0,
    `${statistic.ident} ${shown.words.join(" ")}`,
  );
  const newest = value?.rows[0]?.timestamp;
  const length = WINDOWS * (statistic.interval ?? 0);
  if (value === null) return null;
  if (newest === undefined)
    return (
      <Empty title="No rows yet">
        <p>A message that counts here makes the first.</p>
      </Empty>
    );
  const there = () => change({ range: { ...shown.range, zoom: { from: newest - length, until: newest } } });
  return (
    <Empty title="Nothing in this range">
      <p>
        The newest row is of {moment(newest)}.{" "}
        {length > 0 && (
          <button type="button" class="button" onClick={there}>
            Show it
          </button>
        )}
      </p>
    </Empty>
  );
}
