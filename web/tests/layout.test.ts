import { expect, test } from "vitest";
import type { StatisticRow } from "../src/api/statistics";
import { groupsOf, laidOut, said } from "../src/lib/layout";

const LAYOUT = {
  groups: [
    { id: "compose", components: [{ id: "rawhide", name: "Rawhide", show_time_at: false }, { name: "no id" }] },
    { id: "livecd", name: "LiveCDs", components: [] },
  ],
  default_options: {
    show_status: true,
    status_verb_map: { start: "started" },
    old_log_threshold: { key: "hours", value: 24 },
  },
};

test("a layout has groups of components, each with its options or the usual ones", () => {
  const [compose, live] = groupsOf(LAYOUT);
  expect(compose?.components).toMatchObject([
    {
      id: "rawhide",
      name: "Rawhide",
      options: { time: false, status: true, verbs: { start: "started" }, old: 86_400 },
    },
  ]);
  expect([compose?.name, live?.name]).toEqual(["compose", "LiveCDs"]);
});

test("a layout of any other shape shows what it can", () => {
  for (const odd of [null, 5, "x", [], {}, { groups: 7 }, { groups: [null, "x"] }, { groups: [{ components: [5] }] }])
    expect(groupsOf(odd).flatMap(({ components }) => components)).toEqual([]);
  const odd = {
    default_options: { old_log_threshold: { key: "parsecs", value: 2 }, status_verb_map: 3, show_status: "no" },
  };
  const rows: StatisticRow[] = [
    { timestamp: 1, category: "b" },
    { timestamp: 2, category: null },
  ];
  const [others] = laidOut(odd, rows, "category");
  expect(others?.components.map(({ id, name }) => [id, name])).toEqual([
    ["", "no category"],
    ["b", "b"],
  ]);
  expect(others?.components[0]?.options).toMatchObject({ old: null, verbs: {}, status: true });
});

test("categories that a layout does not name stand behind the others", () => {
  const rows: StatisticRow[] = [
    { timestamp: 1, category: "rawhide" },
    { timestamp: 2, category: "ami" },
  ];
  expect(laidOut(LAYOUT, rows, "category").map(({ name }) => name)).toEqual(["compose", "LiveCDs", "Others"]);
  expect(laidOut(LAYOUT, rows.slice(0, 1), "category")).toHaveLength(2);
});

test("a row says its name and status, or its words; links lead to sites only", () => {
  expect(said('{"name":"EPEL 7","status":"failed","link":"https://example.org/"}')).toEqual({
    name: "EPEL 7",
    status: "failed",
    link: "https://example.org/",
  });
  expect(said('{"name":"x","link":"javascript:alert(1)"}').link).toBe("");
  for (const plain of ["words", "{broken", "{}", ""])
    expect(said(plain)).toEqual({ name: plain, status: "", link: "" });
});
