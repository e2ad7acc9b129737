// Asks for the token when the server wants one.
import { useEffect, useRef, useState } from "preact/hooks";
import { give, wanted } from "../api/token";
import { useStore } from "../lib/store";

export function TokenPrompt() {
  const want = useStore(wanted);
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState("");
  useEffect(() => {
    if (want !== "nothing") dialog.current?.showModal();
    else dialog.current?.close();
  }, [want]);
  const submit = (event: Event) => {
    event.preventDefault();
    if (!text.trim()) return;
    give(text);
    setText("");
  };
  return (
    <dialog ref={dialog} aria-labelledby="token-title">
      <form onSubmit={submit}>
        <h2 id="token-title">This server asks for a token</h2>
        {want === "another" && <p role="alert">The server does not know this token, or it may not read.</p>}
        <label>
          Token
          <input
            type="password"
            class="search"
            autocomplete="off"
            spellcheck={false}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <p class="muted">
          It stays in this tab until you close it. Whoever runs the server makes one:{" "}
          <code>nilometer token create</code>
        </p>
        <button type="submit" class="button primary">
          Go on
        </button>
      </form>
    </dialog>
  );
}
