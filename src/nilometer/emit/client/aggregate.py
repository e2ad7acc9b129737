"""Counters added up and gauges kept until the flush, so that a busy loop sends one line instead of thousands.

Rules:

* A sampled counter counts for all it stands for: its value is divided by its rate.
* Of a gauge the last value goes out; changes of a gauge are added to each other, or to the value that they follow.
* Sets, timers, histograms and distributions are not aggregated: their values all matter.
* At most `MOST` series wait; with the next one, all go out.
"""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING

from nilometer.emit.client.line import gauge, number

if TYPE_CHECKING:
    from nilometer.emit.client.line import Head

MOST = 10_000


class Aggregate:
    """Counters and gauges by what stands around their values."""

    def __init__(self) -> None:
        self._counters: dict[Head, float] = {}
        self._gauges: dict[Head, tuple[float, bool]] = {}
        self._lock = RLock()

    def count(self, head: Head, value: float, rate: float) -> list[str]:
        """Add to a counter; returns lines when there are too many."""
        with self._lock:
            self._counters[head] = self._counters.get(head, 0) + (value if rate == 1 else value / rate)
        return self._full()

    def gauge(self, head: Head, value: float, *, delta: bool) -> list[str]:
        """Set a gauge, or change it; returns lines when there are too many."""
        with self._lock:
            before, change = self._gauges.get(head, (0, True)) if delta else (0, False)
            self._gauges[head] = (before + value, change)
        return self._full()

    def lines(self) -> list[str]:
        """Return everything as lines, and begin anew."""
        with self._lock:
            counters, self._counters = self._counters, {}
            gauges, self._gauges = self._gauges, {}
        return [f"{before}{number(value)}|c{behind}" for (before, behind), value in counters.items()] + [
            gauge(head, value, 1, delta=delta) for head, (value, delta) in gauges.items()
        ]

    def forked(self) -> None:
        """Forget what the parent will send."""
        self._lock = RLock()
        self._counters, self._gauges = {}, {}

    def _full(self) -> list[str]:
        return self.lines() if len(self._counters) + len(self._gauges) > MOST else []
