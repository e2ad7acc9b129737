"""A clock that stands still until a test moves it."""

from __future__ import annotations

import time
from threading import Condition
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threading import Event

POLL = 0.002
"""Seconds after which a waiting thread notices an event that another thread has set."""


class ManualClock:
    """A `Clock` for tests: `advance` moves it, `until_waiting` knows when a thread sleeps on it.

    `waits` lists the seconds of every `wait` that had to wait, in order (None where it was without limit).
    """

    def __init__(self, start: float = 1_000_000_000.0) -> None:
        self._changed = Condition()
        self._now = start
        self._waiting = 0
        self.waits: list[float | None] = []

    def time(self) -> float:
        """Return the clock's time."""
        with self._changed:
            return self._now

    def monotonic(self) -> float:
        """Return the clock's time; it is never set back."""
        return self.time()

    def advance(self, seconds: float) -> None:
        """Move the time on and wake whoever has waited long enough."""
        if seconds < 0:
            message = f"time does not run backwards: {seconds}"
            raise ValueError(message)
        with self._changed:
            self._now += seconds
            self._changed.notify_all()

    def wait(self, event: Event, seconds: float | None) -> bool:
        """Wait until `event` is set or the clock was moved by `seconds`. Return whether the event is set."""
        with self._changed:
            end = float("inf") if seconds is None else self._now + seconds
            if event.is_set() or self._now >= end:
                return event.is_set()
            self.waits.append(seconds)
            self._waiting += 1
            self._changed.notify_all()
            while not event.is_set() and self._now < end:
                self._changed.wait(POLL)
            self._waiting -= 1
            return event.is_set()

    def until_waiting(self, number: int = 1, patience: float = 20.0) -> None:
        """Block until the clock has seen `number` waits since it was made and somebody waits now.

        Raise TimeoutError after `patience` real seconds.
        """
        end = time.monotonic() + patience
        with self._changed:
            while not (len(self.waits) >= number and self._waiting):
                if time.monotonic() > end:
                    message = f"{len(self.waits)} waits seen, {self._waiting} threads wait now, {number} waits expected"
                    raise TimeoutError(message)
                self._changed.wait(0.1)
