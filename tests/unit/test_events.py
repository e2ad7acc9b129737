"""The pipe of events to one sink, and what takes events."""

from __future__ import annotations

import json
import logging
import threading
from typing import TYPE_CHECKING

import pytest

from nilometer.backends import memory, registry
from nilometer.core.errors import Rejected, Unavailable
from nilometer.core.events import BATCH, MOST, EventWorker
from nilometer.core.losses import Losses
from nilometer.core.record import Event

if TYPE_CHECKING:
    from collections.abc import Sequence


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


def test_what_is_refused_is_counted_and_the_next_is_written() -> None:
    sink, losses = Sink(Rejected("no")), Losses()
    worker = EventWorker("sink", sink, losses)
    worker.put(events(BATCH + 1))
    worker.close(10)
    assert sink.taken == [str(BATCH)]
    assert losses.totals()["event", "rejected"] == BATCH


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


@pytest.mark.parametrize("url", ["console://", "log://", "memory://events-test", "null://"])
def test_sinks_that_take_events(url: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "nilometer.backends.log")
    sink = registry.open(url, registry.EVENTS)
    sink.write_events(events(2))
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["id"] for event in shown] == (["0", "1"] if url == "console://" else [])
    assert [record.getMessage() for record in caplog.records] == (
        ['event dogstatsd.event from web, info: {"title": "t"}'] * 2 if url == "log://" else []
    )
    if isinstance(sink, memory.Memory):
        assert sink.events() == events(2)
    sink.close()
