"""What can be sent: the methods of a client and of a pipeline, over `emit`.

Names and order of arguments are those of the package ``statsd``; `tags` comes last. A sample is drawn here, once, and the rate
stands on the line.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import timedelta
from random import random
from typing import TYPE_CHECKING

from nilometer.emit.client.timer import MS, Timer

if TYPE_CHECKING:
    from nilometer.emit.client.line import Tags


class Methods(ABC):
    """Counters, gauges, timers, sets, histograms, distributions. Nothing here raises, whatever it is given."""

    @abstractmethod
    def emit(self, kind: str, stat: str, value: object, rate: float = 1.0, tags: Tags = ()) -> None:
        """Send a value as it is, its kind ``c``, ``g``, ``ms``, ``s``, ``h`` or ``d``; the caller drew the sample."""

    @abstractmethod
    def change(self, stat: str, value: float, rate: float = 1.0, tags: Tags = ()) -> None:
        """Change a gauge by a value, of either sign."""

    def incr(self, stat: str, count: float = 1, rate: float = 1, tags: Tags = None) -> None:
        """Add to a counter."""
        if rate == 1 or drawn(rate):
            self.emit("c", stat, count, rate, tags)

    def decr(self, stat: str, count: float = 1, rate: float = 1, tags: Tags = None) -> None:
        """Take from a counter."""
        if rate == 1 or drawn(rate):
            self.emit("c", stat, negative(count), rate, tags)

    def gauge(self, stat: str, value: float, rate: float = 1, delta: bool = False, tags: Tags = None) -> None:  # noqa: FBT001, FBT002 the signature that users of statsd know
        """Set a gauge, or change it by `value`. A sample of it is sent less often; servers do not scale gauges."""
        if rate == 1 or drawn(rate):
            if delta:
                self.change(stat, value, rate, tags)
            else:
                self.emit("g", stat, value, rate, tags)

    def timing(self, stat: str, delta: float | timedelta, rate: float = 1, tags: Tags = None) -> None:
        """Send a time, in milliseconds or as a timedelta."""
        if rate == 1 or drawn(rate):
            self.emit("ms", stat, delta.total_seconds() * MS if isinstance(delta, timedelta) else delta, rate, tags)

    def timer(self, stat: str, rate: float = 1, tags: Tags = None) -> Timer:
        """Return a timer: a context manager, a decorator, or an object with ``start`` and ``stop``."""
        return Timer(self, stat, rate, tags)

    def set(self, stat: str, value: object, rate: float = 1, tags: Tags = None) -> None:
        """Add a member to a set, whose size is counted. A sample of it is sent less often; servers do not scale sets."""
        if rate == 1 or drawn(rate):
            self.emit("s", stat, value, rate, tags)

    def histogram(self, stat: str, value: float, rate: float = 1, tags: Tags = None) -> None:
        """Send a value of a histogram, of any unit."""
        if rate == 1 or drawn(rate):
            self.emit("h", stat, value, rate, tags)

    def distribution(self, stat: str, value: float, rate: float = 1, tags: Tags = None) -> None:
        """Send a value of a distribution, of any unit."""
        if rate == 1 or drawn(rate):
            self.emit("d", stat, value, rate, tags)


def drawn(rate: float) -> bool:
    """Return whether a sample is sent. What is no rate is let through: `emit` counts it as lost."""
    try:
        return rate >= 1 or random() < rate  # noqa: S311 a sample, no secret
    except TypeError:
        return True


def negative(count: float) -> float:
    """Return the opposite; what has none is let through: `emit` counts it as lost."""
    try:
        return -count
    except TypeError:
        return float("nan")
