"""Idle series, expiry, other rules while running, threads. Each test runs over both kernels."""

from __future__ import annotations

import threading

import pytest

from nilometer.ingest.kernel import Aggregation, Kernel
from nilometer.testing.kernels import as_flush, flushed

ALL = b"c:1|c\nt:1|ms\ng:1|g\ns:1|s"
COUNT = ["counters.c.rate", "counters.c.count"]


@pytest.mark.parametrize(
    ("rules", "left"),
    [
        (Aggregation(delete_counters=True), ["timers.t.count_ps", "timers.t.count", "gauges.g", "sets.s.count"]),
        (Aggregation(delete_timers=True), [*COUNT, "gauges.g", "sets.s.count"]),
        (Aggregation(delete_gauges=True), [*COUNT, "timers.t.count_ps", "timers.t.count", "sets.s.count"]),
        (Aggregation(delete_sets=True), [*COUNT, "timers.t.count_ps", "timers.t.count", "gauges.g"]),
        (Aggregation(delete_counters=True, delete_timers=True, delete_gauges=True, delete_sets=True), []),
    ],
)
def test_idle_series_are_deleted_by_kind(kernel: Kernel, rules: Aggregation, left: list[str]) -> None:
    kernel.configure(rules)
    flushed(kernel, ALL)
    assert list(flushed(kernel)) == left


def test_busy_series_stay_where_idle_ones_are_deleted(kernel: Kernel) -> None:
    kernel.configure(Aggregation(delete_counters=True, delete_timers=True, delete_sets=True))
    for _ in range(3):
        assert flushed(kernel, b"c:2|c\nt:3|ms\ns:1|s")["counters.c.count"] == "2"
    assert flushed(kernel) == {}
    assert flushed(kernel, b"c:2|c") == {"counters.c.rate": "2", "counters.c.count": "2"}


def test_kept_counters_are_never_deleted(kernel: Kernel) -> None:
    kernel.configure(Aggregation(delete_counters=True, keep=("seen", "received")))
    flushed(kernel, b"bad_lines_seen:1|c\nx.received.y:1|c\nother:1|c")
    assert list(flushed(kernel))[1::2] == ["counters.bad_lines_seen.count", "counters.x.received.y.count"]


@pytest.mark.parametrize("ttl", [1, 2, 3])
def test_a_gauge_is_reported_as_often_as_its_time_to_live(kernel: Kernel, ttl: int) -> None:
    kernel.configure(Aggregation(delete_gauges=True, gauge_ttl=ttl))
    seen = [flushed(kernel, b"g:5|g")]
    seen += [flushed(kernel) for _ in range(4)]
    assert seen == [{"gauges.g": "5"}] * ttl + [{}] * (5 - ttl)


def test_each_update_renews_a_gauge(kernel: Kernel) -> None:
    kernel.configure(Aggregation(delete_gauges=True, gauge_ttl=2))
    windows = [b"g:5|g", b"g:+0|g", b"", b"", b"g:+1|g"]
    assert [flushed(kernel, window).get("gauges.g") for window in windows] == ["5", "5", "5", None, "1"]


def test_a_deleted_gauge_starts_from_nothing(kernel: Kernel) -> None:
    kernel.configure(Aggregation(delete_gauges=True))
    flushed(kernel, b"g:5|g")
    assert flushed(kernel, b"g:+3|g") == {"gauges.g": "3"}
    assert tuple(map(list, kernel.gauges())) == ([], [])


def test_a_series_that_comes_back_stands_at_the_end(kernel: Kernel) -> None:
    kernel.configure(Aggregation(delete_counters=True))
    flushed(kernel, b"a:1|c\nb:1|c")
    flushed(kernel, b"b:1|c")
    assert list(flushed(kernel, b"b:1|c\na:1|c"))[1::2] == ["counters.b.count", "counters.a.count"]


def test_rules_change_while_running(kernel: Kernel) -> None:
    flushed(kernel, b"t:1|ms")
    kernel.configure(Aggregation(percentiles=(50,)))
    assert "timers.t.count_50" in flushed(kernel, b"t:1|ms")
    kernel.configure(Aggregation(delete_timers=True))
    flushed(kernel)
    assert flushed(kernel) == {}


def test_nothing_is_lost_between_flushes_while_threads_feed(kernel: Kernel) -> None:
    feeders, each, counted = 3, 400, 0.0
    kernel.configure(Aggregation(delete_counters=True))

    def feed(number: int) -> None:
        for index in range(each):
            kernel.feed(b"a:1|c\nb%d:1|c\nt:%d|ms" % (number, index), "", "statsd")

    threads = [threading.Thread(target=feed, args=(number,)) for number in range(feeders)]
    for thread in threads:
        thread.start()
    lines = samples = 0.0
    while any(thread.is_alive() for thread in threads) or not lines:
        lines, counted, samples = add(kernel, lines, counted, samples)
    for thread in threads:
        thread.join()
    lines, counted, samples = add(kernel, lines, counted, samples)
    assert (lines, counted, samples) == (3 * feeders * each, 2 * feeders * each, feeders * each)


def add(kernel: Kernel, lines: float, counted: float, samples: float) -> tuple[float, float, float]:
    aggregates = kernel.flush(1)
    rows = list(as_flush(aggregates).rows())
    counted += sum(value for kind, _, name, value in rows if (kind, name) == ("counter", "count"))
    samples += sum(value for kind, _, name, value in rows if (kind, name) == ("timer", "count"))
    return lines + aggregates.tally.lines, counted, samples


def test_the_pause_of_a_flush_is_told(kernel: Kernel) -> None:
    flushed(kernel, b"a:1|c")
    assert kernel.flush(1).tally.pause_ns > 0
