"""The look at the open window, deletion, who sends the most, totals. Each test runs over both kernels."""

from __future__ import annotations

import threading

import pytest

from nilometer.core.record import Kind
from nilometer.ingest.inspection import MOST_ITEMS, Peeked, TopName, TopRefused, TopSource
from nilometer.ingest.kernel import Aggregation, Kernel
from nilometer.testing.kernels import flushed

ALL = b"c:2|c\nt:3|ms\nt:1|ms|@0.5\ng:4|g\ns:x|s\ns:w|s\ns:x|s"


def shown(kernel: Kernel) -> dict[Kind, dict[str, object]]:
    """Return what a peek shows of each kind: a number, samples or members."""
    found: dict[Kind, dict[str, object]] = {}
    for kind in Kind:
        peeked = kernel.peek(kind, 100)
        values: list[object] = [*(peeked.samples or peeked.members or peeked.values)]
        found[kind] = dict(zip(peeked.keys, values, strict=True))
    return found


def test_the_open_window_is_shown_by_kind_and_goes_on(kernel: Kernel) -> None:
    for _ in range(2):
        kernel.feed(ALL, "", "statsd")
        shown(kernel)
    assert shown(kernel) == {
        Kind.COUNTER: {"c": 4.0},
        Kind.TIMER: {"t": [3.0, 1.0, 3.0, 1.0]},
        Kind.GAUGE: {"g": 4.0},
        Kind.SET: {"s": ["x", "w"]},
    }
    rows = flushed(kernel)
    assert (rows["counters.c.count"], rows["timers.t.count"], rows["sets.s.count"]) == ("4", "6", "2")


def test_idle_series_are_shown_with_nothing(kernel: Kernel) -> None:
    flushed(kernel, ALL)
    expected = {Kind.COUNTER: {"c": 0.0}, Kind.TIMER: {"t": []}, Kind.GAUGE: {"g": 4.0}, Kind.SET: {"s": []}}
    assert shown(kernel) == expected


def test_series_stand_in_order_of_first_arrival(kernel: Kernel) -> None:
    flushed(kernel, b"z:1|c\ny:1|c")
    kernel.feed(b"b:1|c\ny:5|c\na:1|c", "", "statsd")
    assert kernel.peek(Kind.COUNTER, 10) == Peeked(Kind.COUNTER, ["z", "y", "b", "a"], [0.0, 5.0, 1.0, 1.0], count=4)
    assert kernel.peek(Kind.COUNTER, 3) == Peeked(Kind.COUNTER, ["z", "y", "b"], [0.0, 5.0, 1.0], count=4)
    assert kernel.peek(Kind.COUNTER, 1) == Peeked(Kind.COUNTER, ["z"], [0.0], count=4)
    assert kernel.peek(Kind.TIMER, 1) == Peeked(Kind.TIMER)


def test_gauges_are_shown_as_they_would_be_flushed(kernel: Kernel) -> None:
    kernel.restore_gauges(["r"], [7.0])
    flushed(kernel, b"g:5|g")
    kernel.feed(b"g:+2|g\nr:-1|g\nn:+3|g\nm:1|g\nm:-3|g", "", "statsd")
    assert shown(kernel)[Kind.GAUGE] == {"r": 6.0, "g": 7.0, "n": 3.0, "m": -2.0}
    assert flushed(kernel) == {"gauges.r": "6", "gauges.g": "7", "gauges.n": "3", "gauges.m": "-2"}


def test_what_one_series_shows_is_bounded(kernel: Kernel) -> None:
    many = range(MOST_ITEMS + 5)
    kernel.feed(b"\n".join(b"t:%d|ms\ns:%d|s" % (each, each) for each in many), "", "statsd")
    timers, sets = kernel.peek(Kind.TIMER, 10), kernel.peek(Kind.SET, 10)
    assert timers.samples == [[float(each) for each in many[:MOST_ITEMS]]]
    assert sets.members == [[str(each) for each in many[:MOST_ITEMS]]]
    assert timers.values == sets.values == [float(len(many))]


def test_keys_are_found_by_their_start(kernel: Kernel) -> None:
    flushed(kernel, b"a.x:1|c\nb.x:1|c\na.y:1|c\na.z:1|g")
    kernel.feed(b"a.w:1|c\nab:1|c", "", "statsd")
    assert kernel.keys(Kind.COUNTER, "a.", 10) == ["a.x", "a.y", "a.w"]
    assert kernel.keys(Kind.COUNTER, "a.", 2) == ["a.x", "a.y"]
    assert kernel.keys(Kind.COUNTER, "", 10) == ["a.x", "b.x", "a.y", "a.w", "ab"]
    assert kernel.keys(Kind.SET, "", 10) == []


@pytest.mark.parametrize("known", [True, False])
def test_a_deleted_series_is_gone_and_starts_anew(kernel: Kernel, *, known: bool) -> None:
    more = b"\nc2:1|c\nt2:1|ms\ng2:1|g\ns2:1|s"
    if known:
        flushed(kernel, ALL + more)
    kernel.feed(ALL + more, "", "statsd")
    for kind, key in zip((Kind.COUNTER, Kind.TIMER, Kind.GAUGE, Kind.SET), "ctgs", strict=True):
        assert kernel.delete(kind, [key, "nosuch", key]) == [True, False, False]
    kernel.feed(b"c:1|c\nt:7|ms\ng:+1|g\ns:w|s", "", "statsd")
    assert shown(kernel) == {
        Kind.COUNTER: {"c2": 1.0, "c": 1.0},
        Kind.TIMER: {"t2": [1.0], "t": [7.0]},
        Kind.GAUGE: {"g2": 1.0, "g": 1.0},
        Kind.SET: {"s2": ["1"], "s": ["w"]},
    }
    rows = flushed(kernel)
    assert (rows["counters.c.count"], rows["timers.t.sum"], rows["gauges.g"], rows["sets.s.count"]) == ("1", "7", "1", "1")
    assert [path for path in rows if path.startswith("gauges.")] == ["gauges.g2", "gauges.g"]


def test_a_deleted_series_stays_away(kernel: Kernel) -> None:
    kernel.feed(ALL, "", "statsd")
    for kind, key in zip((Kind.COUNTER, Kind.TIMER, Kind.GAUGE, Kind.SET), "ctgs", strict=True):
        assert kernel.delete(kind, [key]) == [True]
    assert flushed(kernel) == flushed(kernel) == {}
    assert flushed(kernel, b"other:1|c\ng:+1|g")["gauges.g"] == "1"


def test_a_deleted_gauge_is_not_kept_for_the_next_start(kernel: Kernel) -> None:
    kernel.restore_gauges(["r"], [7.0])
    flushed(kernel, b"g:5|g\nh:1|g")
    assert kernel.delete(Kind.GAUGE, ["g", "r"]) == [True, True]
    assert [list(part) for part in kernel.gauges()] == [["h"], [1.0]]
    assert flushed(kernel, b"r:+1|g") == {"gauges.h": "1", "gauges.r": "1"}


def test_a_deletion_makes_room_for_another_series(kernel: Kernel) -> None:
    kernel.configure(Aggregation(max_series=2, overflow="more"))
    flushed(kernel, b"a:1|c\nb:1|c")
    assert kernel.delete(Kind.COUNTER, ["a"]) == [True]
    kernel.feed(b"c:1|c\nd:1|c", "", "statsd")
    assert kernel.keys(Kind.COUNTER, "", 10) == ["b", "c", "more"]
    assert kernel.flush(1).tally.series_over_limit == 1
    assert kernel.delete(Kind.COUNTER, ["b", "c", "more"]) == [True, True, True]
    assert list(flushed(kernel, b"x:1|c\ny:1|c\nz:1|c"))[1::2] == [
        "counters.x.count",
        "counters.y.count",
        "counters.more.count",
    ]


def test_names_are_ranked_by_updates_of_two_windows(kernel: Kernel) -> None:
    flushed(kernel, b"old:1|c:1|c:1|c")
    flushed(kernel, b"a:1|c\nb:1|ms:2|ms:3|ms\nc:1|s:1|s")
    kernel.feed(b"d:1|g\nc:1|s\nd:1|g\na:1|c\nd:1|g", "", "statsd")
    ranked = [
        TopName(Kind.TIMER, "b", 3),
        TopName(Kind.SET, "c", 3),
        TopName(Kind.GAUGE, "d", 3),
        TopName(Kind.COUNTER, "a", 2),
    ]
    assert kernel.top(10).names == ranked
    assert kernel.top(2).names == ranked[:2]
    kernel.delete(Kind.TIMER, ["b"])
    assert kernel.top(10).names == ranked[1:]


def test_sources_are_ranked_by_lines_without_their_ports(kernel: Kernel) -> None:
    kernel.feed(b"old:1|c\n" * 9, "192.0.2.9:1", "statsd")
    kernel.flush(1)
    kernel.feed(b"a:1|c\n\nb:1|c", "192.0.2.1:4000", "statsd")
    kernel.feed(b"a:1|c", "192.0.2.1:4001", "statsd")
    kernel.flush(1)
    kernel.feed(b"a:1|c\nx\n" * 2, "[2001:db8::1]:53", "statsd")
    kernel.feed(b"a:1|c\n" * 2, "/run/a:8125", "statsd")
    kernel.feed(b"a:1|c\n" * 3, "192.0.2.1:4002", "statsd")
    kernel.feed(b"\n", "192.0.2.2:1", "statsd")
    sources = [TopSource("192.0.2.1", 6), TopSource("2001:db8::1", 4), TopSource("/run/a:8125", 2)]
    assert kernel.top(10).sources == sources
    assert kernel.top(1).sources == sources[:1]


def test_refused_lines_are_ranked_by_source_and_reason(kernel: Kernel) -> None:
    kernel.feed(b"a:x|c\nb:1\na:y|c:z|c", "192.0.2.1:1", "statsd")
    kernel.flush(1)
    kernel.feed(b"a:z|c", "192.0.2.1:2", "statsd")
    kernel.feed(b"b:1\nb:1", "192.0.2.2:1", "statsd")
    assert kernel.top(10).refused == [
        TopRefused("192.0.2.1", "not a number", 4, "a:x|c"),
        TopRefused("192.0.2.2", "no type", 2, "b:1"),
        TopRefused("192.0.2.1", "no type", 1, "b:1"),
    ]
    assert len(kernel.top(1).refused) == 1


def test_sources_beyond_the_places_share_them(kernel: Kernel) -> None:
    for each in range(3000):
        kernel.feed(b"a:1|c", f"192.0.{each // 256}.{each % 256}:1", "statsd")
        kernel.feed(b"a:1|c", "203.0.113.1:1", "statsd")
    (first, *_) = kernel.top(1).sources
    assert first.source == "203.0.113.1"
    assert 3000 <= first.lines <= 3000 + 6000 // 1000


def test_totals_include_the_open_window(kernel: Kernel) -> None:
    before = kernel.totals()
    assert (before.packets, before.lines, before.bad_lines) == (0, 0, 0)
    for _ in range(2):
        kernel.feed(b"a:1|c\nbad", "", "statsd")
        kernel.flush(1)
    kernel.feed(b"a:1|c\nbad\n", "", "statsd", packets=3)
    totals = kernel.totals()
    assert (totals.packets, totals.bytes, totals.lines, totals.bad_lines) == (5, 28, 6, 3)
    assert 0 <= totals.idle_seconds < 60


def test_looks_and_deletions_while_threads_feed_lose_nothing_else(kernel: Kernel) -> None:
    feeders, each = 2, 300

    def feed(number: int) -> None:
        for index in range(each):
            kernel.feed(b"kept:1|c\ngone%d:1|c\nt:%d|ms\ns:%d|s" % (number, index, index), "", "statsd")

    threads = [threading.Thread(target=feed, args=(number,)) for number in range(feeders)]
    for thread in threads:
        thread.start()
    deleted = 0
    while any(thread.is_alive() for thread in threads) or not deleted:
        deleted += sum(kernel.delete(Kind.COUNTER, ["gone0", "gone1", "nosuch"]))
        assert kernel.peek(Kind.TIMER, 1).count <= 1
        assert len(kernel.top(1).names) <= 1
    for thread in threads:
        thread.join()
    assert kernel.peek(Kind.COUNTER, 10).values[0] == feeders * each
    assert kernel.peek(Kind.TIMER, 1).values == [feeders * each]
    assert kernel.peek(Kind.SET, 1).values == [each]
