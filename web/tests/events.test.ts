import { describe, expect, test } from "vitest";
import type { EventPage, EventRecord } from "../src/api/types";
import { csv } from "../src/lib/csv";
import { begun, caughtUp, EMPTY, heard, MOST, MOST_WAITING, older, released } from "../src/lib/feed";
import { request, summary, tokens, words } from "../src/lib/payload";
import { posted, sent } from "../src/lib/sending";
import { families, ranking } from "../src/lib/suggest";
import { asCsv } from "../src/views/events/files";

const at = (time: number, id = `e${time}`, part: Partial<EventRecord> = {}): EventRecord => ({
  ...{ id, time, type: "t", publisher: "p", priority: "info", tenant: "", payload: {}, context: {} },
  ...part,
});
const page = (cursor: string, ...times: number[]): EventPage => ({ events: times.map((time) => at(time)), cursor });
const ids = (events: readonly EventRecord[]) => events.map((event) => event.id);

describe("the list of events", () => {
  const list = begun(page("c", 50, 40, 30));

  test("puts what is told on top, by its time, each event once", () => {
    const next = heard(list, [at(60), at(45), at(40), at(60)], false);
    expect(ids(next.events)).toEqual(["e60", "e50", "e45", "e40", "e30"]);
    expect(heard(next, [at(60)], false)).toBe(next);
  });

  test("of the same moment, shows what came later above", () => {
    expect(ids(heard(list, [at(50, "later")], false).events)).toEqual(["later", "e50", "e40", "e30"]);
  });

  test("leaves what an older page will bring to that page", () => {
    expect(heard(list, [at(20)], false)).toBe(list);
    expect(ids(heard(begun(page("", 30)), [at(20)], false).events)).toEqual(["e30", "e20"]);
  });

  test("stands still while it is held, and then shows what has waited", () => {
    const held = heard(heard(list, [at(60)], true), [at(70), at(60)], true);
    expect(ids(held.events)).toEqual(["e50", "e40", "e30"]);
    expect(ids(held.waiting)).toEqual(["e70", "e60"]);
    const shown = released(held);
    expect(ids(shown.events)).toEqual(["e70", "e60", "e50", "e40", "e30"]);
    expect(shown.waiting).toEqual([]);
    expect(released(shown)).toBe(shown);
  });

  test("lets only so many wait, and reads again what it let go", () => {
    const many = Array.from({ length: MOST_WAITING + 5 }, (_, index) => at(100 + index));
    const held = heard(list, many, true);
    expect(held.waiting).toHaveLength(MOST_WAITING);
    const shown = released(held);
    const last = shown.events.at(-1)?.time ?? 0;
    expect(last).toBe(105);
    expect(shown.next).toEqual({ until: 106 });
    const whole = older(shown, { events: [at(105), at(104)], cursor: "d" });
    expect(ids(whole.events.slice(-2))).toEqual(["e105", "e104"]);
    expect(whole.next).toEqual({ cursor: "d" });
  });

  test("keeps only so many, the newest", () => {
    const full = begun({ events: Array.from({ length: MOST }, (_, index) => at(MOST - index)), cursor: "" });
    const next = heard(full, [at(MOST + 1)], false);
    expect(next.events).toHaveLength(MOST);
    expect(next.events[0]?.time).toBe(MOST + 1);
    expect(next.next).not.toBeNull();
    expect(older(full, page("more", 0)).next).toBeNull();
  });

  test("goes on where it was after the connection was broken, if nothing is missing between", () => {
    expect(ids(caughtUp(list, page("d", 70, 60, 50), false).events)).toEqual(["e70", "e60", "e50", "e40", "e30"]);
    expect(ids(caughtUp(list, page("d", 90, 80), false).events)).toEqual(["e90", "e80"]);
    expect(ids(caughtUp(list, page("", 90, 80), false).events)).toEqual(["e90", "e80", "e50", "e40", "e30"]);
    expect(caughtUp(EMPTY, page("d", 90), false).next).toEqual({ cursor: "d" });
  });

  test("that is held lets the gap wait as well", () => {
    const held = caughtUp(list, page("d", 90, 80), true);
    expect(ids(held.events)).toEqual(["e50", "e40", "e30"]);
    expect(ids(released(held).events)).toEqual(["e90", "e80"]);
    expect(released(held).next).not.toBeNull();
  });
});

describe("a payload", () => {
  test("is one line, what tells most first", () => {
    const parts = summary({
      value: 1,
      table_name: "Thread",
      schema: { a: 1, b: 2 },
      keys: [1, 2],
      message: "no\n  room",
    });
    expect(parts).toEqual([
      ["message", "no room"],
      ["table_name", "Thread"],
      ["value", "1"],
      ["schema", "{a, b}"],
      ["keys", "[2]"],
    ]);
    expect(summary({})).toEqual([]);
  });

  test("tells what happened in words", () => {
    const failed = { type: "table.create.error", tenant: "acme" };
    expect(words(at(1, "e", { ...failed, payload: { n: 1, message: "no\nroom" } }))).toBe(
      "table.create.error: no room (acme)",
    );
    expect(words(at(1, "e", { ...failed, tenant: "", payload: { n: 1, message: 5 } }))).toBe(
      "table.create.error: message=5 n=1",
    );
    expect(words(at(1, "e", { type: "a" }))).toBe("a");
    expect(words(at(1, "e", { payload: { message: "x".repeat(9999) } })).length).toBeLessThan(500);
  });

  test("is cut, however long", () => {
    const long = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`name${index}`, "x".repeat(1000)]));
    const line = summary(long).flat().join(" ");
    expect(line.length).toBeLessThan(500);
  });

  test("as JSON is coloured by what each part is, and stays the same text", () => {
    const json = JSON.stringify({ 'a"b': 'c: "d"', n: -1.5e-7, yes: true, no: null, list: [1] }, null, 2);
    const made = tokens(json);
    expect(made.map((token) => token.text).join("")).toBe(json);
    const kinds = (kind: string) => made.filter((token) => token.kind === kind).map((token) => token.text);
    expect(kinds("name")).toEqual(['"a\\"b":', '"n":', '"yes":', '"no":', '"list":']);
    expect(kinds("text")).toEqual(['"c: \\"d\\""']);
    expect(kinds("number")).toEqual(["-1.5e-7", "1"]);
    expect(kinds("word")).toEqual(["true", "null"]);
    expect(tokens("[".repeat(70_000))).toHaveLength(1);
  });

  test("the request is found where it is named", () => {
    expect(request(at(1, "a", { context: { request_id: "req-1" } }))).toBe("req-1");
    expect(request(at(1, "a", { payload: { request_id: "req-2" } }))).toBe("req-2");
    expect(request(at(1, "a", { context: { request_id: 5 } }))).toBe("");
  });
});

test("suggestions are what is frequent, and the families of types", () => {
  const counts = ["a.b.end", "a.b.error", "c.error", "alone"].map((key, index) => ({ key, time: 0, count: index + 1 }));
  expect(ranking([...counts, { key: "a.b.end", time: 60, count: 10 }])[0]).toBe("a.b.end");
  expect(families(counts.map(({ key }) => key))).toEqual(["a.*", "a.b.*", "*.error"]);
});

describe("files", () => {
  test("quote what has to be quoted, and hold nothing that a spreadsheet would compute", () => {
    expect(
      csv(
        ["a", "b"],
        [
          ['x,"y"', 5],
          ["=1+1", -2],
          ["two\nlines", 0],
        ],
      ),
    ).toBe('a,b\r\n"x,""y""",5\r\n\'=1+1,-2\r\n"two\nlines",0\r\n');
  });

  test("hold each event in a row", () => {
    const rows = asCsv([at(1_700_000_000.5, "e", { tenant: "acme", payload: { a: [1] } })]).split("\r\n");
    expect(rows[0]).toBe("time,id,type,priority,tenant,publisher,payload,context");
    expect(rows[1]).toBe('2023-11-14T22:13:20.500Z,e,t,info,acme,p,"{""a"":[1]}",{}');
  });
});

test("how an event is sent is told with the server's own address", () => {
  expect(posted("http://here:1")).toContain("http://here:1/api/v1/events");
  expect(sent("http://here:1")).toMatch(/^nilometer events send backup\.error .* --to http:\/\/here:1$/);
  expect(sent("http://127.0.0.1:8127")).not.toContain("--to");
});
