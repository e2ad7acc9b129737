import { expect, test } from "vitest";
import { address, parse } from "../src/lib/route";
import { apart, MOST_CHARTS, MOST_LINES, read, write } from "../src/views/charts/state";

test("the address holds the charts, each with its series, as they were given", () => {
  const given = "#/charts?chart=One+two&s=a.{x,y}.b&s=c&chart=Other&s=d;k=v&range=6h&zoom=100-200&live=0";
  const shown = read(parse(given).parameters);
  expect(shown.drawings.map(({ title, paths }) => [title, paths])).toEqual([
    ["One two", ["a.x.b", "a.y.b", "c"]],
    ["Other", ["d;k=v"]],
  ]);
  expect(shown).toMatchObject({ range: { preset: "6h", zoom: { from: 100, until: 200 } }, live: false });
  expect(read(parse(address("charts", write(shown))).parameters)).toEqual(shown);
});

test("what is no chart is left out, and a link cannot ask for more than the bounds", () => {
  expect(read(new URLSearchParams("s=a&range=9y"))).toEqual({
    drawings: [],
    range: { preset: "1h", zoom: null },
    live: true,
  });
  const twice = read(new URLSearchParams("chart=A&s=a&s=a&s=&s={}")).drawings[0];
  expect(twice?.paths).toEqual(["a"]);
  const many = Array.from({ length: 99 }, (_, index) => `s${index}`).join(",");
  const flood = read(new URLSearchParams(`chart=A&s={${many}}${"&chart=B".repeat(50)}`));
  expect(flood.drawings).toHaveLength(MOST_CHARTS);
  expect(flood.drawings[0]?.paths).toHaveLength(MOST_LINES);
});

test("series are called by what tells them apart", () => {
  expect(apart(["a.b.x.upper", "a.b.y.upper"])).toEqual(["x", "y"]);
  expect(apart(["a.b.count", "a.b.x.count"])).toEqual(["count", "x.count"]);
  expect(apart(["a.b"])).toEqual(["b"]);
  expect(apart(["a", "b.c"])).toEqual(["a", "b.c"]);
  expect(apart([])).toEqual([]);
});
