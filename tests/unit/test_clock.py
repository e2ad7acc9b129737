from __future__ import annotations

import time
from threading import Event, Thread

import pytest

from nilometer.core.backoff import Backoff
from nilometer.core.clock import SYSTEM
from nilometer.testing.clock import ManualClock


def test_the_system_clock_is_the_machines() -> None:
    assert abs(SYSTEM.time() - time.time()) < 60
    assert abs(SYSTEM.monotonic() - time.monotonic()) < 60


def test_the_system_clock_waits_for_an_event_or_its_time() -> None:
    event = Event()
    assert not SYSTEM.wait(event, 0.001)
    event.set()
    assert SYSTEM.wait(event, None)


def test_a_manual_clock_stands_until_it_is_moved() -> None:
    clock = ManualClock(100)
    assert (clock.time(), clock.monotonic()) == (100, 100)
    clock.advance(2.5)
    assert clock.time() == 102.5
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)


def test_a_manual_clock_wakes_who_waited_long_enough() -> None:
    clock, results = ManualClock(), list[bool]()
    thread = Thread(target=lambda: results.append(clock.wait(Event(), 10)))
    thread.start()
    clock.until_waiting()
    clock.advance(9.5)
    assert thread.is_alive()
    clock.advance(0.5)
    thread.join(20)
    assert results == [False]
    assert clock.waits == [10]


def test_a_manual_clock_notices_the_event() -> None:
    clock, event, results = ManualClock(), Event(), list[bool]()
    thread = Thread(target=lambda: results.append(clock.wait(event, None)))
    thread.start()
    clock.until_waiting()
    event.set()
    thread.join(20)
    assert results == [True]
    assert clock.wait(event, 5)
    assert not clock.wait(Event(), 0)
    assert clock.waits == [None]


def test_waiting_for_a_waiter_has_an_end() -> None:
    with pytest.raises(TimeoutError, match="0 waits seen"):
        ManualClock().until_waiting(patience=0)


def test_backoff_doubles_up_to_its_most_and_begins_anew() -> None:
    backoff = Backoff(1, 5, draw=lambda: 1.0)
    assert [backoff.failed() for _ in range(5)] == [1, 2, 4, 5, 5]
    backoff.reset()
    assert backoff.failed() == 1


def test_backoff_draws_evenly_below_its_bound() -> None:
    draws = iter([0.0, 0.25, 0.5])
    backoff = Backoff(2, 60, draw=lambda: next(draws))
    assert [backoff.failed() for _ in range(3)] == [0, 1, 4]
    delays = [Backoff(10, 10).failed() for _ in range(200)]
    assert 0 <= min(delays) < max(delays) < 10
