"""Which traces are sent, decided where they begin: a part of them, at most so many a second, and what a caller has decided."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from random import random
from time import monotonic


@dataclass(frozen=True, slots=True)
class Sampling:
    """`ratio`: the part of the traces that begin here, 0 to 1. `rate`: at most so many a second, 0 for no bound.

    `on_error`: those that are not drawn are sent all the same when one of their spans in this process has failed. `parent`:
    what a caller has decided holds. `signed`: only requests with signed headers of OSProfiler are traced at all.
    """

    ratio: float = 1.0
    rate: float = 0.0
    on_error: bool = False
    parent: bool = True
    signed: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.ratio <= 1:
            message = f"ratio is a part of all, from 0 to 1, not {self.ratio!r}"
            raise ValueError(message)
        if self.rate < 0:
            message = f"rate is traces a second, not {self.rate!r}"
            raise ValueError(message)


class Drawing:
    """Draws traces."""

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling
        self._lock = threading.Lock()
        self._room, self._last = max(sampling.rate, 1.0), monotonic()
        self._all = sampling.ratio >= 1 and not sampling.rate and not sampling.signed

    def draw(self, decided: bool | None) -> bool:  # noqa: FBT001 what a caller has decided, None for nothing
        """Return whether a trace is sent."""
        if decided is not None and self._sampling.parent:
            return decided
        if self._all:
            return True
        if self._sampling.signed or (self._sampling.ratio < 1 and random() >= self._sampling.ratio):  # noqa: S311 a sample
            return False
        return not self._sampling.rate or self._has_room()

    def _has_room(self) -> bool:
        with self._lock:
            now = monotonic()
            self._room = min(self._room + (now - self._last) * self._sampling.rate, max(self._sampling.rate, 1.0))
            self._last = now
            if self._room < 1:
                return False
            self._room -= 1
            return True
