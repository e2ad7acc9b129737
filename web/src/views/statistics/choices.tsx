// What one chooses of a statistic besides the range: windows, what tells series apart, a measure, words of the key.
import type { Statistic } from "../../api/statistics";
import { adds, type Drawing, groups } from "../../lib/statistics";
import { Segments } from "../../parts/segments";
import type { Change } from "./one";
import type { Shown } from "./state";

interface ChoicesProps {
  shown: Shown;
  statistic: Statistic;
  drawing: Drawing;
  change: Change;
}

const TOGETHER = "";
const ALL = " all";

export function Choices({ shown, statistic, drawing, change }: ChoicesProps) {
  const { kind, keys, columns } = statistic;
  const over = drawing === "bars" || drawing === "lines";
  const windows = groups(statistic);
  const fewest = over ? 1 : 2; // a list of one line for all tells nothing
  const apart = (over || drawing === "top") && statistic.window !== "" && adds(statistic) && keys.length >= fewest;
  return (
    <>
      {over && windows.length > 1 && (
        <Chosen
          label="Windows"
          all={[["", "automatic windows"], ...windows.map((each): [string, string] => [each, `windows of ${each}`])]}
          value={windows.includes(shown.group) ? shown.group : ""}
          onChange={(group) => change({ group })}
        />
      )}
      {kind === "distribution" && drawing !== "rows" && (
        <Chosen
          label="Measure"
          all={columns.filter((name) => name !== "timestamp" && !keys.includes(name)).map((name) => [name, name])}
          value={shown.column || "count"}
          onChange={(column) => change({ column })}
        />
      )}
      {apart && <Apart shown={shown} keys={keys} change={change} together={drawing !== "top"} />}
    </>
  );
}

interface ApartProps {
  shown: Shown;
  keys: readonly string[];
  change: Change;
  together: boolean;
}

function Apart({ shown, keys, change, together }: ApartProps) {
  const all: Record<string, string> = { ...(together ? { [TOGETHER]: "together" } : {}) };
  for (const name of keys) all[name] = name;
  if (keys.length > 1) all[ALL] = keys.length > 2 ? "all of these" : "both";
  const set = (next: string) => change({ by: next === ALL ? null : [next] });
  return <Segments label="Told apart by" all={all} value={value(shown.by, keys)} onChange={set} />;
}

function value(by: readonly string[] | null, keys: readonly string[]): string {
  if (by === null) return keys.length > 1 ? ALL : (keys[0] ?? TOGETHER);
  return by.length === 1 ? (by[0] ?? TOGETHER) : ALL;
}

interface ChosenProps {
  label: string;
  all: readonly (readonly [string, string])[];
  value: string;
  onChange: (value: string) => void;
}

function Chosen({ label, all, value, onChange }: ChosenProps) {
  return (
    <select class="search" aria-label={label} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
      {all.map(([name, words]) => (
        <option key={name} value={name}>
          {words}
        </option>
      ))}
    </select>
  );
}

/** The words that the key must have, each of which can be dropped. */
export function Words({ shown, change }: Pick<ChoicesProps, "shown" | "change">) {
  if (shown.words.length === 0) return null;
  return (
    <ul class="keyed whole" aria-label="Only">
      {shown.words.map((word) => (
        <li key={word}>
          <button
            type="button"
            class="chip only"
            aria-label={`Drop ${word}`}
            onClick={() => change({ words: shown.words.filter((each) => each !== word) })}
          >
            <code>{word.includes("=") ? word.replace("=", " = ") : `no ${word}`}</code> ×
          </button>
        </li>
      ))}
    </ul>
  );
}
