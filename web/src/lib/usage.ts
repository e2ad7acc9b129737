// Usage that the server has added up: as counts for a chart, and in the order of a table.
import type { Count, UsageRow } from "../api/types";

export const BY = ["service", "domain", "project"] as const;
export type By = (typeof BY)[number];
export const FIGURES = ["reads", "writes", "storage"] as const;
export type Figure = (typeof FIGURES)[number];

const FIELDS = { reads: "reads", writes: "writes", storage: "storage_gb_hours" } as const;

export function amount(row: UsageRow, figure: Figure): number {
  return row[FIELDS[figure]];
}

/** A figure as counts of names, without those of nothing; who has no name is told so. */
export function amounts(rows: readonly UsageRow[], by: By, figure: Figure): Count[] {
  return rows
    .filter((row) => amount(row, figure) > 0)
    .map((row) => ({ key: row[by] || `no ${by}`, time: row.time ?? 0, count: amount(row, figure) }));
}

/** Rows with the most of a figure first. */
export function greatest(rows: readonly UsageRow[], figure: Figure): UsageRow[] {
  return rows.toSorted((one, other) => amount(other, figure) - amount(one, figure));
}
