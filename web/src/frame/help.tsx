// Keys and first steps.
import { useEffect, useRef } from "preact/hooks";
import { Send } from "../parts/notes";
import { VIEWS } from "../views/views";

const KEYS: readonly [string, string][] = [
  ["/", "search"],
  ["↓ ↑", "move through what was found"],
  ["j k", "move through events"],
  ["Enter", "put a series on the chart, or take it off; open an event"],
  ["Esc", "clear the search, close the event"],
  ["drag", "zoom into a part of a chart"],
  ["double click, 0", "show the whole range again"],
  ["l", "live on or off"],
  [`1 – ${VIEWS.filter((view) => !view.linked).length}`, "go to a view"],
  ["t", "dark or light"],
  ["?", "this help"],
];

export function Help({ open, onClose }: { open: boolean; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="help-title">
      <h2 id="help-title">Keys</h2>
      <dl class="keys">
        {KEYS.map(([key, does]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <h2>Send something</h2>
      <Send text="hello:1|c" />
      <form method="dialog">
        <button type="submit" class="button primary">
          Close
        </button>
      </form>
    </dialog>
  );
}
