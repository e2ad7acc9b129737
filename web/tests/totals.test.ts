import { describe, expect, test } from "vitest";
import type { Status } from "../src/api/types";
import { COUNTED, grown, NONE } from "../src/views/overview/totals";

const told = (time: number, lines: number, lost = 0) =>
  ({
    time,
    interval: 10,
    totals: { packets: lines, bytes: lines * 10, lines, bad_lines: 0, idle_seconds: 0 },
    losses: { "kernel.bad_line": lost, "spool.full": 0 },
  }) as unknown as Status;

describe("rates of totals", () => {
  test("are what they grew by, over an interval at least", () => {
    const answers = [told(100, 0), told(105, 50), told(110, 100, 20), told(115, 300, 20)];
    const { columns } = answers.reduce((before, status) => grown(before, status, 0), NONE);
    expect(Object.keys(COUNTED)).toEqual(["Lines", "Packets", "Losses", "Traffic"]);
    expect(columns.times).toEqual([105, 110, 115]);
    expect(columns.values).toEqual([
      [10, 10, 25],
      [10, 10, 25],
      [0, 2, 2],
      [100, 100, 250],
    ]);
  });

  test("begin anew with the server, and an answer that was heard already changes nothing", () => {
    const once = [told(100, 900), told(110, 1000), told(120, 5)].reduce(
      (before, status) => grown(before, status, 0),
      NONE,
    );
    expect(once.columns.times).toEqual([110]);
    expect(once.samples).toHaveLength(1);
    expect(grown(once, told(120, 9), 0)).toBe(once);
    expect(grown(once, told(130, 105), 0).columns.values[0]).toEqual([10, 10]);
  });

  test("that are old are forgotten", () => {
    const answers = Array.from({ length: 100 }, (_, index) => told(100 + 5 * index, index));
    const { columns, samples } = answers.reduce((before, status) => grown(before, status, status.time - 60), NONE);
    expect(columns.times.length).toBeLessThan(15);
    expect(samples.length).toBeLessThan(5);
  });
});
