"""Values that came with their own time: they pass by the series, but not by rules and limits.

Rules:

* What rules lead to counts as a series until the window ends, unless it is one anyway; no series is made.
* A value whose series a limit refuses goes to the overflow series of its kind, with its time.
* What is kept has bounds, in number and in bytes; what they refuse is counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.core.record import Kind
from nilometer.ingest.kernel import MAX_TIMED, MAX_TIMED_BYTES, Timed

if TYPE_CHECKING:
    from nilometer.ingest._reference.reading import Sample

OVER_LIMIT = "timed_over_limit"


class Timeline:
    """Such values of one window, and what counts as a series because of them."""

    def __init__(self) -> None:
        self.values: list[Timed] = []
        self.series: set[tuple[Kind, str]] = set()
        self._bytes = 0

    def add(self, timestamp: int, key: str, sample: Sample) -> bool:
        """Keep a value. Return False where there is no room."""
        size = len(key.encode())
        if len(self.values) >= MAX_TIMED or self._bytes + size > MAX_TIMED_BYTES:
            return False
        number = sample.number * sample.weight if sample.kind is Kind.COUNTER else sample.number
        self.values.append(Timed(timestamp, sample.kind, key, number))
        self._bytes += size
        return True
