"""Time, as a thing that is handed in. Logic that asks for the time or sleeps takes a `Clock`, so that tests own the time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from threading import Event


class Clock(Protocol):
    """Tells the time and waits."""

    def time(self) -> float:
        """Return seconds since the epoch; may jump when the system's clock is set."""

    def monotonic(self) -> float:
        """Return seconds since some fixed moment; never runs backwards."""

    def wait(self, event: Event, seconds: float | None) -> bool:
        """Wait until `event` is set, for at most `seconds` (None: without limit). Return whether it is set."""


class SystemClock:
    """The machine's own clock."""

    def time(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds since some fixed moment."""
        return time.monotonic()

    def wait(self, event: Event, seconds: float | None) -> bool:
        """Wait for `event`, for at most `seconds`."""
        return event.wait(seconds)


SYSTEM: Clock = SystemClock()
