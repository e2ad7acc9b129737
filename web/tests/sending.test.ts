import { expect, test } from "vitest";
import { program, shell } from "../src/lib/sending";

const on = (...addresses: string[]) => [{ url: addresses[0] ?? "", addresses, buffer: null }];

test("a line goes to where the server listens", () => {
  expect(shell("a:1|c", on("udp://127.0.0.1:9125"), "here")).toBe('echo "a:1|c" | nc -u -w0 127.0.0.1 9125');
  expect(shell("a:1|c", on("tcp://0.0.0.0:1", "udp://0.0.0.0:2"), "here")).toBe('echo "a:1|c" | nc -u -w0 here 2');
  expect(shell("a:1|c", on("udp://[::1]:3"), "here")).toBe('echo "a:1|c" | nc -u -w0 ::1 3');
  expect(shell("a:1|c", [], "")).toBe('echo "a:1|c" | nc -u -w0 127.0.0.1 8125');
});

test("our own program is told where, unless it is the usual place", () => {
  expect(program(["a:1|c", "b:2|g"], on("udp://127.0.0.1:8125"), "here")).toBe("nilometer send 'a:1|c' 'b:2|g'");
  expect(program(["a:1|c"], on("udp://[::]:9"), "here")).toBe("nilometer send --to udp://here:9 'a:1|c'");
  expect(shell("a:1|c", on("unix:///run/n.sock"), "here")).toBe("nilometer send --to unix:///run/n.sock 'a:1|c'");
});
