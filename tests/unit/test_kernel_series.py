"""Counters, gauges and sets, over several windows. Each test runs over both kernels."""

from __future__ import annotations

import pytest

from nilometer.ingest.kernel import Aggregation, Kernel
from nilometer.testing.kernels import flushed

GAUGES = [  # datagrams of each window, and what the gauge is after it (None: not there)
    ([[b"g:70|g"]], ["70"]),
    ([[b"g:+10|g"]], ["10"]),
    ([[b"g:-10|g"]], ["-10"]),
    ([[b"g:5|g", b"g:-7|g"]], ["-2"]),
    ([[b"g:5|g:-5|g:-3|g"]], ["-3"]),
    ([[b"g:0|g", b"g:+3|g", b"g:+3|g"]], ["6"]),
    ([[b"g:5|g"], [b"g:+1|g:+1|g"], [], [b"g:-4|g"]], ["5", "7", "7", "3"]),
    ([[b"g:5|g", b"g:+1|g", b"g:9|g", b"g:+1|g"]], ["10"]),
    ([[b"g:0.1|g"], [b"g:+0.2|g"], [b"g:+0.3|g"]], ["0.1", "0.30000000000000004", "0.6000000000000001"]),
    ([[b"g:1e16|g"], [b"g:+1|g:+1|g"]], ["10000000000000000", "10000000000000000"]),
    ([[b"g:1e16|g"], [b"g:+1|g:-1e16|g"], [b"g:+5|g"]], ["10000000000000000", "0", "5"]),
    ([[b"g:5|g"], [b"g: -3|g"]], ["5", "-3"]),
    ([[b"g:5|g"], [b"g:+3 |g|@0.1"]], ["5", "8"]),
    ([[b"g:1e400|g"], [b"g:-Infinity|g"], [b"g:+4|g"]], ["Infinity", "NaN", "4"]),
    ([[b"g:-0|g"], [b"g:+4|g"]], ["0", "4"]),
    ([[b"g:3|g"], [b"g:+0|g"]], ["3", "3"]),
]


@pytest.mark.parametrize(("windows", "values"), GAUGES)
def test_gauges(kernel: Kernel, windows: list[list[bytes]], values: list[str]) -> None:
    assert [flushed(kernel, *datagrams)["gauges.g"] for datagrams in windows] == values


def test_gauges_keep_their_own_deltas(kernel: Kernel) -> None:
    flushed(kernel, b"a:1|g", b"b:10|g")
    assert flushed(kernel, b"a:+1|g\nb:+1|g", b"a:+1|g") == {"gauges.a": "3", "gauges.b": "11"}


def test_rates_are_per_second(kernel: Kernel) -> None:
    assert flushed(kernel, b"a:3|c", seconds=2) == {"counters.a.rate": "1.5", "counters.a.count": "3"}
    assert flushed(kernel, b"a:1|c", seconds=0.1) == {"counters.a.rate": "10", "counters.a.count": "1"}


def test_a_counter_is_summed_in_order_of_arrival(kernel: Kernel) -> None:
    values = [0.1, 0.2, 0.3, 1e16, 1.0, -1e16, 0.7]
    lines = [f"a:{value}|c|@0.3".encode() for value in values]
    total = 0.0
    for value in values:
        total += value * (1 / 0.3)
    kernel.feed(b"\n".join(lines), "", "statsd")
    (counters,) = kernel.flush(1).blocks
    assert list(counters.columns[1].values) == [total]


def test_idle_counters_timers_and_sets_are_zero_and_keep_their_place(kernel: Kernel) -> None:
    first = flushed(kernel, b"b:1|c\na:1|c\nt:1|ms\ns:x|s")
    seen = flushed(kernel, b"c:1|c\na:2|c")
    assert [path for path in seen if path.endswith(".count")] == [
        *(path for path in first if path.startswith("counters") and path.endswith("count")),
        "counters.c.count",
        "timers.t.count",
        "sets.s.count",
    ]
    assert seen["counters.b.count"] == seen["counters.b.rate"] == seen["timers.t.count"] == seen["sets.s.count"] == "0"
    assert (seen["counters.a.count"], seen["counters.c.count"]) == ("2", "1")


@pytest.mark.parametrize(
    ("values", "count"),
    [
        (["765", "765", "766"], "2"),
        (["A", "a"], "2"),
        (["1", "1.0", "01"], "3"),
        (["", "0"], "1"),
        (["x|@0.1", "x"], "1"),
        (["__proto__", "constructor", "__proto__"], "2"),
        (["é", "è", "é"], "2"),
        (["a b", "a/b", "a_b"], "3"),
    ],
)
def test_sets_count_distinct_texts(kernel: Kernel, values: list[str], count: str) -> None:
    lines = [f"s:{value.partition('|')[0]}|s{value[value.find('|') :] if '|' in value else ''}".encode() for value in values]
    assert flushed(kernel, *lines) == {"sets.s.count": count}


def test_sets_start_anew_in_each_window(kernel: Kernel) -> None:
    assert flushed(kernel, b"s:a|s:b|s")["sets.s.count"] == "2"
    assert flushed(kernel, b"s:b|s")["sets.s.count"] == "1"


def test_the_same_name_in_four_kinds_is_four_series(kernel: Kernel) -> None:
    assert len(kernel_blocks(kernel, b"a:1|c:2|ms:3|g:4|s")) == 4


def kernel_blocks(kernel: Kernel, data: bytes) -> list[tuple[str, list[str]]]:
    kernel.feed(data, "", "statsd")
    return [(block.kind, block.keys()) for block in kernel.flush(1).blocks]


def test_blocks_are_in_order_and_series_in_order_of_arrival(kernel: Kernel) -> None:
    assert kernel_blocks(kernel, b"z:1|s\n10:1|g\n9:1|g\nb:1|ms\na:1|ms\ny:1|c\nx:1|c\n1:1|c") == [
        ("counter", ["y", "x", "1"]),
        ("timer", ["b", "a"]),
        ("gauge", ["10", "9"]),
        ("set", ["z"]),
    ]


def test_gauges_are_those_of_the_last_flush(kernel: Kernel) -> None:
    kernel.feed(b"a:1|g\nb:2|g", "", "statsd")
    assert tuple(map(list, kernel.gauges())) == ([], [])
    kernel.flush(1)
    kernel.feed(b"a:5|g\nc:1|g", "", "statsd")
    assert tuple(map(list, kernel.gauges())) == (["a", "b"], [1.0, 2.0])


def test_restored_gauges_give_way_to_what_was_set_since(kernel: Kernel) -> None:
    kernel.restore_gauges(["old;t=1", "g"], [7.0, 1.0])
    assert flushed(kernel, b"g:+1|g") == {"gauges.old;t=1": "7", "gauges.g": "2"}
    kernel.restore_gauges(["g", "late"], [100.0, 3.0])
    assert flushed(kernel) == {"gauges.old;t=1": "7", "gauges.g": "2", "gauges.late": "3"}


def test_restored_gauges_obey_the_limit(kernel: Kernel) -> None:
    kernel.configure(Aggregation(max_series=2))
    kernel.restore_gauges(["a", "b", "c"], [1.0, 2.0, 3.0])
    aggregates = kernel.flush(1)
    assert (aggregates.tally.series, aggregates.tally.series_over_limit) == (2, 1)
