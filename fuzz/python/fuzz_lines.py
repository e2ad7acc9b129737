# ruff: noqa: S101, PLR2004 - a fuzz target asserts its invariant, in plain numbers
"""Invariant: no bytes make the reference kernel raise, and what they count for does not depend on how they are cut at newlines.

Besides: every value of every line is counted, refused or over a limit; names and tallies are such as the contract promises.
"""

from __future__ import annotations

import json
import sys

import atheris

with atheris.instrument_imports():
    from nilometer.core.naming import Naming
    from nilometer.core.record import Flush, Kind, Window
    from nilometer.core.wire.render import Plain, lines
    from nilometer.ingest._reference import ReferenceKernel
    from nilometer.ingest.kernel import DIALECTS, GAUGES, Aggregates, Aggregation, Histogram, mode

TOKENS = [
    b"a",
    b"b.c",
    b":1",
    b":-2.5",
    b":+3",
    b":x",
    b"_e{1,1}:a|b",
    b"_sc|a|1",
    b"|c:id",
    b"|T1656581400",
    b"|d:1",
    b"|t:error",
    b"[k=v]",
    b";b=1;a=2",
    b"#k=v",
    b",k=v",
    b"|c",
    b"|ms",
    b"|g",
    b"|s",
    b"|h",
    b"|",
    b"|@0.1",
    b"|@",
    b"|#k:v",
    b",",
]
TOKENS += [b":", b"\n", b"\r\n", b" ", b";t=1", b"1e400", b"-Infinity", b"0x10", b"\xc3\xbc", b"\xff", b"\xef\xbb\xbf", b"/"]
RULES = [
    Aggregation(),
    Aggregation(
        percentiles=(90, -10, 99.9, -100, 0, 200), histograms=(Histogram("a", (1, 10, float("inf"))), Histogram("", (5,)))
    ),
    Aggregation(delete_counters=True, delete_timers=True, delete_sets=True, delete_gauges=True, gauge_ttl=2, keep=("a",)),
    Aggregation(sanitize=False, max_series=2, max_samples=2, max_set_members=2, max_line=16, timer_statistics=("mean",)),
]


def expand(data: bytes) -> bytes:
    """Turn high bytes into words that lines are made of, so that good lines are found soon."""
    start = 256 - len(TOKENS)
    return b"".join(TOKENS[byte - start] if byte >= start else bytes([byte]) for byte in data)


def run(chunks: list[bytes], rules: Aggregation, dialect: str) -> list[Aggregates]:
    """Feed the chunks in two windows and return both."""
    kernel = ReferenceKernel()
    kernel.configure(rules)
    seen = []
    for _ in range(2):
        for chunk in chunks:
            kernel.feed(chunk, "peer", dialect)
        seen.append(kernel.flush(10))
        for chunk in chunks:
            for explained in kernel.explain(chunk, dialect):
                json.dumps(explained)
    for bad in kernel.bad_lines():
        bad.line.encode()
        assert max(len(bad.line), len(bad.fields)) <= 512
    return seen


def text(aggregates: Aggregates, rules: Aggregation) -> bytes:
    """Return the aggregates as Graphite's lines."""
    return lines(Flush(Window(0, 10, 10), aggregates.blocks), Naming(sanitize=not rules.sanitize), Plain())


def test_one_input(data: bytes) -> None:
    """Check the invariant for one input: two bytes of options, then lines."""
    if len(data) < 2:
        return
    rules, plain = RULES[data[0] % len(RULES)], data[0] & 128
    dialect = mode(DIALECTS[data[1] % len(DIALECTS)], GAUGES[data[1] >> 7])
    stream = data[2:] if plain else expand(data[2:])
    whole, single = run([stream], rules, dialect), run(cut(stream), rules, dialect)
    for one, other in zip(whole, single, strict=True):
        assert text(one, rules) == text(other, rules)
        assert (one.tally.lines, one.tally.bad_lines, one.tally.series) == (
            other.tally.lines,
            other.tally.bad_lines,
            other.tally.series,
        )
        assert one.tally.series == sum(block.count for block in one.blocks) <= rules.max_series + len(Kind)  # overflow series
        for block in one.blocks:
            assert len(block.keys()) == block.count
            assert all(len(column.values) == block.count for column in block.columns)


def cut(stream: bytes) -> list[bytes]:
    """Cut behind every newline."""
    *whole, rest = stream.split(b"\n")
    return [*(line + b"\n" for line in whole), rest]


if __name__ == "__main__":
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
