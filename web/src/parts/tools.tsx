// Above the chart: which range, live or not, and what to take away.
import { useState } from "preact/hooks";
import { copy, save } from "../lib/copy";
import { bounds, moved, narrowed, PRESETS, type Preset, type Range } from "../lib/range";
import { now, span } from "../lib/times";

interface ToolsProps {
  range: Range;
  live: boolean;
  presets?: readonly Preset[];
  onRange: (range: Range) => void;
  onLive: (live: boolean) => void;
}

export function Tools({ range, live, presets = PRESETS, onRange, onLive }: ToolsProps) {
  const shift = (by: number, factor: number) => {
    const at = now();
    onRange({ ...range, zoom: narrowed(moved(bounds(range, at), by, factor, at)) });
  };
  return (
    <div class="bar-of-tools">
      <fieldset class="segments" aria-label="Range">
        {presets.map((preset) => (
          <button
            type="button"
            key={preset}
            aria-pressed={!range.zoom && range.preset === preset}
            onClick={() => onRange({ preset, zoom: null })}
          >
            {preset}
          </button>
        ))}
      </fieldset>
      <fieldset class="segments" aria-label="Move">
        <button type="button" aria-label="Earlier" title="Earlier" onClick={() => shift(-0.5, 1)}>
          ‹
        </button>
        <button type="button" aria-label="Later" title="Later" onClick={() => shift(0.5, 1)}>
          ›
        </button>
        <button type="button" aria-label="Zoom in" title="Zoom in" onClick={() => shift(0, 0.5)}>
          +
        </button>
        <button type="button" aria-label="Zoom out" title="Zoom out" onClick={() => shift(0, 2)}>
          −
        </button>
      </fieldset>
      {range.zoom ? (
        <button type="button" class="button zoomed" onClick={() => onRange({ ...range, zoom: null })}>
          {span(range.zoom.from, range.zoom.until)} <span aria-hidden="true">×</span>
          <span class="hidden">reset zoom</span>
        </button>
      ) : (
        <button type="button" class="button live" aria-pressed={live} onClick={() => onLive(!live)}>
          <span class="dot" aria-hidden="true" /> live
        </button>
      )}
    </div>
  );
}

interface TakingProps {
  /** What can be taken, by the end of its file's name. */
  files: Readonly<Record<string, () => Promise<Blob>>>;
  name: string;
}

/** Take the link, the numbers or the picture along. */
export function Taking({ files, name }: TakingProps) {
  const [said, setSaid] = useState("");
  const tell = (text: string) => {
    setSaid(text);
    setTimeout(() => setSaid(""), 3000);
  };
  const share = async () => tell((await copy(location.href)) ? "link copied" : "copy the address above");
  const take = async (format: string) => {
    try {
      const content = await files[format]?.();
      if (content) save(content, `${name}.${format}`);
    } catch (error) {
      tell((error as Error).message);
    }
  };
  return (
    <div class="taking">
      <span class="said" role="status">
        {said}
      </span>
      <button type="button" class="button" onClick={share}>
        Share
      </button>
      {Object.keys(files).map((format) => (
        <button type="button" key={format} class="button" onClick={() => take(format)}>
          {format.toUpperCase()}
        </button>
      ))}
    </div>
  );
}
