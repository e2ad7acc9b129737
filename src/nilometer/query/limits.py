"""What one request may ask for. Whoever passes a bound is told which one, and what to ask instead.

Rules:

* A bound is met before the work is done, not after: the size of an answer is counted as it is read and made.
* The time that a request takes is bounded by whoever runs it, in a process that can be ended.
"""

from __future__ import annotations

from dataclasses import dataclass

from nilometer.core.errors import InputError

MOST_TARGETS = 200
MOST_TARGET_LENGTH = 16_384
"""Characters of one target."""
MOST_DEPTH = 50
"""Calls within calls."""
MOST_CALLS = 5_000
"""Calls in all, those counted again that a function asks for another range."""
MOST_SERIES = 10_000
"""Series in all."""
MOST_POINTS = 5_000_000
"""Points in all."""
MOST_PATHS = 500_000
"""Paths that are looked through for one pattern."""
MOST_NAME = 8_192
"""Characters of a series' name."""
MOST_FOUND = 20_000
"""Nodes, paths or values in one answer."""


class QueryError(InputError):
    """A request that cannot be answered as it is; the message says why."""


class TooMuch(QueryError):
    """A request that asks for more than a bound allows."""


@dataclass(slots=True)
class Budget:
    """What is left of a request's bounds."""

    calls: int = MOST_CALLS
    series: int = MOST_SERIES
    points: int = MOST_POINTS

    def call(self) -> None:
        """Count a call. Raise `TooMuch`."""
        self.calls -= 1
        if self.calls < 0:
            message = f"the targets need more than {MOST_CALLS} calls of functions; nest fewer that read another range"
            raise TooMuch(message)

    def take(self, series: int, points: int) -> None:
        """Count series and their points. Raise `TooMuch`."""
        self.series -= series
        self.points -= points
        if self.series < 0:
            message = f"the targets name more than {MOST_SERIES} series; narrow their globs"
            raise TooMuch(message)
        if self.points < 0:
            message = f"the answer has more than {MOST_POINTS} points; ask for a shorter range or fewer series"
            raise TooMuch(message)
