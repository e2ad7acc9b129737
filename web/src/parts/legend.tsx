// The series on the chart, with their values under the cursor and over the range.
import { type Cell, facts } from "../lib/columns";
import { short } from "../lib/numbers";
import { seriesColour } from "../lib/theme";

interface LegendProps {
  /** What the table is called. */
  label?: string;
  paths: readonly string[];
  /** What the series are called here; without it, their paths. */
  names?: readonly string[];
  values: readonly (readonly Cell[])[];
  index: number | null;
  when: string;
  onBright: (index: number | null) => void;
  onRemove?: (path: string) => void;
}

export function Legend({
  label = "Series on the chart",
  paths,
  names = paths,
  values,
  index,
  when,
  onBright,
  onRemove,
}: LegendProps) {
  return (
    <table class="legend" aria-label={label}>
      <thead>
        <tr>
          <th scope="col">Series</th>
          <th scope="col" class="number">
            {when || "last"}
          </th>
          <th scope="col" class="number">
            least
          </th>
          <th scope="col" class="number">
            mean
          </th>
          <th scope="col" class="number">
            most
          </th>
          {onRemove && (
            <th scope="col">
              <span class="hidden">Remove</span>
            </th>
          )}
        </tr>
      </thead>
      <tbody>
        {paths.map((path, place) => {
          const column = values[place] ?? [];
          const told = facts(column);
          const value = index === null ? told.last : (column[index] ?? null);
          return (
            <tr key={path} onMouseEnter={() => onBright(place)} onMouseLeave={() => onBright(null)}>
              <th scope="row">
                <span class="named">
                  <span class="swatch" style={{ background: `var(${seriesColour(place)})` }} />
                  <code title={path}>{names[place]}</code>
                </span>
              </th>
              <td class="number now" data-name={when || "last"}>
                {short(value)}
              </td>
              <td class="number" data-name="least">
                {short(told.least)}
              </td>
              <td class="number" data-name="mean">
                {short(told.mean)}
              </td>
              <td class="number" data-name="most">
                {short(told.most)}
              </td>
              {onRemove && (
                <td class="remove">
                  <button
                    type="button"
                    class="button quiet"
                    aria-label={`Remove ${path}`}
                    onClick={() => onRemove(path)}
                  >
                    ×
                  </button>
                </td>
              )}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
