"""Lines, values, keys and tags; what is refused and what is said about it. Each test runs over both kernels."""

from __future__ import annotations

import pytest

from nilometer.ingest.kernel import Aggregation, BadLine, Kernel
from nilometer.testing.kernels import flushed

COUNTED = [  # a value of key `a` in dialect statsd, and the count that it makes
    ("1|c", "1"),
    ("+10|c", "10"),
    ("-3|c", "-3"),
    ("1.5|c", "1.5"),
    ("0|c", "0"),
    (".5|c", "0.5"),
    ("5.|c", "5"),
    ("1e3|c", "1000"),
    ("0x10|c", "16"),
    ("0b11|c", "3"),
    ("0o17|c", "15"),
    (" |c", "0"),
    (" 7 |c", "7"),
    ("1e400|c", "Infinity"),
    ("-Infinity|c", "-Infinity"),
    ("9007199254740993|c", "9007199254740992"),
    ("0.1|c:0.2|c", "0.30000000000000004"),
    ("3|c|@0.5", "6"),
    ("1|c|@0.3", "3.3333333333333335"),
    ("1|c|@1.", "1"),
    ("1|c|@.5", "2"),
    ("1|c|@2e-1", "0.5"),
    ("1|c|@0.5 ", "2"),
    ("1|c|@0", "Infinity"),
    ("0|c|@0", "NaN"),
    ("0|c|@0:2|c:3|c", "5"),
    ("Infinity|c:-Infinity|c", "NaN"),
    ("Infinity|c:-Infinity|c:4|c", "4"),
    ("1|c|@0x10", "Infinity"),
    ("1|c|@0.5|ignored", "2"),
    ("1|c|@1|", "1"),
    ("7|x", "7"),
    ("7|", "7"),
    ("7|h", "7"),
    ("7|d", "7"),
    ("7|MS", "7"),
    ("7|G", "7"),
    ("7|kv", "7"),
    ("7| c ", "7"),
    ("1|c:2|c", "3"),
]
REFUSED = [  # the same, refused: the fields and why
    ("1", "1", "no type"),
    ("", "", "no type"),
    ("x|c", "x,c", "not a number"),
    ("|c", ",c", "not a number"),
    ("1,5|c", "1,5,c", "not a number"),
    ("1_000|c", "1_000,c", "not a number"),
    ("NaN|c", "NaN,c", "not a number"),
    ("inf|c", "inf,c", "not a number"),
    ("+0x10|c", "+0x10,c", "not a number"),
    ("|g", ",g", "not a number"),
    ("abc|g", "abc,g", "not a number"),
    ("|ms", ",ms", "not a number"),
    ("-1|ms", "-1,ms", "negative time"),
    ("-0.5|ms|@0.1", "-0.5,ms,@0.1", "negative time"),
    ("x|s\r", "x,s\r", "not a number"),
    ("1|c|", "1,c,", "bad sample rate"),
    ("1|c|@", "1,c,@", "bad sample rate"),
    ("1|c|@.", "1,c,@.", "bad sample rate"),
    ("1|c|0.1", "1,c,0.1", "bad sample rate"),
    ("1|c|@blah", "1,c,@blah", "bad sample rate"),
    ("1|c|@-0.5", "1,c,@-0.5", "bad sample rate"),
    ("1|c|@+0.5", "1,c,@+0.5", "bad sample rate"),
    ("1|c|@ 0.5", "1,c,@ 0.5", "bad sample rate"),
    ("1|c|@ ", "1,c,@ ", "bad sample rate"),
    ("1|c|@Infinity", "1,c,@Infinity", "bad sample rate"),
    ("1|c|@.1.2.3", "1,c,@.1.2.3", "bad sample rate"),
    ("x|s|nonsense", "x,s,nonsense", "bad sample rate"),
    ("1|g|@x", "1,g,@x", "bad sample rate"),
]
KEYS = [  # the line's start, and the path's part
    ("a.b-c_d=e", "a.b-c_d=e"),
    ("a b", "a_b"),
    ("a  \t b", "a_b"),
    ("a\u00a0\ufeff\u2028b", "a_b"),
    ("a\x1cb\x85c", "abc"),
    ("a/b//c", "a-b--c"),
    ("a$%!b", "ab"),
    ("ключ", ""),
    ("", ""),
    ("constructor", "constructor"),
    ("__proto__", "__proto__"),
    ("hasOwnProperty", "hasOwnProperty"),
    ("007", "007"),
]
TAGS = [  # the line, and the path of its count
    ("a:1|c|#k:v", "a.count;k=v"),
    ("a:1|c|#k:v,x:y", "a.count;k=v;x=y"),
    ("a:1|c|#x:y,k:v,x:y", "a.count;x=y;k=v;x=y"),
    ("a:1|c|#prod", "a.count;prod"),
    ("a:1|c|#url:http://x", "a.count;url=http--x"),
    ("a:1|c|#a;b;c:d:e", "a.count;a_b;c=de"),
    ("a:1|c|#", "a.count"),
    ("a:1|c|#,", "a.count;;"),
    ("a:1|c|#k:v|@0.5", "a.count;k=v0.5"),
    ("a:1|c|#k:v|c:id", "a.count;k=vcid"),
    ("a:1|c|#k:v|#x:y", "a.count;k=v"),
    ("a:1|c|@0.5|#k:v", "a.count;k=v"),
    ("a;t=1:1|c|#k:v", "a.count;t=1;k=v"),
    ("a;t=1:1|c", "a.count;t=1"),
    ("a:1|c|#k:sp ace/é", "a.count;k=sp_ace-"),
]


def only(kernel: Kernel) -> BadLine:
    (bad,) = kernel.bad_lines()
    return bad


@pytest.mark.parametrize(("value", "count"), COUNTED)
def test_what_counts(kernel: Kernel, value: str, count: str) -> None:
    assert flushed(kernel, f"a:{value}".encode())["counters.a.count"] == count
    assert kernel.bad_lines() == []


@pytest.mark.parametrize(("value", "fields", "reason"), REFUSED)
def test_what_is_refused(kernel: Kernel, value: str, fields: str, reason: str) -> None:
    kernel.feed(f"a:{value}".encode(), "192.0.2.1:4", "statsd")
    assert only(kernel) == ("192.0.2.1:4", f"a:{value}", fields, reason)
    aggregates = kernel.flush(1)
    assert (aggregates.blocks, aggregates.tally.bad_lines, aggregates.tally.lines) == ((), 1, 1)


@pytest.mark.parametrize(("key", "path"), KEYS)
def test_keys_are_cleaned(kernel: Kernel, key: str, path: str) -> None:
    assert f"counters.{path}.count" in flushed(kernel, f"{key}:1|c".encode())


@pytest.mark.parametrize("key", [key for key, _ in KEYS])
def test_keys_stay_raw_where_cleaning_is_off(kernel: Kernel, key: str) -> None:
    kernel.configure(Aggregation(sanitize=False))
    kernel.feed(f"{key}:1|c".encode(), "", "statsd")
    assert kernel.flush(1).blocks[0].keys() == [key]


@pytest.mark.parametrize(("line", "path"), TAGS)
def test_tags_join_the_key(kernel: Kernel, line: str, path: str) -> None:
    assert f"counters.{path}" in flushed(kernel, line.encode())


def test_values_of_a_line_stand_alone(kernel: Kernel) -> None:
    seen = flushed(kernel, b"k:1|c:x|c:5|ms:|g:7|g:m|s")
    assert (seen["counters.k.count"], seen["timers.k.sum"], seen["gauges.k"], seen["sets.k.count"]) == ("1", "5", "7", "1")
    assert [bad.fields for bad in kernel.bad_lines()] == ["x,c", ",g"]


def test_a_bare_key_is_bad(kernel: Kernel) -> None:
    kernel.feed(b"key", "", "statsd")
    assert only(kernel) == ("", "key", "1", "no type")


def test_empty_lines_are_no_lines(kernel: Kernel) -> None:
    kernel.feed(b"\n\na:1|c\n\n\nb:1|c\n", "", "statsd")
    kernel.feed(b"", "", "statsd")
    tally = kernel.flush(1).tally
    assert (tally.lines, tally.packets, tally.bytes, tally.series) == (2, 2, 16, 2)


def test_packets_are_counted_as_told(kernel: Kernel) -> None:
    kernel.feed(b"a:1|c\n", "", "statsd", packets=0)
    kernel.feed(b"a:1|c\n", "", "statsd", packets=3)
    assert kernel.flush(1).tally.packets == 3
    assert kernel.flush(1).tally.packets == 0


@pytest.mark.parametrize("type_", ["c", "g", "ms"])
def test_statsd_drops_a_carriage_return_from_the_type(kernel: Kernel, type_: str) -> None:
    kernel.feed(f"a:3|{type_}\r\n\r\n".encode(), "", "statsd")
    assert only(kernel) == ("", "\r", "1", "no type")
    assert kernel.flush(1).tally.series == 1


def test_statsd_lets_a_negative_time_pass_where_the_type_has_white_space(kernel: Kernel) -> None:
    assert flushed(kernel, b"a:-3|ms\r")["timers.a.sum"] == "-3"


def test_statsd_wants_a_number_of_a_set_whose_type_has_white_space(kernel: Kernel) -> None:
    assert flushed(kernel, b"a:3|s\r:x|s\r:4| s")["sets.a.count"] == "2"
    assert only(kernel).fields == "x,s\r"


def test_bytes_that_are_not_utf8_are_dropped_from_names(kernel: Kernel) -> None:
    assert "counters.ab.count" in flushed(kernel, b"a\xff\xc3\xe2\x82b:1|c")


def test_bytes_that_are_not_utf8_are_shown_as_replacement_characters(kernel: Kernel) -> None:
    kernel.feed(b"\xff\xe2\x82\xf0\x9f\xed\xa0\x80", "", "statsd")
    assert only(kernel).line == "\ufffd" * 6
    kernel.configure(Aggregation(sanitize=False))
    kernel.feed(b"\xffa\xe2\x82:1|c", "", "statsd")
    assert kernel.flush(1).blocks[0].keys() == ["\ufffda\ufffd"]


def test_a_line_may_be_as_long_as_the_limit_and_no_longer(kernel: Kernel) -> None:
    kernel.configure(Aggregation(max_line=8))
    assert flushed(kernel, b"a:1234|c\nb:12345|c\n", b"c:1234|c") == {
        "counters.a.rate": "1234",
        "counters.a.count": "1234",
        "counters.c.rate": "1234",
        "counters.c.count": "1234",
    }
    assert only(kernel) == ("peer:1", "b:12345|c", "", "line too long")


def test_bad_lines_are_shown_shortened(kernel: Kernel) -> None:
    kernel.feed(b"a:" + b"x" * 600 + b"|c", "", "statsd")
    assert only(kernel) == ("", "a:" + "x" * 510, "x" * 512, "not a number")


def test_at_most_32_bad_lines_are_kept_and_all_are_counted(kernel: Kernel) -> None:
    kernel.feed(b"\n".join(b"bad%d" % number for number in range(100)), "", "statsd")
    assert [bad.line for bad in kernel.bad_lines()] == [f"bad{number}" for number in range(32)]
    assert kernel.bad_lines() == []
    assert kernel.flush(1).tally.bad_lines == 100
    kernel.feed(b"again", "", "statsd")
    assert only(kernel).line == "again"


def test_an_unknown_dialect_is_refused(kernel: Kernel) -> None:
    with pytest.raises(ValueError, match="dialect"):
        kernel.feed(b"a:1|c", "", "carbon")


@pytest.mark.parametrize("type_", ["ms", "h", "d", " ms "])
def test_our_dialect_has_three_timers(kernel: Kernel, type_: str) -> None:
    assert flushed(kernel, f"a:3|{type_}|@0.5".encode(), dialect="auto")["timers.a.count"] == "2"


@pytest.mark.parametrize(
    ("value", "fields", "reason"),
    [
        ("1|x", "1,x", "unknown type"),
        ("1|", "1,", "unknown type"),
        ("1|MS", "1,MS", "unknown type"),
        ("1e400|c", "1e400,c", "not finite"),
        ("-Infinity|g", "-Infinity,g", "not finite"),
        ("Infinity|ms", "Infinity,ms", "not finite"),
        ("NaN|c", "NaN,c", "not a number"),
        ("1|c|@0", "1,c,@0", "bad sample rate"),
        ("1|c|@1.5", "1,c,@1.5", "bad sample rate"),
        ("-1|ms ", "-1,ms ", "negative time"),
    ],
)
def test_our_dialect_refuses_more(kernel: Kernel, value: str, fields: str, reason: str) -> None:
    kernel.feed(f"a:{value}".encode(), "", "auto")
    assert only(kernel)[2:] == (fields, reason)
    assert kernel.flush(1).blocks == ()


def test_our_dialect_ends_lines_with_or_without_a_carriage_return(kernel: Kernel) -> None:
    seen = flushed(kernel, b"a:1|c\r\n\r\na:x|s\r\nb:2|c|#k:v\r", dialect="auto")
    assert (seen["counters.a.count"], seen["sets.a.count"], seen["counters.b.count;k=v"]) == ("1", "1", "2")
    assert (kernel.bad_lines(), len(seen)) == ([], 5)
