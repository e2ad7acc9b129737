import { afterEach, describe, expect, test, vi } from "vitest";
import type { Statistic } from "../src/api/statistics";
import type { Fill } from "../src/api/types";
import { length } from "../src/lib/range";
import { parse } from "../src/lib/route";
import { calendar, daily, drawings, families, fitting, groups, LEVELS, usual } from "../src/lib/statistics";
import { iso } from "../src/lib/times";
import { all, files } from "../src/views/statistics/files";
import { share, told } from "../src/views/statistics/intake";
import { state } from "../src/views/statistics/list";
import { demanded, link, moved, ofChart, ofRows, read, type Shown, write } from "../src/views/statistics/state";

const SECONDS: Record<string, number> = { "1s": 1, "1m": 60, "15m": 900, "1h": 3600, "1d": 86_400, "1w": 604_800 };

function statistic(name: string, window: string, part: Partial<Statistic> = {}): Statistic {
  const interval = SECONDS[window.split("@")[0] ?? ""] ?? null;
  return {
    ident: `${name}${window && `-${window}`}`,
    name,
    summary: `${name} of messages`,
    description: "",
    kind: "sum",
    window,
    interval,
    keys: [],
    columns: ["timestamp", "volume"],
    layout: null,
    state: "running",
    error: "",
    culprit: "",
    since: null,
    lag: 0,
    revision: 1,
    ...part,
  };
}

const SHOWN: Shown = {
  find: "",
  ident: "volume-1d",
  drawing: "lines",
  range: { preset: "90d", zoom: { from: 100, until: 200 } },
  live: false,
  group: "1w",
  by: ["user"],
  column: "p95",
  words: ["category=a=b", "user"],
};

describe("the address of statistics", () => {
  test("holds all that is shown", () => {
    expect(read(write(SHOWN))).toEqual(SHOWN);
    for (const by of [null, [""], ["a", "b"]]) expect(read(write({ ...SHOWN, by })).by).toEqual(by);
    const list: Shown = { ...read(new URLSearchParams()), find: "by user" };
    expect(read(parse(`#/statistics?${write(list)}`).parameters)).toEqual(list);
  });

  test("with nonsense in it shows the usual", () => {
    const shown = read(new URLSearchParams("s=x&as=pie&range=9y&zoom=5-1&key=&key=a&key=a"), "7d");
    expect(shown).toMatchObject({ ident: "x", drawing: null, range: { preset: "7d", zoom: null }, words: ["a"] });
    expect(read(link("x", "vol"))).toMatchObject({ ident: "x", find: "vol", live: true });
  });

  test("asks for whole windows, and for no end where the range ends now", () => {
    expect(ofChart(SHOWN, 0, 8)).toMatchObject({
      since: 100,
      until: 200,
      group: "1w",
      by: ["user"],
      column: "p95",
      most: 8,
    });
    const now: Shown = { ...SHOWN, range: { preset: "1h", zoom: null } };
    expect(ofChart(now, 7200.5, 8)).toMatchObject({ since: 3600, until: null });
    expect(ofRows(SHOWN, statistic("volume", "1m"), 0)).toMatchObject({ since: 101, until: 259 });
    expect(ofRows(now, statistic("volume", "1m"), 7200)).toMatchObject({ since: 3601, until: null });
    expect(ofRows(SHOWN, statistic("log", "", { kind: "latest" }), 0)).toEqual({ key: SHOWN.words });
  });

  test("goes on to other windows over their usual range, or over the one that was chosen", () => {
    const [minutes, days] = [statistic("volume", "1m"), statistic("volume", "1d")];
    const shown: Shown = { ...SHOWN, range: { preset: "1h", zoom: null } };
    expect(moved(shown, minutes, days)).toMatchObject({ ident: "volume-1d", group: "", range: { preset: "90d" } });
    const chosen: Shown = { ...shown, range: { preset: "7d", zoom: null } };
    expect(moved(chosen, minutes, days).range.preset).toBe("7d");
  });

  test("a word takes the place of another of the same column", () => {
    expect(demanded(["user=x", "package"], { user: "a=b" })).toEqual(["package", "user=a=b"]);
    expect(demanded(["user=x"], { user: null })).toEqual(["user"]);
  });
});

describe("statistics of one plugin", () => {
  const some = [
    statistic("volume", "1d"),
    statistic("delay", "1h"),
    statistic("volume", "1m"),
    statistic("volume", "1s"),
  ];

  test("stand together, the shortest windows first", () => {
    const found = families(some);
    expect(found.map(({ name }) => name)).toEqual(["volume", "delay"]);
    expect(found[0]?.members.map(({ window }) => window)).toEqual(["1s", "1m", "1d"]);
    expect(fitting(found, "MESSAGES vol").map(({ name }) => name)).toEqual(["volume"]);
    expect(fitting(found, "delay-1h")).toHaveLength(1);
    expect(fitting(found, "volume delay")).toEqual([]);
  });

  test("are told to be stopped, behind or well", () => {
    expect(state(statistic("volume", "1d", { state: "stopped", lag: 3 })).word).toBe("stopped");
    expect(state(statistic("volume", "1d", { lag: 3 })).health).toBe("warn");
    expect(state(statistic("volume", "1d")).health).toBe("good");
  });

  test("are drawn as their kind can be", () => {
    const drawn = (part: Partial<Statistic>, window = "1m") =>
      drawings(statistic("a", window, part), [statistic("a", window, part)]);
    expect(drawn({})).toEqual(["bars", "lines", "calendar", "top", "rows"]);
    expect(drawn({}, "1w")).toEqual(["bars", "lines", "top", "rows"]);
    expect(drawn({}, "")).toEqual(["top", "rows"]);
    expect(drawn({ kind: "latest" }, "")).toEqual(["log", "rows"]);
    expect(drawn({ kind: "distribution" }, "")).toEqual(["rows"]);
    expect(drawn({ kind: "distinct" }, "1d")).toEqual(["bars", "lines", "calendar", "rows"]);
    expect(drawn({ kind: "distinct" }, "1h")).toEqual(["bars", "lines", "rows"]);
    expect(drawn({ kind: "distinct", keys: ["user"] }, "1d")).toEqual(["lines", "rows"]);
  });

  test("days are drawn of those of days, else of the longest windows within a day", () => {
    const members = [statistic("volume", "1s"), statistic("volume", "1h"), statistic("volume", "1w")];
    expect(daily(members[0] as Statistic, members)?.window).toBe("1h");
    expect(daily(members[0] as Statistic, [...members, statistic("volume", "1d")])?.window).toBe("1d");
    expect(daily(statistic("volume", "1w"), [statistic("volume", "1w")])).toBeNull();
  });

  test("are put together into windows that hold theirs whole", () => {
    expect(groups(statistic("a", "1s"))).toEqual(["1s", "1m", "5m", "15m", "1h", "1d", "1w", "1mo"]);
    expect(groups(statistic("a", "15m"))).toEqual(["15m", "1h", "1d", "1w", "1mo"]);
    expect(groups(statistic("a", "1d@Europe/Prague"))).toEqual([
      "1d@Europe/Prague",
      "1w@Europe/Prague",
      "1mo@Europe/Prague",
    ]);
    expect(groups(statistic("a", "1w"))).toEqual(["1w"]);
    expect(groups(statistic("a", "1m", { kind: "distinct" }))).toEqual(["1m"]);
    expect(groups(statistic("a", ""))).toEqual([]);
  });

  test("have a usual range of sixty windows or more", () => {
    expect(usual(statistic("a", "1m"))).toBe("1h");
    expect(usual(statistic("a", "1d"))).toBe("90d");
    expect(usual(statistic("a", "1w"))).toBe("5y");
    expect(length("1y")).toBe(365 * 86_400);
  });
});

describe("the calendar", () => {
  const at = (text: string) => Date.parse(text) / 1000;
  const days = (from: string, count: number) => Array.from({ length: count }, (_, day) => at(from) + day * 86_400);

  test("has a map for each year, the last first, a column for each week from Monday on", () => {
    const years = calendar("1d", days("2025-12-29T00:00Z", 10), [...Array(9).fill(0), 5]);
    expect(years.map(({ year, weeks }) => [year, weeks])).toEqual([
      ["2026", 2],
      ["2025", 1],
    ]);
    const placed = years.flatMap((year) => year.days.map(({ date, weekday, week }) => [date, weekday, week]));
    expect(placed).toContainEqual(["2025-12-29", 0, 0]);
    expect(placed).toContainEqual(["2026-01-01", 3, 0]);
    expect(placed).toContainEqual(["2026-01-04", 6, 0]);
    expect(placed).toContainEqual(["2026-01-05", 0, 1]);
    expect(years[0]?.days.at(-1)).toMatchObject({ date: "2026-01-07", value: 5, level: 1 });
  });

  test("names days in the zone of the windows", () => {
    const found = calendar("1d@Europe/Prague", [at("2026-03-28T23:00Z"), at("2026-03-29T22:00Z")], [1, 2]);
    expect(found[0]?.days.map(({ date }) => date)).toEqual(["2026-03-29", "2026-03-30"]);
  });

  test("has levels that tell values apart, nothing on none", () => {
    const values = [null, 0, ...Array.from({ length: 50 }, (_, index) => index + 1), 1e9];
    const found =
      calendar("1d", days("2026-01-01T00:00Z", values.length), values)[0]?.days.map(({ level }) => level) ?? [];
    expect(found.slice(0, 2)).toEqual([0, 0]);
    expect(Math.max(...found)).toBe(LEVELS);
    expect(new Set(found).size).toBe(LEVELS + 1);
    expect(found.slice(2)).toEqual(found.slice(2).toSorted());
  });
});

test("what an archive filled is told in words and as a part of all", () => {
  const fill: Fill = { name: "a", missing: 9000, wanted: 36_000, at: null, new: 5, known: 1, bad: 2, error: "" };
  expect(share(fill)).toBe(0.75);
  expect(told(fill)).toBe("75\u202f% filled, 2\u202fh 30\u202fmin missing: 5 new, 1 known, 2 not read");
  expect(told({ ...fill, missing: 1, wanted: 1e9 })).toContain("99.9");
  expect(told({ ...fill, missing: 0, bad: 0 })).toBe("filled: 5 new, 1 known");
  expect(share({ ...fill, wanted: 0 })).toBe(1);
});

describe("files", () => {
  afterEach(() => vi.unstubAllGlobals());

  test("hold every row of every page", async () => {
    const pages: Record<string, unknown> = {
      "": { columns: ["timestamp", "user"], rows: [{ timestamp: 2, user: "=a" }], cursor: "next" },
      next: { columns: ["timestamp", "user"], rows: [{ timestamp: 1, user: null }], cursor: null },
    };
    const asked = vi.fn(async (address: string) => {
      const cursor = new URL(address, "http://h").searchParams.get("cursor") ?? "";
      return new Response(JSON.stringify(pages[cursor]));
    });
    vi.stubGlobal("fetch", asked);
    expect((await all("popularity", {})).found).toHaveLength(2);
    const made = await files(SHOWN, statistic("popularity", ""), "rows")["csv"]?.();
    expect(await made?.text()).toBe("timestamp,user\r\n2,'=a\r\n1,\r\n");
    expect(asked.mock.lastCall?.[0]).toContain("/api/v1/statistics/popularity?");
  });

  test("of a list hold the largest and all others; of a drawing its picture", async () => {
    const series = [
      { key: { user: "a" }, total: 9 },
      { key: { user: null }, total: 2 },
      { key: { user: "nothing" }, total: 0 },
      { key: null, total: 5 },
    ];
    const asked = vi.fn(async (_: string) => new Response(JSON.stringify({ series })));
    vi.stubGlobal("fetch", asked);
    const volume = statistic("volume", "1m", { keys: ["user"] });
    const made = files({ ...SHOWN, by: [""] }, volume, "top");
    expect(Object.keys(made)).toEqual(["csv"]);
    expect(await (await made["csv"]?.())?.text()).toBe("user,volume\r\na,9\r\n,2\r\n(all others),5\r\n");
    expect(asked.mock.lastCall?.[0]).not.toContain("by=");
    await files(SHOWN, volume, "calendar")["svg"]?.();
    const picture = new URL(asked.mock.lastCall?.[0] ?? "", "http://h").searchParams;
    expect(Object.fromEntries(picture)).toMatchObject({ style: "calendar", format: "svg", group: "1d", by: "" });
  });
});

test("a time that no calendar has is no reason to fail", () => {
  expect(iso(1_767_571_200)).toBe("2026-01-05T00:00:00.000Z");
  for (const time of [Number.NaN, 1e15, -1e15]) expect(iso(time)).toBe("");
});
