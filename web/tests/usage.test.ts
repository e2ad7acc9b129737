import { expect, test } from "vitest";
import type { UsageRow } from "../src/api/types";
import { amounts, greatest } from "../src/lib/usage";
import { bounds, read, write } from "../src/views/usage/state";

const row = (part: Partial<UsageRow>): UsageRow => ({ reads: 0, writes: 0, storage_gb_hours: 0, events: 1, ...part });
const at = (text: string) => Date.parse(text) / 1000;

test("the address holds the view of usage; nonsense shows the usual", () => {
  const shown = { period: "before", by: "domain", figure: "storage" } as const;
  expect(read(write(shown))).toEqual(shown);
  expect(read(new URLSearchParams("period=9y&by=x"))).toEqual({ period: "30d", by: "project", figure: "reads" });
});

test("periods are whole hours, days and months of UTC", () => {
  const now = at("2026-03-15T10:20:30Z");
  expect(bounds("24h", now)).toEqual({ from: at("2026-03-14T11:00Z"), until: at("2026-03-15T11:00Z") });
  expect(bounds("7d", now)).toEqual({ from: at("2026-03-09T00:00Z"), until: at("2026-03-16T00:00Z") });
  expect(bounds("month", now)).toEqual({ from: at("2026-03-01T00:00Z"), until: at("2026-04-01T00:00Z") });
  expect(bounds("before", at("2026-01-01T00:00Z"))).toEqual({
    from: at("2025-12-01T00:00Z"),
    until: at("2026-01-01T00:00Z"),
  });
});

test("usage becomes counts for a chart, and the greatest first in a table", () => {
  const rows = [
    row({ time: 60, project: "a", reads: 5 }),
    row({ time: 120, project: "", reads: 7, storage_gb_hours: 0.5 }),
  ];
  expect(amounts(rows, "project", "reads")).toEqual([
    { key: "a", time: 60, count: 5 },
    { key: "no project", time: 120, count: 7 },
  ]);
  expect(amounts(rows, "project", "storage")).toEqual([{ key: "no project", time: 120, count: 0.5 }]);
  expect(greatest(rows, "reads").map(({ project }) => project)).toEqual(["", "a"]);
});
