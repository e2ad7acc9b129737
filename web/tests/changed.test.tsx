import { render } from "preact";
import { afterEach, expect, test, vi } from "vitest";
import { useAsked } from "../src/views/statistics/changed";

interface Question {
  signal: AbortSignal;
  answer: (text: string) => void;
}

const place = document.createElement("div");
afterEach(() => render(null, place));

/** Draws what is answered, and keeps the questions. */
function drawn(questions: Question[]) {
  const ask = (signal: AbortSignal) => new Promise<string>((answer) => questions.push({ signal, answer }));
  const View = ({ of, changed }: { of: string; changed: number }) => <p>{useAsked(ask, 0, of, changed).value}</p>;
  return (of: string, changed: number) => render(<View of={of} changed={changed} />, place);
}

test("an answer is waited for, however much changes meanwhile, and asked for once more after that", async () => {
  const questions: Question[] = [];
  const draw = drawn(questions);
  draw("a", 0);
  await vi.waitFor(() => expect(questions).toHaveLength(1));
  for (let changed = 1; changed <= 3; changed++) draw("a", changed);
  questions[0]?.answer("first");
  await vi.waitFor(() => expect(place.textContent).toBe("first"));
  await vi.waitFor(() => expect(questions).toHaveLength(2));
  questions[1]?.answer("second");
  await vi.waitFor(() => expect(place.textContent).toBe("second"));
  draw("a", 3);
  draw("a", 4);
  await vi.waitFor(() => expect(questions).toHaveLength(3));
});

test("another question takes the place of one that waits", async () => {
  const questions: Question[] = [];
  const draw = drawn(questions);
  draw("a", 0);
  await vi.waitFor(() => expect(questions).toHaveLength(1));
  draw("b", 0);
  await vi.waitFor(() => expect(questions).toHaveLength(2));
  expect(questions[0]?.signal.aborted).toBe(true);
  questions[0]?.answer("old");
  questions[1]?.answer("new");
  await vi.waitFor(() => expect(place.textContent).toBe("new"));
});
