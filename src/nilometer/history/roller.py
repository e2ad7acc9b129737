"""Roll-ups: when a period is over and what it is made of is complete, each series' blocks of the next finer level become one.

Rules:

* The periods to do stand in `history_todo`; one is struck out in the transaction of its last step, which lists the period of
  the next coarser level in turn.
* A period waits while one of its hours has hot rows, or a period of the finer level inside it is listed. What comes in while
  a period is being made begins it again.
* A point that exists stays when nothing finer is left of it; one that is made anew replaces it.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from nilometer.history import aggregate, block
from nilometer.history.aggregate import Buckets, Rule
from nilometer.history.compactor import sound
from nilometer.history.layout import HOUR, block_hours, block_key, block_series
from nilometer.history.levels import holds

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from nilometer.history.book import Book
    from nilometer.history.options import Level

BLOCKS_READ = 200
"""Finer blocks that one step reads, about."""
SHARE = 0.6
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
        query = "SELECT id, rule FROM history_series WHERE id >= ? ORDER BY id LIMIT ?"
        rules = dict(self._book.db.execute(query, (self._next, self._chunk)).fetchall())
        if not rules:
            self._finish()
            return
        first, last = min(rules), max(rules)
        finer = gathered(self._book.db, self._finer, self._sources, first, last)
        older = gathered(self._book.db, self.level, [self.hour], first, last)
        for series, found in finer.items():
            if series not in rules:
                continue
            made = aggregate.buckets(Rule(rules[series]), found, self.level.step)
            self._store(series, aggregate.overlaid(older[series], made) if series in older else made)
        self._next, self._done = last + 1, self._done + len(rules)

    def _store(self, series: int, made: Buckets) -> None:
        data = block.encode(self.hour * HOUR, made.times, [made.totals, made.numbers])
        key = block_key(self.level.number, self.hour, series)
        self._book.db.execute("INSERT OR REPLACE INTO history_blocks VALUES (?, ?)", (key, data))
        holds(self._book.db, self.level, made.times[0])

    def _finish(self) -> None:
        self._finished = True
        strike = "DELETE FROM history_todo WHERE level = ? AND hour = ?"
        self._book.db.execute(strike, (self.level.number, self.hour))
        self._book.outdate(self._book.levels.index(self.level) + 1, self.hour)


def gathered(db: sqlite3.Connection, level: Level, hours: Iterable[int], first: int, last: int) -> dict[int, Buckets]:
    """Return the points that blocks of these hours hold, for the series from `first` to `last`."""
    found: dict[int, list[Buckets]] = {}
    for hour in hours:
        keys = (block_key(level.number, hour, first), block_key(level.number, hour, last))
        for key, data in db.execute("SELECT key, data FROM history_blocks WHERE key BETWEEN ? AND ?", keys):
            points = sound(data, hour * HOUR, level.period, level.columns)
            if points is not None:
                found.setdefault(block_series(key), []).append(form(points))
    return {series: joined(pieces) for series, pieces in found.items()}


def form(points: block.Points) -> Buckets:
    """Return the points of a block of any level in the form of roll-ups."""
    if len(points.columns) == 1:
        return aggregate.single(points.times, points.columns[0])
    return Buckets(points.times, points.columns[0], points.columns[1])


def joined(pieces: list[Buckets]) -> Buckets:
    """Return pieces that follow each other as one."""
    if len(pieces) == 1:
        return pieces[0]
    times, totals, numbers = array("q"), array("d"), array("d")
    for piece in pieces:
        times.extend(piece.times)
        totals.extend(piece.totals)
        numbers.extend(piece.numbers)
    return Buckets(times, totals, numbers)
