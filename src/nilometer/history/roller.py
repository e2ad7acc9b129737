"""Roll-ups: when a period is over and what it is made of is complete, each series' blocks of the next finer level become one.

Rules:

* The periods to do stand in `history_todo`; one is struck out in the transaction of its last step, which lists the period of
  the next coarser level in turn.
* A period waits while one of its hours has hot rows, or a period of the finer level inside it is listed. What comes in while
  a period is being made begins it again.
* A point that exists stays when nothing finer is left of it; one that is made anew replaces it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.history.aggregate import Rule, buckets, overlaid
from nilometer.history.block import cleaned
from nilometer.history.layout import HOUR, block_hours
from nilometer.history.levels import holds
from nilometer.history.shelf import gathered, put

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nilometer.history.aggregate import Buckets
    from nilometer.history.book import Book
    from nilometer.history.options import Level

BLOCKS_READ = 60
"""Finer blocks that one step reads, about."""
SHARE = 0.9
"""The part of a period within which the roll-up of the one before should be done."""


class Rollup:
    """The job of one period of one level."""

    def __init__(self, book: Book, finer: Level, level: Level, hour: int) -> None:
        self._book, self._finer, self.level, self.hour = book, finer, level, hour
        self.horizon = SHARE * level.period
        self._sources = list(block_hours(book.db, finer.number, hour, hour + level.period // HOUR - 1))
        self._chunk = max(BLOCKS_READ // max(len(self._sources), 1), 1)
        self._next = self._done = 0
        self._finished = False

    def left(self) -> int:
        """Return how many steps are left."""
        return 0 if self._finished else max(-(-(self._book.catalog.series - self._done) // self._chunk), 0) + 1

    def step(self) -> None:
        """Make the blocks of the next series, or strike the period out when there are none left."""
        query = "SELECT id FROM history_series WHERE id >= ? ORDER BY id LIMIT ?"
        found = [series for (series,) in self._book.db.execute(query, (self._next, self._chunk))]
        if not found:
            self._finish()
            return
        first, last = found[0], found[-1]
        finer = gathered(self._book.db, self._finer, self._sources, first, last, damage=self._book.damage)
        roll_up(self._book, self.level, self.hour, {series: finer[series] for series in found if series in finer})
        self._next, self._done = last + 1, self._done + len(found)

    def _finish(self) -> None:
        self._finished = True
        strike = "DELETE FROM history_todo WHERE level = ? AND hour = ?"
        self._book.db.execute(strike, (self.level.number, self.hour))
        self._book.outdate(self._book.levels.index(self.level) + 1, self.hour)


def roll_up(book: Book, level: Level, hour: int, finer: Mapping[int, Buckets]) -> None:
    """Make the level's blocks of a period from the finer points of each series."""
    if not finer:
        return
    first, last, db = min(finer), max(finer), book.db
    rules = dict(db.execute("SELECT id, rule FROM history_series WHERE id BETWEEN ? AND ?", (first, last)).fetchall())
    made = {series: buckets(Rule(rules[series]), points, level.step) for series, points in finer.items()}
    for series, older in gathered(db, level, [hour], first, last, damage=book.damage).items():
        if series in made:
            made[series] = overlaid(older, made[series])
    put(db, level, hour, {series: (each.times, [cleaned(each.totals), each.numbers]) for series, each in made.items()})
    holds(db, level, min(each.times[0] for each in made.values()))
