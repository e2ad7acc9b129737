import { describe, expect, test } from "vitest";
import { appended, columns, facts, joined, lone, sum } from "../src/lib/columns";
import { counterOf, names } from "../src/lib/names";

const run = (path: string, start: number, step: number, values: (number | null)[]) => ({ path, start, step, values });

describe("columns", () => {
  test("of one grid stand side by side, in the order asked for", () => {
    const made = columns([run("a", 10, 10, [1, null]), run("b", 10, 10, [3, 4])], ["b", "a"]);
    expect(made).toEqual({
      times: [10, 20],
      values: [
        [3, 4],
        [1, null],
      ],
    });
  });

  test("of several grids: a time that a series does not know is no gap", () => {
    const made = columns([run("a", 10, 10, [1, null]), run("b", 10, 20, [3])], ["a", "b"]);
    expect(made.times).toEqual([10, 20]);
    expect(made.values).toEqual([
      [1, null],
      [3, undefined],
    ]);
  });

  test("a series without an answer is empty", () => {
    expect(columns([run("a", 10, 10, [1])], ["a", "b"]).values).toEqual([[1], [null]]);
  });
});

describe("appended", () => {
  const before = { times: [10, 20], values: [[1, 2]] };

  test("puts a moment behind and forgets what is too old", () => {
    expect(appended(before, 30, [3], 20)).toEqual({ times: [20, 30], values: [[2, 3]] });
  });

  test("puts the same moment right, and keeps what it does not know", () => {
    expect(appended(before, 20, [5], 0)).toEqual({ times: [10, 20], values: [[1, 5]] });
    expect(appended(before, 20, [null], 0)).toEqual({ times: [10, 20], values: [[1, 2]] });
  });

  test("leaves an earlier moment out", () => {
    expect(appended(before, 15, [9], 0)).toBe(before);
  });

  test("starts from nothing", () => {
    expect(appended({ times: [], values: [[]] }, 30, [3], 20)).toEqual({ times: [30], values: [[3]] });
  });
});

describe("joined", () => {
  const lately = {
    times: [20, 30, 40],
    values: [
      [2, 3, 4],
      [5, 6, null],
    ],
  };

  test("keeps what the store does not know yet", () => {
    const fresh = {
      times: [10, 20, 30],
      values: [
        [1, 2.5, null],
        [null, null, undefined],
      ],
    };
    expect(joined(fresh, lately)).toEqual({
      times: [10, 20, 30, 40],
      values: [
        [1, 2.5, 3, 4],
        [null, null, 6, null],
      ],
    });
  });

  test("of nothing is the other", () => {
    const nothing = { times: [], values: [[], []] };
    expect(joined(nothing, lately)).toEqual(lately);
    expect(joined(lately, nothing)).toEqual(lately);
  });
});

test("facts leave gaps out", () => {
  expect(facts([1, null, 4, undefined])).toEqual({ least: 1, mean: 2.5, most: 4, last: 4 });
  expect(facts([null])).toEqual({ least: null, mean: null, most: null, last: null });
});

test("a sum has a gap where all have one", () => {
  expect(
    sum(
      [
        [1, null, null],
        [2, 3],
      ],
      3,
    ),
  ).toEqual([3, 3, null]);
});

test("the server's own series stand in the tree by its prefix and tags", () => {
  expect(names("nilometer.*").counter("lines")).toBe("stats.counters.nilometer.lines.rate");
  expect(names("*;dc=east").gauge("series")).toBe("stats.gauges.series;dc=east");
});

test("the series of an event have its type in their names, without ids and what no name can hold", () => {
  expect(counterOf("table.create.end")).toBe("events.table.create.end");
  expect(counterOf("vm é/8c2d8a6c6e0f4f8a9f1c.up.123456.12345")).toBe("events.vm_id.up.id.12345");
});

test.each([
  [
    [1, null, 2, 3, null, 4],
    [0, 5],
  ],
  [[null, 1, undefined, null, 2, undefined, 3], [1]],
  [[1], [0]],
  [[], []],
  [[null, 0, null], [1]],
])("values between gaps in %j stand at %j", (cells, places) => {
  expect(lone(cells)).toEqual(places);
});
