"""What is damaged in a file: told in the log once, and counted.

Rules:

* Damage is left out of what is read and of what is made of it; it never holds up the rest.
* Each damaged block or row counts once, however often it is met, until more than `MOST` are known: then they are forgotten.
"""

from __future__ import annotations

import logging
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nilometer.history.block import Damaged

LOG = logging.getLogger(__name__)
MOST = 10_000


class Damage:
    """What was met that is damaged. Safe to use from several threads."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._lock = Lock()
        self._known: set[tuple[int, ...]] = set()
        self._told: set[str] = set()
        self._new = 0

    def note(self, key: tuple[int, ...], error: Damaged) -> None:
        """Count what lies at `key`, and tell of it, unless it is known. What is said the same of many is told once."""
        with self._lock:
            if key in self._known:
                return
            if len(self._known) >= MOST:
                self._known.clear()
                self._told.clear()
            self._known.add(key)
            self._new += 1
            told = str(error) in self._told
            self._told.add(str(error))
        if not told:
            LOG.error("%s: %s; its points are left out", self._place, error)

    def taken(self) -> int:
        """Return how much was met since the last call."""
        with self._lock:
            found, self._new = self._new, 0
        return found
