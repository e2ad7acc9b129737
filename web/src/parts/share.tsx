// A number with a bar beside it.
import { full, percent } from "../lib/numbers";

interface ShareProps {
  part: number;
  /** What it is a share of; null where nobody knows. */
  whole: number | null;
  /** What fills the bar; without it, the whole. */
  longest?: number;
}

export function Share({ part, whole, longest = whole ?? part }: ShareProps) {
  const width = longest > 0 ? part / longest : 0;
  return (
    <span class="share" title={whole === null || whole <= 0 ? undefined : percent((part / whole) * 100)}>
      <span class="track">
        <span class="bar" style={{ width: `${Math.round(width * 1000) / 10}%` }} />
      </span>
      <span>{full(part)}</span>
    </span>
  );
}
