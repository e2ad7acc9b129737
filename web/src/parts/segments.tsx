// A choice of a few, side by side.

interface SegmentsProps<T extends string> {
  label: string;
  /** What each is called. */
  all: Readonly<Record<T, string>>;
  value: T;
  onChange: (value: T) => void;
}

export function Segments<T extends string>({ label, all, value, onChange }: SegmentsProps<T>) {
  return (
    <fieldset class="segments" aria-label={label}>
      {(Object.keys(all) as T[]).map((each) => (
        <button type="button" key={each} aria-pressed={each === value} onClick={() => onChange(each)}>
          {all[each]}
        </button>
      ))}
    </fieldset>
  );
}

/** Words that are called as they are. */
export const named = <T extends string>(names: readonly T[]) =>
  Object.fromEntries(names.map((name) => [name, name])) as Record<T, T>;
