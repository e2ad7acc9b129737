// Which events: fields that suggest what there is.
import { useId, useState } from "preact/hooks";
import { counts } from "../../api/client";
import { usePoll } from "../../lib/poll";
import { PRIORITIES } from "../../lib/priorities";
import { bounds, type Range } from "../../lib/range";
import { type By, OTHERS } from "../../lib/stack";
import { families, ranking } from "../../lib/suggest";
import { now } from "../../lib/times";
import { useTyped } from "../../lib/typing";
import { type Filters, filtered, NOTHING, type Shown } from "./state";

/** Suggestions of a field. */
const MOST = 50;

interface FieldsProps {
  shown: Shown;
  onChange: (part: Partial<Filters>, typed?: boolean) => void;
}

export function Fields({ shown, onChange }: FieldsProps) {
  const { range } = shown;
  return (
    <search class="filters" aria-label="Which events">
      <Field
        label="Type"
        hint="Type: table.*"
        by="type"
        value={shown.type}
        range={range}
        first
        onText={(type) => onChange({ type }, true)}
      />
      <Field
        label="Text in the payload"
        hint="Text"
        value={shown.text}
        range={range}
        onText={(text) => onChange({ text }, true)}
      />
      <Field
        label="Tenant"
        by="tenant"
        value={shown.tenant}
        range={range}
        onText={(tenant) => onChange({ tenant }, true)}
      />
      <Field
        label="Publisher"
        by="publisher"
        value={shown.publisher}
        range={range}
        onText={(publisher) => onChange({ publisher }, true)}
      />
      <select
        class="search"
        aria-label="Priority"
        value={shown.priority}
        onChange={(event) => onChange({ priority: event.currentTarget.value })}
      >
        <option value="">Any priority</option>
        {PRIORITIES.map((priority) => (
          <option key={priority} value={priority}>
            {priority}
          </option>
        ))}
      </select>
      {filtered(shown) && (
        <button type="button" class="button" onClick={() => onChange(NOTHING)}>
          Clear
        </button>
      )}
    </search>
  );
}

interface FieldProps {
  label: string;
  hint?: string;
  /** What the suggestions are; without it there are none. */
  by?: By;
  value: string;
  range: Range;
  /** It is what `/` leads to. */
  first?: boolean;
  onText: (text: string) => void;
}

function Field({ label, hint = label, by, value, range, first = false, onText }: FieldProps) {
  const [text, setText] = useTyped(value, onText);
  const [wanted, setWanted] = useState(false);
  const list = useId();
  return (
    <>
      <input
        type="search"
        class="search"
        aria-label={label}
        placeholder={hint}
        autocomplete="off"
        spellcheck={false}
        maxLength={255}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onFocus={() => setWanted(true)}
        onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
        {...(by ? { list } : {})}
        {...(first ? { "data-search": "" } : {})}
      />
      {by && <datalist id={list}>{wanted && <Suggested by={by} range={range} />}</datalist>}
    </>
  );
}

/** What there is in the range, the most frequent first; of types also their families. */
function Suggested({ by, range }: { by: By; range: Range }) {
  const { value } = usePoll(
    async (signal) => {
      const { from, until } = bounds(range, now());
      const step = Math.ceil(until - from) + 1;
      return (await counts({ by, step, most: MOST, since: Math.floor(from), until: Math.ceil(until) }, signal)).counts;
    },
    0,
    JSON.stringify([by, range]),
  );
  const names = ranking(value ?? []).filter((name) => name && name !== OTHERS);
  return (
    <>
      {[...(by === "type" ? families(names) : []), ...names].map((name) => (
        <option key={name} value={name} />
      ))}
    </>
  );
}
