from __future__ import annotations

import logging
import random
import sys
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

import pytest

from nilometer.core.errors import Rejected, StoreError, Unavailable
from nilometer.core.losses import Losses
from nilometer.core.pipe import SOON, PipeOptions, SinkWorker
from nilometer.core.record import Flush, Kind, Window, block
from nilometer.core.spool import Spool
from nilometer.testing.clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE = 20.0
START = 1_000_000_000


def flush(number: int) -> Flush:
    return Flush(Window(number, number + 10, 10), (block(Kind.COUNTER, {"count": [1, 2]}, ["a", "b"]),))


class Sink:
    """A sink that does what the test says: `away`, `fault`, or hang until `release` is set."""

    def __init__(self) -> None:
        self.fault: Exception | None = None
        self.taken: list[float] = []
        self.attempts = 0
        self.together = 0
        self.closed = 0
        self.hanging = Event()
        self.release = Event()
        self.release.set()
        self._busy = Lock()

    def write(self, flush: Flush) -> None:
        if not self._busy.acquire(blocking=False):
            self.together += 1
            return
        try:
            self.attempts += 1
            if not self.release.is_set():
                self.hanging.set()
                self.release.wait(PATIENCE)
            if self.fault is not None:
                raise self.fault
            self.taken.append(flush.window.start)
        finally:
            self._busy.release()

    def close(self) -> None:
        self.closed += 1


class Bench:
    """A pipe on a bench: sink, clock, spool and losses at hand."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.sink = Sink()
        self.clock = ManualClock(START)
        self.losses = Losses()
        self.spool = self.open()
        self.worker = self.make()

    def open(self, size: int = 1 << 20) -> Spool:
        return Spool(self.directory / "spool", size=size, age=1e6, losses=self.losses, clock=self.clock)

    def make(self, queue: int = 2) -> SinkWorker:
        options = PipeOptions(queue=queue, first=1, most=8)
        return SinkWorker("test", self.sink, self.spool, self.losses, options=options, clock=self.clock, draw=lambda: 1.0)

    def put(self, *numbers: int) -> None:
        for number in numbers:
            self.worker.put(flush(number))

    def idle(self, waits: int) -> None:
        """Block until the worker has gone to sleep so many times, and sleeps."""
        self.clock.until_waiting(waits)

    def kept(self) -> list[float]:
        """Return the starts of what lies in the spool, after the worker was closed."""
        spool, starts = self.open(), []
        while (found := spool.first()) is not None:
            starts.append(found[1].window.start)
            spool.remove(found[0])
        spool.close()
        return starts

    def lost(self) -> dict[str, int]:
        return {f"{stage}.{reason}": number for (stage, reason), number in self.losses.totals().items() if number}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.sink.release.set()
    bench.worker.close(0)


def close_while_it_hangs(bench: Bench, deadline: float) -> bool:
    """Close in a thread, let the deadline pass, return what `close` said."""
    said: list[bool] = []
    waits = len(bench.clock.waits)
    thread = Thread(target=lambda: said.append(bench.worker.close(deadline)))
    thread.start()
    bench.clock.until_waiting(waits + 1)
    bench.clock.advance(deadline)
    thread.join(PATIENCE)
    return said[0]


def test_flushes_arrive_in_order(bench: Bench) -> None:
    bench.worker.start()
    bench.put(1, 2, 3)
    assert bench.worker.close(10)
    assert bench.sink.taken == [1, 2, 3]
    assert (bench.sink.closed, bench.kept(), bench.lost()) == (1, [], {})


def test_status_of_a_pipe_that_works(bench: Bench) -> None:
    bench.worker.start()
    bench.idle(1)
    bench.put(1)
    bench.idle(2)
    status = bench.worker.status()
    assert (status.name, status.last_success, status.last_error, status.last_error_time) == ("test", START, "", None)
    assert (status.retry_in, status.queued, status.spool_items, status.spool_bytes) == (None, 0, 0, 0)
    assert (status.written, status.written_series, status.dropped) == (1, 2, 0)


def test_a_sink_that_is_away_is_tried_again_after_growing_delays(bench: Bench) -> None:
    bench.sink.fault = Unavailable("nobody answers")
    bench.put(1)
    bench.worker.start()
    for attempts, delay in enumerate([1, 2, 4, 8, 8], 1):
        bench.idle(attempts)
        assert bench.sink.attempts == attempts
        assert bench.clock.waits[-1] == delay
        bench.clock.advance(delay)
    bench.idle(6)
    bench.sink.fault = None
    bench.clock.advance(8)
    bench.idle(7)
    assert bench.sink.taken == [1]
    bench.sink.fault = Unavailable("again")
    bench.put(2)
    bench.idle(8)
    assert bench.clock.waits[-1] == 1
    assert bench.sink.together == 0


def test_the_first_failure_moves_everything_to_disk(bench: Bench) -> None:
    bench.sink.fault = Unavailable("nobody answers")
    bench.put(1, 2)
    bench.worker.start()
    bench.idle(1)
    status = bench.worker.status()
    assert (status.spool_items, status.queued) == (2, 0)
    assert (status.last_success, status.last_error, status.last_error_time) == (None, "nobody answers", START)
    assert (status.retry_in, status.failing_since) == (1, START)
    bench.clock.advance(0.25)
    assert bench.worker.status().retry_in == 0.75


def test_a_failure_lasts_from_its_first_attempt_to_the_next_success(bench: Bench) -> None:
    bench.sink.fault = Unavailable("nobody answers")
    bench.put(1)
    bench.worker.start()
    bench.idle(1)
    bench.clock.advance(1)
    bench.idle(2)
    status = bench.worker.status()
    assert (status.failing_since, status.last_error_time) == (START, START + 1)
    bench.sink.fault = None
    bench.clock.advance(2)
    bench.idle(3)
    assert bench.worker.status().failing_since is None


def test_what_arrives_while_the_sink_is_away_goes_behind_it_on_disk(bench: Bench) -> None:
    bench.sink.fault = Unavailable("nobody answers")
    bench.put(1)
    bench.worker.start()
    bench.idle(1)
    for number in range(2, 8):
        bench.put(number)
        bench.idle(number)
        assert bench.worker.status().spool_items == number
    assert bench.sink.attempts == 1, "a new flush is no reason to try early"
    bench.sink.fault = None
    bench.clock.advance(1)
    bench.idle(8)
    assert bench.sink.taken == [1, 2, 3, 4, 5, 6, 7]
    status = bench.worker.status()
    assert (status.spool_items, status.spool_bytes, status.last_error) == (0, 0, "")


def test_what_a_sink_leaves_out_of_a_flush_is_counted(tmp_path: Path) -> None:
    class Choosy(Sink):
        def left_out(self) -> dict[tuple[str, str], int]:
            return {("sink", "not_finite"): 2, ("sink", "too_long"): 1}

    bench = Bench(tmp_path)
    bench.sink = Choosy()
    bench.worker = bench.make()
    bench.put(1, 2)
    bench.worker.start()
    assert bench.worker.close(10)
    assert bench.lost() == {"sink.not_finite": 4, "sink.too_long": 2}


def test_a_restart_goes_on_from_the_spool(bench: Bench) -> None:
    bench.sink.fault = Unavailable("nobody answers")
    bench.put(1, 2)
    bench.worker.start()
    bench.worker.close(10)
    bench.sink.fault = None
    bench.spool = bench.open()
    bench.worker = bench.make()
    bench.put(3)
    bench.worker.start()
    bench.worker.close(10)
    assert bench.sink.taken == [1, 2, 3]


def test_a_flush_that_is_refused_is_lost_and_the_next_one_goes(bench: Bench) -> None:
    bench.sink.fault = Rejected("not like this")
    bench.put(1)
    bench.worker.start()
    bench.idle(1)
    assert bench.worker.status().last_error == "not like this"
    bench.sink.fault = None
    bench.put(2)
    bench.idle(2)
    assert bench.sink.taken == [2]
    assert bench.worker.status().dropped == 1
    assert bench.lost() == {"sink.rejected": 1}


def test_a_flush_that_is_refused_leaves_the_spool_too(bench: Bench) -> None:
    bench.sink.fault = Unavailable("nobody answers")
    bench.put(1)
    bench.worker.start()
    bench.idle(1)
    bench.sink.fault = Rejected("not like this")
    bench.clock.advance(1)
    bench.idle(2)
    assert bench.worker.status().spool_items == 0
    assert bench.lost() == {"sink.rejected": 1}


def test_a_fault_of_the_backend_is_logged_once_and_tried_again(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.sink.fault = ZeroDivisionError("oops")
    bench.put(1)
    bench.worker.start()
    with caplog.at_level(logging.INFO):
        for attempts, delay in ((1, 1), (2, 2), (3, 4)):
            bench.idle(attempts)
            bench.clock.advance(delay)
        bench.idle(4)
        bench.sink.fault = None
        bench.clock.advance(8)
        bench.idle(5)
    traces = [record for record in caplog.records if record.exc_info]
    assert [record.levelname for record in traces] == ["WARNING"]
    assert "ZeroDivisionError: oops" in traces[0].getMessage()
    assert "takes flushes again" in caplog.records[-1].getMessage()
    assert bench.sink.taken == [1]


def test_a_sink_that_hangs_does_not_hold_up_put(bench: Bench) -> None:
    bench.sink.release.clear()
    bench.worker.start()
    bench.put(1)
    assert bench.sink.hanging.wait(PATIENCE)
    bench.put(2, 3, 4, 5, 6, 7)
    status = bench.worker.status()
    assert status.queued <= 2
    assert status.queued + status.spool_items == 7
    bench.sink.release.set()
    assert bench.worker.close(10)
    assert bench.sink.taken == [1, 2, 3, 4, 5, 6, 7]
    assert (bench.kept(), bench.lost()) == ([], {})


def test_a_sink_that_hangs_for_ever_does_not_hold_up_close(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.sink.release.clear()
    bench.worker.start()
    bench.put(1, 2)
    assert bench.sink.hanging.wait(PATIENCE)
    assert not close_while_it_hangs(bench, 5)
    assert "did not end within 5 s" in caplog.text
    assert bench.kept() == [1, 2]
    assert bench.lost() == {}


def test_while_close_waits_what_is_left_lies_on_disk_already(bench: Bench) -> None:
    bench.sink.release.clear()
    bench.worker.start()
    bench.put(1, 2)
    assert bench.sink.hanging.wait(PATIENCE)
    said: list[bool] = []
    closing = Thread(target=lambda: said.append(bench.worker.close(10)))
    waits = len(bench.clock.waits)
    closing.start()
    bench.clock.until_waiting(waits + 1)
    assert bench.worker.status().spool_items == 0
    bench.clock.advance(SOON)
    bench.clock.until_waiting(waits + 2)
    assert bench.worker.status().spool_items == 2
    bench.sink.release.set()
    closing.join(PATIENCE)
    assert (said, bench.sink.taken, bench.kept(), bench.lost()) == ([True], [1, 2], [], {})


def test_what_cannot_be_kept_at_the_end_is_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(_: Flush) -> int:
        message = "No space left on device"
        raise StoreError(message)

    monkeypatch.setattr(bench.spool, "append", full)
    bench.put(1, 2)
    bench.worker.close(0)
    assert "test: 2 flushes could not be kept and are lost" in caplog.messages
    assert bench.lost() == {"spool.disk": 2}


def test_a_hung_write_that_ends_after_close_touches_nothing(bench: Bench) -> None:
    bench.sink.release.clear()
    bench.worker.start()
    bench.put(1, 2)
    assert bench.sink.hanging.wait(PATIENCE)
    close_while_it_hangs(bench, 5)
    bench.sink.release.set()
    assert bench.worker.close(10), "the thread has ended by now"
    assert bench.sink.taken == [1]
    assert bench.sink.closed == 1
    assert bench.kept() == [1, 2]


def test_a_worker_that_chooses_while_it_is_closed_ends(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    first = bench.spool.first

    def closed_meanwhile() -> tuple[int, Flush] | None:
        bench.worker.close(0)
        return first()

    bench.put(1, 2, 3)
    monkeypatch.setattr(bench.spool, "first", closed_meanwhile)
    bench.worker.start()
    bench.worker._thread.join(PATIENCE)
    assert not bench.worker._thread.is_alive()
    assert (bench.sink.closed, bench.kept()) == (1, [1, 2, 3])


def test_close_tries_once_more_and_keeps_the_rest(bench: Bench) -> None:
    bench.sink.fault = Unavailable("nobody answers")
    bench.put(1, 2, 3)
    bench.worker.start()
    bench.idle(1)
    attempts = bench.sink.attempts
    assert bench.worker.close(10)
    assert bench.sink.attempts == attempts + 1
    assert (bench.kept(), bench.lost(), bench.sink.closed) == ([1, 2, 3], {}, 1)


def test_close_without_time_keeps_everything(bench: Bench) -> None:
    bench.put(1, 2)
    bench.worker.start()
    bench.worker.close(0)
    assert sorted({*bench.sink.taken, *bench.kept()}) == [1, 2]


def test_a_pipe_that_never_started_keeps_what_it_was_given(bench: Bench) -> None:
    bench.put(1)
    assert bench.worker.close(10)
    assert (bench.kept(), bench.sink.closed) == ([1], 1)


def test_close_may_be_called_twice(bench: Bench) -> None:
    bench.worker.start()
    assert bench.worker.close(10)
    assert bench.worker.close(10)
    assert bench.sink.closed == 1


def test_what_comes_after_close_is_counted(bench: Bench) -> None:
    bench.worker.start()
    bench.worker.close(10)
    bench.put(1)
    assert bench.lost() == {"spool.disk": 1}


def test_a_sink_that_cannot_be_closed_is_logged(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    def close() -> None:
        raise OSError

    bench.sink.close = close  # type: ignore[method-assign]  # a fault on purpose
    bench.worker.start()
    assert bench.worker.close(10)
    assert "could not be closed" in caplog.text


def test_a_disk_that_fails_never_reaches_put(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Flush) -> int:
        message = "No space left on device"
        raise StoreError(message)

    monkeypatch.setattr(bench.spool, "append", full)
    bench.sink.fault = Unavailable("nobody answers")
    bench.worker.start()
    bench.put(1)
    bench.idle(1)
    bench.put(2, 3, 4, 5)
    assert bench.worker.status().queued == 2
    assert bench.worker.status().dropped == 3
    assert bench.lost() == {"spool.disk": 3}
    bench.sink.fault = None
    assert bench.worker.close(10)
    assert bench.sink.taken == [4, 5], "the newest are kept in memory"


def test_a_disk_that_stays_full_is_named_once_until_it_takes_a_flush(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    append = bench.spool.append

    def full(_: Flush) -> int:
        message = "No space left on device"
        raise StoreError(message)

    for instead in (full, append, full):
        monkeypatch.setattr(bench.spool, "append", instead)
        bench.put(1, 2, 3, 4, 5, 6)
    told = [record.getMessage() for record in caplog.records if "No space left" in record.getMessage()]
    assert told == ["test: No space left on device"] * 2


def test_a_store_that_is_damaged_is_named_without_a_traceback(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.sink.fault = StoreError("the file is no SQLite database")
    bench.put(1)
    bench.worker.start()
    bench.idle(1)
    assert [(record.exc_info, "no SQLite database" in record.getMessage()) for record in caplog.records] == [(None, True)]
    assert bench.worker.status().spool_items == 1


def test_what_the_disk_refuses_at_the_end_is_counted(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Flush) -> int:
        message = "No space left on device"
        raise StoreError(message)

    monkeypatch.setattr(bench.spool, "append", full)
    bench.sink.fault = Unavailable("nobody answers")
    bench.put(1, 2)
    bench.worker.start()
    assert bench.worker.close(10)
    assert bench.lost() == {"spool.disk": 2}


def test_what_the_spool_drops_shows_in_the_status(bench: Bench) -> None:
    bench.spool.resize(size=100, age=1e6)
    bench.sink.fault = Unavailable("nobody answers")
    bench.put(1, 2, 3)
    bench.worker.start()
    bench.idle(1)
    status = bench.worker.status()
    assert status.spool_items == 1
    assert status.dropped == 2
    assert bench.lost() == {"spool.size": 2}


def test_other_options_count_from_the_next_failure_on(bench: Bench) -> None:
    bench.sink.fault = Unavailable("nobody answers")
    bench.put(1)
    bench.worker.start()
    bench.idle(1)
    bench.worker.configure(PipeOptions(first=5, most=50))
    bench.clock.advance(1)
    bench.idle(2)
    assert bench.clock.waits == [1, 5]


def test_many_flushes_through_a_sink_that_comes_and_goes(bench: Bench) -> None:
    bench.worker.start()
    faults = [None, Unavailable("away"), Unavailable("away"), ValueError("odd"), None]
    for number in range(200):
        bench.sink.fault = faults[number % 5]
        bench.put(number)
        bench.clock.advance(number % 3)
    assert bench.worker.close(10)
    arrived = bench.sink.taken + bench.kept()
    assert list(dict.fromkeys(arrived)) == list(range(200))
    assert (bench.sink.together, bench.lost()) == (0, {})


def test_flushes_that_arrive_while_the_queue_moves_to_disk_are_kept(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    head = bench.worker._backlog._head

    def late() -> Flush | None:
        found = head()
        if found is None and not bench.worker._backlog.closed:
            bench.worker._backlog._queue.extend(map(flush, range(10, 15)))
        return found

    bench.put(1, 2)
    monkeypatch.setattr(bench.worker._backlog, "_head", late)
    bench.put(3)
    bench.worker.close(10)
    assert (bench.kept(), bench.lost()) == ([1, 2, 3, 10, 11, 12, 13, 14], {})


def test_a_flush_that_moved_to_disk_in_that_moment_still_goes_first(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    first, puts = bench.spool.first, [[1, 2, 3, 4]]

    def empty_until_now() -> tuple[int, Flush] | None:
        found = first()
        bench.put(*puts.pop() if puts else [])
        return found

    monkeypatch.setattr(bench.spool, "first", empty_until_now)
    bench.worker.start()
    assert bench.worker.close(10)
    assert bench.sink.taken + bench.kept() == [1, 2, 3, 4]


def test_a_flush_that_the_sink_took_in_that_moment_is_not_kept(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    append = bench.spool.append

    def taken_meanwhile(flush: Flush) -> int | None:
        number = append(flush)
        if flush.window.start == 1:
            bench.worker._backlog._queue.popleft()
        return number

    monkeypatch.setattr(bench.spool, "append", taken_meanwhile)
    bench.put(1, 2, 3)
    bench.worker.close(10)
    assert bench.kept() == [2, 3]


def test_what_arrives_while_the_spool_empties_goes_behind_it_on_disk(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    write, seen = bench.sink.write, dict[float, tuple[int, int]]()

    def watch(flush: Flush) -> None:
        status = bench.worker.status()
        seen[flush.window.start] = (status.spool_items, status.queued)
        bench.put(*[3] if flush.window.start == 1 and bench.sink.fault is None else [])
        write(flush)

    monkeypatch.setattr(bench.sink, "write", watch)
    bench.sink.fault = Unavailable("nobody answers")
    bench.put(1, 2)
    bench.worker.start()
    bench.idle(1)
    bench.sink.fault = None
    bench.clock.advance(1)
    bench.idle(2)
    assert bench.sink.taken == [1, 2, 3]
    assert seen == {1: (2, 0), 2: (2, 0), 3: (1, 0)}


class Fickle:
    """A sink that fails at random, sometimes after it took the flush."""

    def __init__(self, seed: int) -> None:
        self.taken: list[int] = []
        self._random = random.Random(seed)  # noqa: S311 no secret

    def write(self, flush: Flush) -> None:
        luck = self._random.random()
        message = "bad luck"
        if luck < 0.2:
            raise Unavailable(message)
        self.taken.append(int(flush.window.start))
        if luck > 0.9:
            raise ValueError(message)

    def close(self) -> None:
        """Nothing is held."""


@pytest.mark.usefixtures("switch_often")
@pytest.mark.parametrize("seed", range(8))
def test_threads_that_race_lose_nothing_and_keep_the_order(tmp_path: Path, seed: int) -> None:
    losses, sink, number = Losses(), Fickle(seed), 0
    for deadline in (0.0, 0.01, 20.0):
        spool = Spool(tmp_path / "spool", size=1 << 28, age=1e9, losses=losses)
        options = PipeOptions(queue=1 + seed % 3, first=0.0001, most=0.001)
        worker = SinkWorker("fickle", sink, spool, losses, options=options)
        worker.start()
        for _ in range(150):
            worker.put(flush(number))
            number += 1
        worker.close(deadline)
        worker._thread.join(PATIENCE)
        assert not worker._thread.is_alive()
    spool = Spool(tmp_path / "spool", size=1 << 28, age=1e9, losses=losses)
    arrived = sink.taken
    while (found := spool.first()) is not None:
        arrived.append(int(found[1].window.start))
        spool.remove(found[0])
    assert list(dict.fromkeys(arrived)) == list(range(450))
    assert not any(losses.totals().values())


@pytest.fixture
def switch_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)
