"""What a peer sent, shown in a log: escaped, and at a bounded rate.

Rules:

* Whatever a peer sent is shown escaped: no control character reaches a terminal or a log file.
* At most so many things a second are shown, some more at once: by default `RATE` and `BURST`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nilometer.core.clock import Clock

RATE = 5.0
BURST = 20.0


def printable(text: str) -> str:
    """Return text with every character escaped that does not print on one line."""
    return text if text.isprintable() else "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class Allowance:
    """How much may be shown now. Not safe to use from several threads at a time."""

    def __init__(self, clock: Clock, rate: float = RATE, burst: float = BURST) -> None:
        self._clock, self._rate, self._burst = clock, rate, burst
        self._tokens, self._filled = burst, clock.monotonic()

    def take(self) -> bool:
        """Return whether one thing more may be shown."""
        now = self._clock.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._filled) * self._rate)
        self._filled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
