"""A way in with a queue, for whoever cannot wait for the store: HTTP, DogStatsD.

Rules:

* `offer` takes all or nothing: when so many events wait, who offers is told, and comes again.
* `put` is for who cannot be told: what the queue and its spool cannot hold is counted as lost.
* What waits is written in order, again and again while the store is away; at the end what is left stays in the spool.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from nilometer.core.errors import NilometerError
from nilometer.core.intake.way import Way

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nilometer.core.capability import EventSink
    from nilometer.core.event_status import WayStatus
    from nilometer.core.events import EventWorker
    from nilometer.core.intake.keeper import Keeper, Tell
    from nilometer.core.record import Event

    Work = Callable[[EventSink], EventWorker]


class Full(NilometerError):
    """So many events wait for the store that no more are taken over now."""


class QueuedWay(Way):
    """Takes events over; at most `most` wait for the store. `work` starts the worker that writes them."""

    def __init__(self, name: str, keeper: Keeper, told: Sequence[Tell], *, work: Work, most: int) -> None:
        super().__init__(name, keeper, told)
        self._most, self._closed = most, False
        self._waiting = 0
        self._worker = work(_Kept(self))

    def offer(self, events: Sequence[Event]) -> None:
        """Take events over, all of them. Raise `Full`."""
        with self._lock:
            if self._closed:
                message = "the server ends; try again soon"
                raise Full(message)
            if self._waits() + len(events) > self._most:
                message = f"{self._waiting} events wait for the store; try again later"
                raise Full(message)
            self._take(events)

    def put(self, events: Sequence[Event]) -> None:
        """Take events over; what there is no room for is lost, and counted."""
        with self._lock:
            self._take(events)

    def _take(self, events: Sequence[Event]) -> None:
        self._received += len(events)
        self._waiting += len(events)
        self._worker.put(events)

    def _waits(self) -> int:
        """Return how many events wait; what was lost on the way to the store does not for long."""
        if self._worker.idle:
            self._waiting = 0
        return self._waiting

    def keep(self, events: Sequence[Event]) -> None:
        """Keep events that have waited."""
        super().keep(events)
        with self._lock:
            self._waiting = max(self._waiting - len(events), 0)

    def status(self) -> WayStatus:
        """Return how it fares."""
        status = super().status()
        with self._lock:
            return dataclasses.replace(status, waiting=self._waits())

    def close(self, deadline: float) -> None:
        """Store what can be stored within so many seconds; the rest stays in the spool."""
        with self._lock:
            closed, self._closed = self._closed, True
        if not closed:
            self._worker.close(deadline)


class _Kept:
    """The sink of a way's worker: the way itself, which the worker does not close."""

    def __init__(self, way: Way) -> None:
        self._way = way

    def write_events(self, events: Sequence[Event]) -> None:
        self._way.keep(events)

    def close(self) -> None:
        """Nothing is held."""
