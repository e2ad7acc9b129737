"""Periods that usage is told for: whole hours and whole days, in UTC."""

from __future__ import annotations

import math
from typing import NamedTuple

LENGTHS = {"hour": 3600, "day": 86_400}
"""Seconds of each kind of period."""


class Period(NamedTuple):
    """``start <= time < end``, seconds since the epoch."""

    start: float
    end: float

    @property
    def hours(self) -> float:
        """How long it is."""
        return (self.end - self.start) / 3600


def containing(length: str, time: float) -> Period:
    """Return the period of a kind that a moment lies in."""
    seconds = LENGTHS[length]
    start = math.floor(time / seconds) * seconds
    return Period(start, start + seconds)


def last(length: str, now: float) -> Period:
    """Return the last period of a kind that is over."""
    return containing(length, containing(length, now).start - 1)
