"""The pipe of events to one sink, and what takes events."""

from __future__ import annotations

import json
import logging
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from nilometer.backends import memory, registry
from nilometer.core.batches import BATCH, MOST
from nilometer.core.errors import Rejected, Unavailable
from nilometer.core.events import EVENTS, EventSpool, EventWorker
from nilometer.core.losses import Losses
from nilometer.core.record import Event
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def events(number: int) -> list[Event]:
    return [Event(str(each), 5.0, "dogstatsd.event", "web", payload={"title": "t"}) for each in range(number)]


class Sink:
    """Takes events as the test says."""

    def __init__(self, *faults: Exception) -> None:
        self.faults, self.taken = list(faults), list[str]()
        self.closed = threading.Event()
        self.open = threading.Event()
        self.open.set()

    def write_events(self, events: Sequence[Event]) -> None:
        self.open.wait(10)
        if self.faults:
            raise self.faults.pop(0)
        self.taken += [event.id for event in events]

    def close(self) -> None:
        self.closed.set()


def test_events_arrive_in_order() -> None:
    sink, losses = Sink(), Losses()
    worker = EventWorker("sink", sink, losses)
    for each in events(3 * BATCH):
        worker.put([each])
    worker.close(10)
    assert sink.taken == [str(number) for number in range(3 * BATCH)]
    assert sink.closed.is_set()
    assert not any(losses.totals().values())


@pytest.mark.parametrize("fault", [Unavailable("away"), OSError("a fault of the backend")])
def test_a_sink_that_was_away_gets_them_later(fault: Exception) -> None:
    sink, losses = Sink(fault), Losses()
    sink.open.clear()
    worker = EventWorker("sink", sink, losses)
    worker.put(events(2))
    threading.Timer(0.1, sink.open.set).start()
    while not sink.taken:
        assert not sink.closed.wait(0.01)
    worker.close(10)
    assert sink.taken == ["0", "1"]


class Choosy(Sink):
    """Refuses every write that has one of these events."""

    def __init__(self, *refused: str) -> None:
        super().__init__()
        self.refused = {*refused}

    def write_events(self, events: Sequence[Event]) -> None:
        if self.refused & {event.id for event in events}:
            message = "no"
            raise Rejected(message)
        super().write_events(events)


def test_what_is_refused_is_counted_and_all_others_are_written() -> None:
    sink, losses = Choosy("3", "7"), Losses()
    worker = EventWorker("sink", sink, losses)
    worker.put(events(BATCH + 1))
    worker.close(10)
    assert sink.taken == [str(number) for number in range(BATCH + 1) if number not in (3, 7)]
    assert losses.totals()["event", "rejected"] == 2
    assert not losses.totals()["sink", "rejected"]


def test_a_sink_that_goes_away_while_events_are_tried_alone_gets_all_of_them_again() -> None:
    class Leaving(Choosy):
        left = False

        def write_events(self, events: Sequence[Event]) -> None:
            if [event.id for event in events] == ["4"] and not self.left:
                self.left, self.faults = True, [Unavailable("away")]
            super().write_events(events)

    sink, losses = Leaving("3"), Losses()
    worker = EventWorker("sink", sink, losses)
    worker.put(events(6))
    until(lambda: sink.taken[-2:] == ["4", "5"], "all is written")
    worker.close(10)
    assert {*sink.taken} == {"0", "1", "2", "4", "5"}
    assert losses.totals()["event", "rejected"] == 1


class Disk:
    """A directory for spools, and what is lost of them."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.losses = directory / "spool", Losses()

    def open(self, size: int = 1 << 20) -> EventSpool:
        return EventSpool(self.directory, EVENTS, size=size, age=1e6, losses=self.losses)

    def worker(self, sink: Sink, size: int = 1 << 20, most: int = MOST) -> EventWorker:
        return EventWorker("sink", sink, self.losses, spool=lambda: self.open(size), most=most)

    def lost(self) -> dict[str, int]:
        return {f"{stage}.{reason}": number for (stage, reason), number in self.losses.totals().items() if number}

    def kept(self) -> list[str]:
        """Return the ids of what lies in the spool, after the worker was closed."""
        spool, ids = self.open(), list[str]()
        while (found := spool.first()) is not None:
            ids += [event.id for event in found[1]]
            spool.remove(found[0])
        spool.close()
        return ids


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path)


def ids(number: int) -> list[str]:
    return [str(each) for each in range(number)]


def test_what_a_sink_that_is_away_did_not_take_is_delivered_after_a_restart(disk: Disk) -> None:
    away = Sink(*[Unavailable("away")] * 1000)
    worker = disk.worker(away)
    for each in events(2 * BATCH + 3):
        worker.put([each])
    worker.close(10)
    sink = Sink()
    again = disk.worker(sink)
    again.put([Event("last", 6.0, "t")])
    again.close(10)
    assert sink.taken == [*ids(2 * BATCH + 3), "last"]
    assert disk.lost() == {}
    assert disk.kept() == []


def test_what_a_sink_that_hangs_has_no_room_for_goes_to_disk_in_order(disk: Disk) -> None:
    sink = Sink()
    sink.open.clear()
    worker = disk.worker(sink, most=1000)
    until(disk.directory.exists, "the spool is there")
    for each in events(6_000):
        worker.put([each])
        if int(each.id) % 100 == 0:
            until(lambda: worker.status().queued < 2 and len(worker._batches.inbox) < 900, "the disk keeps up")
    sink.open.set()
    until(lambda: worker.idle, "all is written")
    worker.close(10)
    assert sink.taken == ids(6_000)
    assert disk.lost() == {}


def test_a_sink_that_hangs_for_ever_leaves_everything_in_the_spool(disk: Disk) -> None:
    sink = Sink()
    sink.open.clear()
    worker = disk.worker(sink)
    worker.put(events(700))
    until(lambda: worker.status().queued, "the first batch is being written")
    assert not worker.close(0.01)
    assert disk.kept() == ids(700)
    assert disk.lost() == {}
    sink.open.set()


def test_a_spool_that_is_full_drops_the_oldest_and_counts_each_event(disk: Disk) -> None:
    worker = disk.worker(Sink(*[Unavailable("away")] * 1000), size=4000)
    for number in range(10):
        worker.put([Event(str(number * 100 + each), 5.0, f"type{hash((number, each))}") for each in range(100)])
        until(lambda: not worker._batches.inbox, "it lies on disk")
    worker.close(10)
    kept = disk.kept()
    assert 0 < len(kept) < 1000
    assert kept == ids(1000)[-len(kept) :]
    assert disk.lost() == {"event.size": 1000 - len(kept)}


def test_a_disk_that_takes_nothing_leaves_events_in_memory(disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    sink = Sink(Unavailable("away"), Unavailable("away"))
    worker = disk.worker(sink)
    until(lambda: worker._batches.kept, "the spool is there")
    (disk.directory / "next.tmp").mkdir()
    worker.put(events(2 * BATCH))
    until(lambda: len(sink.taken) == 2 * BATCH, "all is written")
    worker.close(10)
    assert sink.taken == ids(2 * BATCH)
    assert disk.lost() == {}
    assert any("cannot be kept" in message for message in caplog.messages)


def test_a_place_that_cannot_be_a_spool_leaves_events_in_memory(disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    disk.directory.write_text("a file")
    sink = Sink()
    worker = disk.worker(sink)
    worker.put(events(2))
    worker.close(10)
    assert sink.taken == ["0", "1"]
    assert any("events wait in memory only" in message for message in caplog.messages)


def test_a_file_that_is_broken_is_set_aside_and_its_events_are_counted(disk: Disk) -> None:
    worker = disk.worker(Sink(*[Unavailable("away")] * 1000))
    worker.put(events(7))
    worker.close(10)
    (file,) = disk.directory.glob("*.events")
    assert file.name.endswith("-7.events")
    file.write_bytes(b"NILE?")
    assert disk.kept() == []
    assert disk.lost() == {"event.corrupt": 7}


def test_events_may_be_put_in_a_handler_that_interrupts_a_put() -> None:
    sink = Sink()
    worker = EventWorker("sink", sink, Losses())
    before = signal.signal(signal.SIGALRM, lambda *_: worker.put([Event("signal", 0.0, "t")]))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        for each in events(5000):
            worker.put([each])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    worker.close(10)
    assert [each for each in sink.taken if each != "signal"] == ids(5000)


def test_what_a_sink_that_hangs_does_not_take_is_counted() -> None:
    sink, losses = Sink(), Losses()
    sink.open.clear()
    worker = EventWorker("sink", sink, losses)
    worker.put(events(MOST + 5))
    assert losses.totals()["event", "sink"] == 5
    worker.close(0.01)
    assert losses.totals()["event", "sink"] == MOST + 5
    sink.open.set()


def test_a_sink_that_is_away_at_the_end_gets_one_more_attempt() -> None:
    sink, losses = Sink(*[Unavailable("away")] * 100), Losses()
    worker = EventWorker("sink", sink, losses)
    worker.put(events(3))
    worker.close(10)
    assert sink.closed.is_set()
    assert losses.totals()["event", "sink"] == 3


@pytest.mark.parametrize("url", ["console://", "log://?events=line", "memory://events-test", "null://"])
def test_sinks_that_take_events(url: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "nilometer.backends.log")
    sink = registry.open(url, registry.EVENTS)
    sink.write_events(events(2))
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["id"] for event in shown] == (["0", "1"] if url == "console://" else [])
    assert [record.getMessage() for record in caplog.records] == (
        ['event dogstatsd.event from web, info: {"title": "t"}'] * 2 if url.startswith("log:") else []
    )
    if isinstance(sink, memory.Memory):
        assert sink.events() == events(2)
    sink.close()
