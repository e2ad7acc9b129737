import { describe, expect, test } from "vitest";
import type { EventRecord } from "../src/api/types";
import { parse } from "../src/lib/route";
import { counted, heaped, OTHERS, slotted, stack, stepFor } from "../src/lib/stack";
import { filtered, link, over, read, write } from "../src/views/events/state";

describe("counts over time", () => {
  const counts = [
    { key: "a", time: 60, count: 1 },
    { key: "b", time: 60, count: 5 },
    { key: "b", time: 180, count: 2 },
    { key: "c", time: 120, count: 2 },
    { key: "c", time: 900, count: 100 },
  ];

  test("stand in slots, the most frequent first, what lies outside left out", () => {
    const made = stack(counts, { from: 70, until: 200 }, 60, 5);
    expect(made.columns.times).toEqual([60, 120, 180]);
    expect(made.keys).toEqual(["b", "c", "a"]);
    expect(made.totals).toEqual([7, 2, 1]);
    expect(made.columns.values).toEqual([
      [5, 0, 2],
      [0, 2, 0],
      [1, 0, 0],
    ]);
  });

  test("beyond the most frequent are told together", () => {
    const made = stack(counts, { from: 60, until: 240 }, 60, 1);
    expect(made.keys).toEqual(["b", OTHERS]);
    expect(made.totals).toEqual([7, 3]);
    const given = stack([...counts, { key: OTHERS, time: 60, count: 9 }], { from: 60, until: 240 }, 60, 5);
    expect(given.keys).toEqual(["b", "c", "a", OTHERS]);
    expect(given.totals.at(-1)).toBe(9);
  });

  test("without a key are told so, unless others may be among them", () => {
    const without = [...counts, { key: "", time: 60, count: 9 }];
    expect(stack(without, { from: 60, until: 240 }, 60, 5).keys).toEqual(["", "b", "c", "a"]);
    expect(stack(without, { from: 60, until: 240 }, 60, 3).keys).toEqual(["b", "c", "a", OTHERS]);
  });

  test("of words that have an order stand in it", () => {
    expect(stack(counts, { from: 60, until: 240 }, 60, 5, ["a", "c"]).keys).toEqual(["a", "c", "b"]);
  });

  test("stand on each other, the whole height first; nothing is no bar", () => {
    const heaps = heaped({
      times: [0, 60, 120],
      values: [
        [1, 0, 3],
        [2, 0, 0],
      ],
    });
    expect(heaps.values).toEqual([
      [3, null, 3],
      [1, null, 3],
    ]);
  });

  test("go on by what is told", () => {
    const event = { time: 65, type: "a", tenant: "x" } as EventRecord;
    expect(counted(counts, [event, event], "type", 60)).toContainEqual({ key: "a", time: 60, count: 3 });
    expect(counted([], [event], "tenant", 60)).toEqual([{ key: "x", time: 60, count: 1 }]);
  });

  test.each([
    [20, 1],
    [900, 10],
    [3600, 60],
    [86_400, 1800],
    [30 * 86_400, 43_200],
    [86_400 * 365 * 3, 86_400 * 13],
  ])("a range of %d seconds has slots of %d", (length, step) => {
    expect(stepFor({ from: 0, until: length }, 90)).toBe(step);
    expect(length / step).toBeLessThanOrEqual(90);
  });

  test("slots begin at multiples of the step", () => {
    expect(slotted({ from: 61, until: 179 }, 60)).toEqual({ from: 60, until: 180 });
  });
});

describe("the address of events", () => {
  test("holds everything", () => {
    const given =
      "#/events?type=*.create.*&tenant=acme&publisher=m.host1&priority=error&text=a+b&by=tenant&range=6h&zoom=100-200&live=0&event=x%2Fy";
    const shown = read(parse(given).parameters);
    expect(shown).toEqual({
      ...{ type: "*.create.*", tenant: "acme", publisher: "m.host1", priority: "error", text: "a b" },
      ...{ range: { preset: "6h", zoom: { from: 100, until: 200 } }, live: false, by: "tenant", id: "x/y" },
    });
    expect(read(write(shown))).toEqual(shown);
    expect(filtered(shown)).toBe(true);
  });

  test("with nonsense in it shows the usual", () => {
    const shown = read(new URLSearchParams(`by=id&range=9y&type=${"x".repeat(5000)}`));
    expect(shown).toMatchObject({ by: "type", range: { preset: "1h", zoom: null }, live: true, id: "" });
    expect(shown.type.length).toBeLessThan(500);
  });

  test("asks for a range without an end, unless one was zoomed into", () => {
    const shown = read(new URLSearchParams("range=1h&type=a"));
    expect(over(shown, shown.range, 10_000.5)).toMatchObject({ type: "a", since: 6400, until: null });
    expect(over(shown, { preset: "1h", zoom: { from: 5, until: 60 } }, 0)).toMatchObject({ since: 5, until: 60 });
  });

  test("of more like one holds what they share", () => {
    const shown = read(link({ tenant: "acme" }, { preset: "24h", zoom: null }, "e"));
    expect(shown).toMatchObject({ type: "", tenant: "acme", range: { preset: "24h" }, id: "e", live: true });
  });
});
