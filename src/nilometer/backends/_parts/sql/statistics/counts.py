"""How many rows of windows there are, day by day, kept at hand: so that neither counts nor far pages read all rows before them.

Rules:

* What is kept is of one revision of a statistic. A change made here moves it on, but for the days that it touched, which are
  counted anew; after any other change all is counted anew.
* Only what asks for time alone is counted so, not what asks for keys, or for the largest.
* What is kept is bounded: of so many statistics (`MOST_STATISTICS`), and of none with more days than `MOST_DAYS`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from nilometer.backends._parts.sql.statistics import rows
from nilometer.backends._parts.sql.statistics.tables import ROWS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nilometer.core.statistics import RowQuery, Tally

C = ROWS.c
DAY = 86_400
MOST_STATISTICS, MOST_DAYS = 100, 20_000


class Held(NamedTuple):
    """A statistic: its number, and the revision of its rows."""

    number: int
    revision: int


@dataclass(slots=True)
class _Days:
    """How many rows each day has, at a revision; those that are `stale` may have others."""

    revision: int
    rows: dict[int, int]
    stale: set[int] = field(default_factory=set)


class _Part(NamedTuple):
    """Labels from `first` to `last`, and how many rows have such."""

    first: int
    last: int
    rows: int


class Counts:
    """The counts of one store. Any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[int, _Days] = {}

    def clear(self) -> None:
        """Forget all: the database may be another."""
        with self._lock:
            self._held.clear()

    def changed(self, held: Held, tally: Tally) -> None:
        """Hear that a tally was committed, which made this revision."""
        with self._lock:
            days = self._held.get(held.number)
            if days is None:
                return
            if days.revision != held.revision - 1:
                del self._held[held.number]
                return
            days.revision = held.revision
            slots = (
                {slot for slot, _ in tally.sums} | {slot for slot, _, _ in tally.members} | {slot for slot, _ in tally.sketches}
            )
            days.stale |= {slot // DAY for slot in slots}

    def count(self, connection: sa.Connection, held: Held, query: RowQuery) -> int:
        """Return how many rows a query finds."""
        parts = self._parts(connection, held, query)
        return rows.count(connection, held.number, query) if parts is None else sum(part.rows for part in parts)

    def skipped(self, connection: sa.Connection, held: Held, query: RowQuery, offset: int) -> tuple[RowQuery, int]:
        """Return a query, and a smaller offset, that find the same rows."""
        parts = (self._parts(connection, held, query) if offset else None) or ()
        left = offset
        for part in parts if query.order == "asc" else reversed(parts):
            if left < part.rows:
                return replace(query, start=part.first) if query.order == "asc" else replace(query, stop=part.last), left
            left -= part.rows
        return query, offset

    def _parts(self, connection: sa.Connection, held: Held, query: RowQuery) -> list[_Part] | None:
        """Return the time that a query asks for in parts, oldest first; None where it is not counted by days."""
        if query.words or query.top or not rows.has_windows(connection, held.number):
            return None
        days = self._days(connection, held)
        if days is None:
            return None
        first, last = rows.labels(query)
        whole = [
            _Part(day * DAY, day * DAY + DAY - 1, found)
            for day, found in sorted(days.items())
            if found and day * DAY <= last and day * DAY + DAY > first
        ]
        return [
            part if first <= part.first and part.last <= last else self._cut(connection, held, part, query) for part in whole
        ]

    @staticmethod
    def _cut(connection: sa.Connection, held: Held, part: _Part, query: RowQuery) -> _Part:
        """Return what of a part a query asks for."""
        first, last = rows.labels(query)
        first, last = max(first, part.first), min(last, part.last)
        return _Part(first, last, rows.between(connection, held.number, first, last))

    def _days(self, connection: sa.Connection, held: Held) -> dict[int, int] | None:
        """Return how many rows each day has; None when there are too many days."""
        with self._lock:
            known = self._held.get(held.number)
            fresh = known is not None and known.revision == held.revision
            found = dict(known.rows) if known is not None and fresh else {}
            stale = set(known.stale) if known is not None and fresh else None
        found |= _counted(connection, held.number, stale)
        if len(found) > MOST_DAYS:
            return None
        with self._lock:
            known = self._held.pop(held.number, None)
            newest = known if known is not None and known.revision > held.revision else _Days(held.revision, found)
            self._held[held.number] = newest
            while len(self._held) > MOST_STATISTICS:
                del self._held[next(iter(self._held))]
        return found


def _counted(connection: sa.Connection, number: int, days: Iterable[int] | None) -> dict[int, int]:
    """Return how many rows these days have, all with None."""
    if days is not None:
        return {day: rows.between(connection, number, day * DAY, day * DAY + DAY - 1) for day in days}
    begin = C.slot - (C.slot % DAY + DAY) % DAY
    found = connection.execute(sa.select(begin, sa.func.count()).where(C.statistic == number).group_by(begin))
    return {int(first) // DAY: count for first, count in found}
