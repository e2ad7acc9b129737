import { describe, expect, test } from "vitest";
import { ago, bytes, full, milliseconds, percent, seconds, short } from "../src/lib/numbers";

const plain = (text: string) => text.replaceAll("\u202f", " ");

describe("short", () => {
  test.each([
    [0, "0"],
    [0.25, "0.25"],
    [0.000_012, "1.2e−5"],
    [12.345, "12.3"],
    [100, "100"],
    [999.9, "1k"],
    [1234, "1.23k"],
    [123_456, "123k"],
    [4_500_000, "4.5M"],
    [2e9, "2G"],
    [-1500, "−1.5k"],
    [null, "–"],
    [Number.NaN, "–"],
  ])("%s is %s", (value, text) => expect(short(value)).toBe(text));
});

test("full groups digits", () => {
  expect(plain(full(1_234_567))).toBe("1 234 567");
  expect(plain(full(-1234.5))).toBe("−1 234.5");
  expect(full(12)).toBe("12");
});

test("bytes are binary", () => {
  expect(plain(bytes(0))).toBe("0 B");
  expect(plain(bytes(1536))).toBe("1.5 KiB");
  expect(plain(bytes(1023.9 * 1024))).toBe("1 MiB");
});

test("spans are told in their two greatest units", () => {
  expect(plain(seconds(4.26))).toBe("4.3 s");
  expect(plain(seconds(59.7))).toBe("60 s");
  expect(plain(seconds(200))).toBe("3 min 20 s");
  expect(plain(seconds(7500))).toBe("2 h 5 min");
  expect(plain(seconds(86_400 * 12 + 3600 * 3 + 59))).toBe("12 d 3 h");
  expect(plain(milliseconds(0.25))).toBe("250 µs");
  expect(plain(milliseconds(2500))).toBe("2.5 s");
});

test("moments before now", () => {
  expect(ago(null, 100)).toBe("never");
  expect(ago(99.5, 100)).toBe("just now");
  expect(plain(ago(40, 100))).toBe("1 min ago");
});

test("percent", () => expect(plain(percent(42.34))).toBe("42.3 %"));
