import { afterEach, describe, expect, test, vi } from "vitest";
import { Failure, status } from "../src/api/client";
import { EventReader } from "../src/api/stream";
import { give, given, token, wanted } from "../src/api/token";

describe("server-sent events", () => {
  test("come whole, however they are cut", () => {
    const text = ': hello\n\nevent: flush\nid: 5\ndata: {"a":1}\n\nevent: flush\ndata: x\ndata: y\n\n';
    const whole = [
      { event: "flush", data: '{"a":1}' },
      { event: "flush", data: "x\ny" },
    ];
    for (let size = 1; size < text.length; size++) {
      const reader = new EventReader();
      const events = [];
      for (let at = 0; at < text.length; at += size) events.push(...reader.take(text.slice(at, at + size)));
      expect(events).toEqual(whole);
    }
  });
});

describe("asking", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    sessionStorage.clear();
    wanted.set("nothing");
  });

  const answer = (code: number, body: unknown) =>
    vi.fn(async () => new Response(JSON.stringify(body), { status: code }));

  test("an error is told in the server's words", async () => {
    vi.stubGlobal("fetch", answer(400, { error: { code: "bad_request", message: "limit is too large" } }));
    await expect(status()).rejects.toMatchObject({ status: 400, code: "bad_request", message: "limit is too large" });
  });

  test("a server that is away has words too", async () => {
    vi.stubGlobal(
      "fetch",
      vi.fn(async () => Promise.reject(new TypeError("failed"))),
    );
    await expect(status()).rejects.toBeInstanceOf(Failure);
  });

  test("a token is asked for, sent in a header, and asked for again when it is refused", async () => {
    const asked = answer(401, { error: { code: "unauthorized", message: "" } });
    vi.stubGlobal("fetch", asked);
    await expect(status()).rejects.toMatchObject({ status: 401 });
    expect(wanted.get()).toBe("token");
    const before = given.get();
    give(" secret ");
    expect(given.get()).toBe(before + 1);
    expect(wanted.get()).toBe("nothing");
    await expect(status()).rejects.toMatchObject({ status: 401 });
    const [, options] = asked.mock.lastCall as unknown as [string, RequestInit];
    expect(options.headers).toEqual({ authorization: "Bearer secret" });
    expect(wanted.get()).toBe("another");
    expect(token()).toBe("");
  });
});
