import { describe, expect, test } from "vitest";
import { query } from "../src/api/client";
import { bounds, fromText, moved, narrowed, zoomText } from "../src/lib/range";
import { address, parse } from "../src/lib/route";
import { asked, cut, marked } from "../src/lib/search";
import { scrolledTo, seen } from "../src/lib/window";
import { MOST, read, toggled, write } from "../src/views/explorer/state";

describe("the address", () => {
  test("holds the whole state of the explorer", () => {
    const shown = {
      text: "a b",
      paths: ["x;dc=east", "y*"],
      range: { preset: "6h" as const, zoom: { from: 100, until: 200 } },
      live: false,
    };
    expect(read(parse(address("series", write(shown))).parameters)).toEqual(shown);
  });

  test("with nonsense in it shows the usual", () => {
    const shown = read(new URLSearchParams("range=9y&zoom=5-1&s=&s=a&s=a"));
    expect(shown).toEqual({ text: "", paths: ["a"], range: { preset: "1h", zoom: null }, live: true });
  });

  test("never holds more series than fit on a chart", () => {
    const many = Array.from({ length: MOST + 5 }, (_, index) => `s${index}`);
    expect(read(new URLSearchParams(many.map((path) => ["s", path]))).paths).toHaveLength(MOST);
    expect(toggled(many.slice(0, MOST), "one more")).toHaveLength(MOST);
    expect(toggled(["a", "b"], "a")).toEqual(["b"]);
  });
});

test("a query repeats the name for each item of a list and leaves out what is empty", () => {
  expect(query({ path: ["a b", "c"], from: 5, cursor: null, tag: "" })).toBe("?path=a+b&path=c&from=5");
  expect(query({})).toBe("");
});

describe("what is typed", () => {
  test.each([
    ["", "*", []],
    ["page views", "*page*views*", []],
    ["stats.*.count", "stats.*.count", []],
    ["host dc=east", "*host*", ["dc=east"]],
    ["dc=east", "*", ["dc=east"]],
  ])("%j is the glob %j and tags %j", (text, match, tag) => expect(asked(text)).toEqual({ match, tag }));

  test("is marked in what was found", () => {
    expect(marked("stats.page.views", "PAGE view")).toEqual(["stats.", "page", ".", "view", "s"]);
    expect(marked("stats.page", "nothing")).toEqual(["stats.page"]);
  });

  test("stays marked where the path is cut", () => {
    const [head, tail] = cut(["a.", "page", ".b"], 4);
    expect(head).toEqual([
      { text: "a.", hit: false },
      { text: "pa", hit: true },
    ]);
    expect(tail).toEqual([
      { text: "ge", hit: true },
      { text: ".b", hit: false },
    ]);
  });
});

describe("ranges", () => {
  test("end now, or are a part that was zoomed into", () => {
    expect(bounds(fromText("15m", null), 10_000)).toEqual({ from: 9100, until: 10_000 });
    expect(bounds(fromText("15m", "5-60"), 10_000)).toEqual({ from: 5, until: 60 });
    expect(zoomText({ from: 5.7, until: 59.2 })).toBe("5-60");
  });

  test("are never shorter than what shows something", () => {
    const { from, until } = narrowed({ from: 100, until: 101 });
    expect(until - from).toBeGreaterThanOrEqual(20);
  });

  test("move and grow, but not into the future", () => {
    expect(moved({ from: 100, until: 200 }, -0.5, 1, 1000)).toEqual({ from: 50, until: 150 });
    expect(moved({ from: 100, until: 200 }, 0, 2, 1000)).toEqual({ from: 50, until: 250 });
    expect(moved({ from: 900, until: 1000 }, 0.5, 1, 1000)).toEqual({ from: 900, until: 1000 });
  });
});

test("of a long list the rows around what is seen are drawn", () => {
  expect(seen(0, 100, 10, 5)).toEqual({ first: 0, end: 5 });
  const { first, end } = seen(50_000, 280, 28, 100_000);
  expect(first).toBeLessThanOrEqual(1785);
  expect(end - first).toBeLessThan(30);
  expect(scrolledTo(3, 0, 100, 28)).toBe(12);
  expect(scrolledTo(1, 100, 100, 28)).toBe(28);
  expect(scrolledTo(1, 0, 100, 28)).toBe(0);
});
