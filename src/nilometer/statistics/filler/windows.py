"""How long a time an archive is asked for at once.

Rules:

* Over time without messages it grows, so that years take a few dozen questions; where there are many it shrinks.
* Messages are taken from windows of no more than `longest` seconds; whether there are any is asked of longer ones.
* A window is of whole seconds, one at least: archives know no shorter ones.
"""

from __future__ import annotations

SHORTEST, FIRST, LONGEST = 1, 3600, 84 * 86400
"""Seconds: of a second, an hour at first, up to twelve weeks."""
WANTED, MOST = 500, 1000
"""Messages in a window: about so many are wanted, and more are not read unless it is the shortest."""
EMPTY, SPARSE, FAILED = 4, 2, 4
"""How many times longer the next window is when one was empty, or had few messages; how many times shorter when it failed."""
DIVIDED = 16
"""How many times shorter the next window is, at most, when one has messages and is longer than they are taken from."""


class Width:
    """How many seconds the next window has. `longest` 0: as long as may be."""

    def __init__(self, longest: float = 0) -> None:
        self._longest = max(int(longest), SHORTEST) if longest else LONGEST
        self.seconds = FIRST

    def too_many(self, total: int, seconds: float) -> bool:
        """Return whether a window has to be divided before it is read."""
        if not total or seconds <= SHORTEST:
            return False
        return total > MOST or seconds > self._longest

    def divide(self, total: int, seconds: float) -> None:
        """Go on with a shorter window, as this one has so many."""
        shorter = [seconds / 2]
        if total > MOST:
            shorter.append(seconds * WANTED / total)
        if seconds > self._longest:
            shorter.append(max(seconds / DIVIDED, self._longest))
        self._set(min(shorter))

    def took(self, total: int, seconds: float) -> None:
        """Go on behind a window that was taken whole."""
        if not total:
            self._set(max(self.seconds, seconds) * EMPTY)
        elif total < WANTED / SPARSE and seconds >= self.seconds:
            self._set(max(self.seconds, min(self.seconds * SPARSE, self._longest)))
        elif total > WANTED:
            self._set(min(self.seconds, seconds * WANTED / total))

    def failed(self, seconds: float) -> None:
        """Go on with a shorter window, as this one did not come."""
        self._set(min(self.seconds, seconds) / FAILED)

    def _set(self, seconds: float) -> None:
        self.seconds = int(min(max(seconds, SHORTEST), LONGEST))
