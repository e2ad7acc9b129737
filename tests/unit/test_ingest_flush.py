"""The flusher: when it flushes, what goes into a flush, what survives."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from nilometer.core.losses import Losses
from nilometer.ingest._reference import ReferenceKernel
from nilometer.ingest.flush import Flusher, Parts
from nilometer.ingest.kernel import Aggregates, Tally
from nilometer.ingest.schedule import Schedule
from nilometer.testing.clock import ManualClock

if TYPE_CHECKING:
    import pytest

    from nilometer.core.record import Block, Flush, Kind
    from nilometer.ingest.inspection import Totals
    from nilometer.ingest.selfmetrics import Moment

START = 1_000_000_003.0


class NoMetrics:
    """A server that reports nothing about itself."""

    def blocks(self, moment: Moment) -> tuple[list[Block], list[Block]]:
        del moment
        return [], []

    def standing(self, kind: Kind, totals: Totals) -> dict[str, float]:
        del kind, totals
        return {}


class Bench:
    """A flusher over a reference kernel and a clock that the test moves."""

    def __init__(self, *, nominal: bool = False, written: float = 0.0) -> None:
        self.clock = ManualClock(START)
        self.kernel, self.losses = ReferenceKernel(), Losses()
        self.flushes: list[Flush] = []
        self.tallies: list[Tally] = []
        self.arrived = threading.Event()
        parts = Parts(self.kernel, self.losses, NoMetrics(), self.deliver, self.tallies.append, nominal=nominal)
        self.flusher = Flusher(parts, Schedule(10.0), self.clock, written)

    def deliver(self, flush: Flush) -> None:
        self.flushes.append(flush)
        self.arrived.set()

    def rows(self, number: int = -1) -> dict[tuple[str, str], float]:
        return {(key, statistic): value for _, key, statistic, value in self.flushes[number].rows()}


def test_nothing_is_flushed_before_the_window_is_over() -> None:
    bench = Bench()
    bench.clock.advance(6.9)
    bench.flusher.tick()
    assert bench.flushes == []

    bench.clock.advance(0.1)
    bench.flusher.tick()
    assert [flush.window.end for flush in bench.flushes] == [START + 7]


def test_rates_divide_by_the_interval_even_in_a_first_short_window() -> None:
    bench = Bench()
    bench.kernel.feed(b"a:20|c\n")
    bench.clock.advance(7)
    bench.flusher.tick()

    assert bench.rows() == {("a", "rate"): 2.0, ("a", "count"): 20.0}


def test_a_flush_that_covers_three_windows_divides_by_three_intervals() -> None:
    bench = Bench()
    bench.kernel.feed(b"a:60|c\n")
    bench.clock.advance(28)
    bench.flusher.tick()

    assert bench.rows()["a", "rate"] == 2.0
    assert bench.flushes[-1].window.end == START + 27


def test_with_nominal_rates_a_long_window_still_divides_by_the_interval() -> None:
    bench = Bench(nominal=True)
    bench.kernel.feed(b"a:60|c\n")
    bench.clock.advance(28)
    bench.flusher.tick()

    assert bench.rows()["a", "rate"] == 6.0


def test_stop_flushes_what_the_window_holds() -> None:
    bench = Bench()
    bench.kernel.feed(b"a:5|c\n")
    bench.clock.advance(1)

    bench.flusher.stop()

    assert bench.rows()["a", "count"] == 5.0
    assert bench.flushes[-1].window.end == START + 7
    assert bench.flusher.written == START + 7


def test_a_restart_within_the_window_that_was_written_makes_the_first_one_longer() -> None:
    bench = Bench(written=START + 7)
    bench.clock.advance(7)
    bench.flusher.tick()
    assert bench.flushes == []

    bench.clock.advance(10)
    bench.flusher.tick()
    assert bench.flushes[0].window.end == START + 17


def test_losses_are_counted_from_the_tally() -> None:
    bench = Bench()
    tally = Tally(bad_lines=1, series_over_limit=2, samples_over_limit=3, members_over_limit=4, kernel_drops=5)
    bench.kernel.flush = lambda seconds, *, last=False: Aggregates(tally=tally)  # type: ignore[method-assign]  # noqa: ARG005 a kernel's flush
    bench.flusher.stop()

    lost = {f"{stage}.{reason}": count for (stage, reason), count in bench.losses.totals().items() if count}
    assert lost == {
        "kernel.bad_line": 1,
        "kernel.series_limit": 2,
        "kernel.sample_limit": 3,
        "kernel.set_member_limit": 4,
        "socket.kernel_drop": 5,
    }
    assert bench.tallies == [tally]


def test_another_interval_takes_effect_in_the_window_that_is_being_filled() -> None:
    bench = Bench()
    bench.flusher.reschedule(Schedule(2.0))
    assert bench.flusher.end == START + 1

    bench.clock.advance(1)
    bench.flusher.tick()
    assert (bench.flushes[-1].window.end, bench.flushes[-1].window.interval) == (START + 1, 2.0)


def test_the_thread_looks_at_the_wall_clock_every_second_and_flushes_in_time() -> None:
    bench = Bench()
    bench.flusher.start()
    for number in range(1, 8):
        bench.clock.until_waiting(number)
        bench.clock.advance(1)

    assert bench.arrived.wait(10)
    assert bench.clock.waits[:7] == [1.0] * 7
    bench.flusher.stop()


def test_a_flush_that_fails_is_logged_and_the_next_one_comes(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    flush, calls = bench.kernel.flush, 0

    def fail_once(seconds: float, *, last: bool = False) -> Aggregates:
        nonlocal calls
        calls += 1
        if calls == 1:
            message = "a fault"
            raise RuntimeError(message)
        return flush(seconds, last=last)

    bench.kernel.flush = fail_once  # type: ignore[method-assign]  # the fault to test
    bench.flusher.start()
    for number in range(1, 18):
        bench.clock.until_waiting(number)
        bench.clock.advance(1)

    assert bench.arrived.wait(10)
    bench.flusher.stop()
    assert bench.flushes[0].window.end == START + 17
    assert "a flush failed" in caplog.text
