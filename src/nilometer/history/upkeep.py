"""Upkeep: compaction, roll-ups and retention, done in small steps after each flush.

Rules:

* Each job is spread evenly over the windows of its horizon, counted in the windows' own seconds: a spool that is written
  back brings the time for its upkeep along.
* One write does at most `SHARE` of its window in upkeep, plus the step that was begun. What is left waits.
* All steps after one flush are one transaction. Nothing is remembered outside the file that the file does not tell again.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from nilometer.history.compactor import SETTLED, Compaction
from nilometer.history.expiry import Expiry, Sweep
from nilometer.history.layout import HOUR, HOUR_BITS, block_key
from nilometer.history.levels import retired, start_of
from nilometer.history.roller import Rollup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nilometer.history.book import Book, Job
    from nilometer.history.options import Level

    Name = tuple[str, int, int]

SHARE = 0.05
LISTED = 8
"""Periods looked at, of those whose roll-up is to be made."""


class Pace:
    """A job, and how many of its steps are due."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._rate = job.left() / job.horizon
        self._due = 1.0

    def allow(self, seconds: float) -> None:
        """Add what these seconds bring."""
        self._due = min(self._due + self._rate * seconds, self.job.left())

    def run(self, more: Callable[[], bool]) -> None:
        """Do the steps that are due, as long as there is time for more."""
        while self._due >= 1 and self.job.left() and more():
            self.job.step()
            self._due -= 1


class Upkeep:
    """Finds what is due and does a slice of it.

    A job that is not due any more, because its hour or a part of its period was written again, is dropped; it begins anew
    when it is due again.
    """

    def __init__(self, book: Book) -> None:
        self._book = book
        self._paces: dict[tuple[str, int, int], Pace] = {}

    def run(self, seconds: float, more: Callable[[], bool]) -> bool:
        """Do a slice of what is due, for a window of so many seconds. Return whether something was due."""
        due = {name: self._paces.get(name) or Pace(make()) for name, make in self._due()}
        self._paces = {name: pace for name, pace in due.items() if pace.job.left()}
        for pace in self._paces.values():
            pace.allow(seconds)
            pace.run(more)
        return bool(self._paces)

    @property
    def under_way(self) -> frozenset[str]:
        """The kinds of jobs that the last slice was for: ``compact``, ``roll``, ``expire``, ``sweep``."""
        return frozenset(kind for kind, _, _ in self._paces)

    def _due(self) -> Iterator[tuple[Name, Callable[[], Job]]]:
        yield from self._compactions()
        yield from self._rollups()
        yield from self._expiries()
        yield from self._sweeps()

    def _compactions(self) -> Iterator[tuple[Name, Callable[[], Job]]]:
        book = self._book
        for hour, touched in sorted(book.touched.items()):
            if (hour + 1) * HOUR <= book.newest and book.writes - touched >= SETTLED:
                yield ("compact", hour, touched), partial(Compaction, book, hour)

    def _rollups(self) -> Iterator[tuple[Name, Callable[[], Job]]]:
        for finer, level in pairwise(self._book.levels):
            query = "SELECT hour FROM history_todo WHERE level = ? ORDER BY hour LIMIT ?"
            listed = [hour for (hour,) in self._book.db.execute(query, (level.number, LISTED))]
            hour = next((hour for hour in listed if self._complete(finer, level, hour)), None)
            if hour is not None:
                yield ("roll", level.number, hour), partial(Rollup, self._book, finer, level, hour)

    def _complete(self, finer: Level, level: Level, hour: int) -> bool:
        """Whether the period is over and everything it is made of is there."""
        end = hour + level.period // HOUR
        if end * HOUR > self._book.newest or any(hour <= each < end for each in self._book.touched):
            return False
        query = "SELECT EXISTS (SELECT 1 FROM history_todo WHERE level = ? AND hour >= ? AND hour < ?)"
        (waits,) = self._book.db.execute(query, (finer.number, hour, end)).fetchone()
        return not waits

    def _expiries(self) -> Iterator[tuple[Name, Callable[[], Job]]]:
        book = self._book
        ends = [(level.number, self._not_needed(place)) for place, level in enumerate(book.levels)]
        gone = retired(book.db)
        for number, hour in (*ends, *((number, (1 << HOUR_BITS) - 1) for number in gone)):
            keys = (block_key(number, 0), block_key(number, hour))
            query = "SELECT EXISTS (SELECT 1 FROM history_blocks WHERE key >= ? AND key < ?)"
            (found,) = book.db.execute(query, keys).fetchone()
            if found:
                yield ("expire", number, hour), partial(Expiry, book, number, hour)
            elif number in gone:
                book.db.execute("DELETE FROM history_levels WHERE level = ?", (number,))

    def _not_needed(self, place: int) -> int:
        """Return the hour before which a level's blocks may go: they are too old, and no roll-up still needs them."""
        book, (cutoff, *_) = self._book, self._book.cutoffs()[place:]
        if place + 1 == len(book.levels):
            return cutoff // HOUR
        query = "SELECT min(hour) FROM history_todo WHERE level = ?"
        listed = (book.db.execute(query, (level.number,)).fetchone()[0] for level in book.levels[1 : place + 2])
        pending = [hour for hour in (min(book.touched, default=None), *listed) if hour is not None]
        return min([cutoff // HOUR, *(start_of(book.levels[place + 1], hour) for hour in pending)])

    def _sweeps(self) -> Iterator[tuple[Name, Callable[[], Job]]]:
        """Once an hour all series are looked at."""
        hour = self._book.present // HOUR
        if hour != self._book.swept:
            yield ("sweep", hour, 0), partial(Sweep, self._book, hour)
