// Every setting in force, with what it comes from.
import { config } from "../../api/client";
import { usePoll } from "../../lib/poll";
import { go } from "../../lib/route";
import { Busy, Empty, Wrong } from "../../parts/notes";
import { Panel } from "../../parts/panel";
import { Table } from "../../parts/table";
import type { ViewProps } from "../views";

const DEFAULT = "default";

export function Settings({ parameters }: ViewProps) {
  const { value, error, again } = usePoll(config, 0);
  const text = parameters.get("q") ?? "";
  const changed = parameters.get("changed") === "1";
  const set = (name: string, next: string) => {
    const copy = new URLSearchParams(parameters);
    if (next) copy.set(name, next);
    else copy.delete(name);
    go("settings", copy, true);
  };
  if (value === null) return error ? <Wrong error={error} again={again} /> : <Busy what="Asking the server …" />;
  const all = Object.entries(value.settings);
  const rows = all
    .filter(([name, setting]) => `${name} ${setting.value}`.toLowerCase().includes(text.toLowerCase()))
    .filter(([, setting]) => !changed || setting.origin !== DEFAULT);
  return (
    <Panel title="Settings in force" beside={<span class="aside">{`${rows.length} of ${all.length}`}</span>}>
      <div class="bar-of-tools">
        <input
          type="search"
          class="search"
          data-search
          aria-label="Filter settings"
          placeholder="Filter by name or value"
          value={text}
          onInput={(event) => set("q", event.currentTarget.value)}
        />
        <label class="check">
          <input
            type="checkbox"
            checked={changed}
            onChange={(event) => set("changed", event.currentTarget.checked ? "1" : "")}
          />
          only what was changed
        </label>
      </div>
      {rows.length === 0 ? (
        <Empty title="No setting fits">
          <p>
            {changed ? "Everything that fits has its default." : "Search for a part of a name, such as spool or flush."}
          </p>
        </Empty>
      ) : (
        <Table
          label="Settings"
          rows={rows}
          id={([name]) => name}
          columns={[
            { name: "Setting", class: "title", cell: ([name]) => <code>{name}</code> },
            { name: "Value", class: "wide", cell: ([, setting]) => <code>{setting.value}</code> },
            {
              name: "From",
              cell: ([, setting]) => (
                <span class={setting.origin === DEFAULT ? "muted" : "badge plain"}>{setting.origin}</span>
              ),
            },
          ]}
        />
      )}
    </Panel>
  );
}
