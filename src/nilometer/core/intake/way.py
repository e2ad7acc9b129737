"""A way in for events, and what is counted of it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from nilometer.core.clock import SYSTEM
from nilometer.core.event_status import WayStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.clock import Clock
    from nilometer.core.intake.keeper import Keeper, Tell
    from nilometer.core.record import Event


class Way:
    """Keeps events while the caller waits; `told` hear of what is new in them, too. Any thread may call."""

    def __init__(self, name: str, keeper: Keeper, told: Sequence[Tell] = (), clock: Clock = SYSTEM) -> None:
        self.name = name
        self._keeper, self._told, self._clock = keeper, told, clock
        self._lock = threading.Lock()
        self._received = self._stored = self._known = self._bad = 0
        self._last: float | None = None
        self._lag: float | None = None

    def received(self, number: int, bad: int = 0) -> None:
        """Count what came: events, and messages that are none."""
        with self._lock:
            self._received += number
            self._bad += bad

    def keep(self, events: Sequence[Event]) -> None:
        """Keep events. Raise `Unavailable`: then nothing has happened, and one may try again."""
        kept = self._keeper.keep(events, self._told)
        now = self._clock.time()
        with self._lock:
            self._stored += len(kept.new)
            self._known += kept.known
            self._last = now
            self._lag = max(now - max(event.time for event in events), 0.0)

    def status(self) -> WayStatus:
        """Return how it fares."""
        with self._lock:
            return WayStatus(
                self.name,
                received=self._received,
                stored=self._stored,
                duplicates=self._known,
                bad=self._bad,
                lag=self._lag,
                last=self._last,
            )
