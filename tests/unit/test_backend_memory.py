"""The memory backend: one ring of points for each name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nilometer.backends import memory, registry
from nilometer.core import url as urls
from nilometer.core.errors import UrlError
from nilometer.core.record import Block, Flush, Kind
from nilometer.testing import flushes

if TYPE_CHECKING:
    from collections.abc import Iterator

END = 1_700_000_010.0
PATH = "stats.gauges.contract.mark"


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    for name in ("one", "two"):
        memory.forget(name)


def times(url: str, path: str = PATH) -> list[int]:
    (series,) = registry.open(url, "series").read([path], 0, 2 * END)
    return list(series.times)


def test_a_name_is_shared_and_others_are_not() -> None:
    registry.open("memory://one", "metrics").write(flushes.marked(END))
    assert times("memory://one") == [END]
    assert times("memory://two") == []


def test_closing_keeps_and_forgetting_drops() -> None:
    sink = registry.open("memory://one", "metrics")
    sink.write(flushes.marked(END))
    sink.close()
    assert times("memory://one") == [END]
    memory.forget("one")
    assert times("memory://one") == []


def test_the_oldest_seconds_are_dropped_beyond_the_bound() -> None:
    sink = registry.open("memory://one?points=3", "metrics")
    for number in range(5):
        sink.write(flushes.marked(END + number))
    assert times("memory://one") == [END + 2, END + 3, END + 4]
    assert registry.open("memory://one?points=3", "health").check() == "memory: one holds 3 points of at most 3"


def test_a_point_written_again_is_counted_once() -> None:
    sink = registry.open("memory://one?points=2", "metrics")
    for _ in range(5):
        sink.write(flushes.marked(END))
    sink.write(flushes.marked(END + 1))
    assert times("memory://one") == [END, END + 1]


def test_a_flush_larger_than_the_bound_is_kept_alone() -> None:
    sink = registry.open("memory://one?points=10", "metrics")
    sink.write(flushes.marked(END))
    sink.write(flushes.many(END + 1, 100))
    assert times("memory://one") == []
    assert len(registry.open("memory://one", "series").find()) == 200


def test_the_unnamed_ring_says_so() -> None:
    assert registry.open("memory://", "health").check().startswith("memory: the unnamed ring holds ")


@pytest.mark.parametrize("url", ["memory://a,b", "memory://a:1", "memory://a/b", "memory://me@a", "memory://a?points=0"])
def test_a_url_that_cannot_be_is_refused(url: str) -> None:
    with pytest.raises(UrlError):
        registry.open(url, "metrics")


def test_sketches_are_kept_by_series() -> None:
    backend = memory.open(urls.parse("memory://one"))
    for second in (0, 10):
        backend.write(flushes.sketched(END + second))
    held = backend.sketches("contract.sketched.few", END, END + 20)
    assert [(second, sketch.count) for second, sketch in held] == [(END, 3), (END + 10, 3)]
    assert backend.sketches("contract.sketched.few", END + 1, END + 9) == []
    assert backend.sketches("contract.sketched.idle", 0, 2 * END) == backend.sketches("contract.plain", 0, 2 * END) == []


def test_sketches_count_as_points_for_every_eight_bytes() -> None:
    backend = memory.open(urls.parse("memory://one"))
    sketched = Flush(flushes.window(END), (Block(Kind.TIMER, b"a\nb", 2, (), (b"123456789", b"")),))
    for _ in range(2):
        backend.write(sketched)
    assert backend.check() == "memory: one holds 2 points of at most 1000000"
