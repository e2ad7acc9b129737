"""Events on their way into the store: each once, told of once, whatever the store does."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from nilometer.core.errors import Unavailable
from nilometer.core.event_status import KeepStatus
from nilometer.core.intake.keeper import LONG, Keeper
from nilometer.core.losses import Losses
from nilometer.events.storing import put_into
from nilometer.testing.clock import ManualClock
from nilometer.testing.event_bus import StoreInMemory, event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.record import Event


class Told:
    def __init__(self) -> None:
        self.ids: list[str] = []

    def __call__(self, events: Sequence[Event]) -> None:
        self.ids += [each.id for each in events]


def test_an_event_is_stored_and_told_of_once() -> None:
    store, told = StoreInMemory(), Told()
    keeper = Keeper("sqlite:///x", put_into(store), Losses(), [told])
    first = keeper.keep([event(1), event(2), event(1)])
    second = keeper.keep([event(2), event(3)])

    assert list(store.events) == told.ids == ["1", "2", "3"]
    assert ([each.id for each in first.new], first.known) == (["1", "2"], 1)
    assert ([each.id for each in second.new], second.known) == (["3"], 1)
    assert store.writes == [2, 1]


def test_nobody_is_told_while_the_store_is_away_and_it_is_said_since_when(caplog: pytest.LogCaptureFixture) -> None:
    store, told, clock = StoreInMemory(), Told(), ManualClock()
    keeper = Keeper("sqlite:///x", put_into(store), Losses(), [told], clock)
    store.away, since = "sqlite:///x: the disk is full", clock.time()
    for _ in range(3):
        with pytest.raises(Unavailable, match="the disk is full"):
            keeper.keep([event(1)])
        clock.advance(10)
    status = keeper.status()
    assert status is not None
    assert (status.error, status.away_since) == ("sqlite:///x: the disk is full", since)
    assert caplog.text.count("keeps no events now") == 1

    store.away = ""
    keeper.keep([event(1)])
    assert told.ids == ["1"]
    status = keeper.status()
    assert status is not None
    assert (status.error, status.away_since) == ("", None)


def test_a_commit_that_was_not_confirmed_is_told_of_at_most_once() -> None:
    store, told = StoreInMemory(), Told()
    keeper = Keeper("x", put_into(store), Losses(), [told])
    store.unconfirmed = True
    with pytest.raises(Unavailable):
        keeper.keep([event(1)])
    kept = keeper.keep([event(1)])

    assert (list(store.events), told.ids, kept.known) == (["1"], [], 1)


def test_what_the_store_refuses_is_sought_out_and_the_rest_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    store, told, losses = StoreInMemory(), Told(), Losses()
    store.refused = {"3", "\x1b6"}
    kept = Keeper("x", put_into(store), losses, [told]).keep([event(number) for number in (1, 2, 3, 4, 5, "\x1b6", 7)])

    assert list(store.events) == told.ids == [each.id for each in kept.new] == ["1", "2", "4", "5", "7"]
    assert losses.totals()["event", "rejected"] == 2
    assert "refused event \\x1b6, which is lost" in caplog.text


def test_a_fault_in_the_store_is_as_if_it_were_away(caplog: pytest.LogCaptureFixture) -> None:
    class Faulty(StoreInMemory):
        def write_events(self, events: Sequence[Event]) -> None:
            del events
            message = "a fault"
            raise KeyError(message)

    with pytest.raises(Unavailable, match="KeyError: 'a fault'"):
        Keeper("x", put_into(Faulty()), Losses(), []).keep([event(1)])
    assert "Traceback" in caplog.text


def test_a_fault_in_who_is_told_keeps_nothing_from_the_others(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Sequence[Event]) -> None:
        message = "a fault"
        raise RuntimeError(message)

    told = Told()
    Keeper("x", put_into(StoreInMemory()), Losses(), [fail]).keep([event(1)], [told])
    assert told.ids == ["1"]
    assert "who is told of events failed" in caplog.text


def test_without_a_store_every_event_is_new() -> None:
    told = Told()
    keeper = Keeper("", None, Losses(), [told])
    keeper.keep([event(1)])
    keeper.keep([event(1)])
    assert told.ids == ["1", "1"]
    assert keeper.status() is None


def test_a_store_that_hangs_is_told_of_while_it_does() -> None:
    entered, held, clock = threading.Event(), threading.Event(), ManualClock()
    since = clock.time()

    class Hanging(StoreInMemory):
        def write_events(self, events: Sequence[Event]) -> None:
            entered.set()
            held.wait(30)
            super().write_events(events)

    keeper = Keeper("x", put_into(Hanging()), Losses(), [], clock)
    thread = threading.Thread(target=keeper.keep, args=([event(1)],))
    thread.start()
    assert entered.wait(30)
    assert keeper.status() == KeepStatus("x")
    clock.advance(LONG + 1)
    assert keeper.status() == KeepStatus("x", "does not answer", since)
    held.set()
    thread.join()
    assert keeper.status() == KeepStatus("x")
