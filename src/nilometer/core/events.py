"""The pipe of events to one sink: a bounded queue in memory, and a thread that writes it.

Rules:

* `put` never waits for the sink. Events beyond `MOST` are dropped, oldest first, and counted.
* `Unavailable`, and whatever a sink should not raise, means: the same events again, after a delay that grows. What the sink
  refuses for good is counted.
* `close` gives the sink its time; what it did not take by then is counted as lost. Events are not kept over a restart.
"""

from __future__ import annotations

import logging
from collections import deque
from itertools import islice
from threading import Event as Signal
from threading import Lock, Thread
from typing import TYPE_CHECKING

from nilometer.core.backoff import Backoff
from nilometer.core.clock import SYSTEM
from nilometer.core.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nilometer.core.capability import EventSink
    from nilometer.core.clock import Clock
    from nilometer.core.losses import Losses
    from nilometer.core.record import Event

LOG = logging.getLogger(__name__)
MOST = 10_000
BATCH = 500
FIRST, LONGEST = 0.5, 30.0
"""Bounds of the delay between attempts, in seconds."""


class EventWorker:
    """Writes events to one sink, in order. Owns the sink: `close` closes it."""

    def __init__(self, name: str, sink: EventSink, losses: Losses, clock: Clock = SYSTEM) -> None:
        self._name, self._sink, self._losses, self._clock = name, sink, losses, clock
        self._waiting: deque[Event] = deque()
        self._lock = Lock()
        self._wake, self._closing = Signal(), Signal()
        self._backoff = Backoff(FIRST, LONGEST)
        self._thread = Thread(target=self._run, name=f"events {name}", daemon=True)
        self._thread.start()

    def put(self, events: Iterable[Event]) -> None:
        """Take events over. Never raises and never waits for the sink."""
        with self._lock:
            self._waiting.extend(events)
            self._drop(len(self._waiting) - MOST)
        self._wake.set()

    def close(self, deadline_seconds: float) -> None:
        """Write what can be written within the deadline; a sink that is away gets one last attempt."""
        self._closing.set()
        self._wake.set()
        self._thread.join(deadline_seconds)
        with self._lock:
            self._drop(len(self._waiting))

    def _drop(self, number: int) -> None:
        for _ in range(number):
            self._waiting.popleft()
        self._losses.count("event", "sink", max(number, 0))

    def _run(self) -> None:
        try:
            while self._write_all() and not self._closing.is_set():
                self._clock.wait(self._wake, None)
                self._wake.clear()
        finally:
            self._sink.close()

    def _write_all(self) -> bool:
        """Write until nothing waits. Return False when the sink is away at the end."""
        while True:
            with self._lock:
                batch = list(islice(self._waiting, BATCH))
            if not batch:
                return True
            if self._write(batch):
                self._settle(batch)
            elif self._closing.is_set():
                return False
            else:
                self._clock.wait(self._closing, self._backoff.failed())

    def _settle(self, batch: list[Event]) -> None:
        """Forget what was written, unless it was dropped meanwhile."""
        with self._lock:
            for event in batch:
                if self._waiting and self._waiting[0] is event:
                    self._waiting.popleft()

    def _write(self, batch: list[Event]) -> bool:
        """Try once. Return whether the events are done with."""
        try:
            self._sink.write_events(batch)
        except Rejected as error:
            LOG.error("%s: refused %d events, which are lost: %s", self._name, len(batch), error)  # noqa: TRY400 the reason is the message
            self._losses.count("event", "rejected", len(batch))
        except Exception as error:  # noqa: BLE001 a fault of a backend must not end the pipe
            LOG.warning("%s: does not take events: %s", self._name, error)
            return False
        self._backoff.reset()
        return True
