"""Retention: blocks that are too old and rolled up go, in the order in which they lie in the file.

So do series that have no points left. SQLite keeps the freed pages and fills them with what comes next: the file does not
grow, and does not shrink either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.history.layout import HOUR, block_hours, block_key

if TYPE_CHECKING:
    from nilometer.history.book import Book

BLOCKS_REMOVED = 500
SERIES_SEEN = 2000
HORIZON = 2400.0


class Expiry:
    """The job of one level: every block that begins before `hour`."""

    horizon: float = HORIZON

    def __init__(self, book: Book, number: int, hour: int) -> None:
        self._book, self._keys = book, (block_key(number, 0), block_key(number, hour))
        hours = sum(1 for _ in block_hours(book.db, number, 0, hour - 1))
        self._left = hours * max(-(-book.catalog.series // BLOCKS_REMOVED), 1)

    def left(self) -> int:
        """Return about how many steps are left."""
        return self._left

    def step(self) -> None:
        """Remove some blocks."""
        db = self._book.db
        last = "SELECT key FROM history_blocks WHERE key >= ? AND key < ? ORDER BY key LIMIT 1 OFFSET ?"
        found = db.execute(last, (*self._keys, BLOCKS_REMOVED)).fetchone()
        end = self._keys[1] if found is None else found[0]
        db.execute("DELETE FROM history_blocks WHERE key >= ? AND key < ?", (self._keys[0], end))
        self._left = 0 if found is None else max(self._left - 1, 1)


class Sweep:
    """The job that removes the series whose newest point is gone from every level."""

    horizon: float = HORIZON

    def __init__(self, book: Book, hour: int) -> None:
        self._book, self._hour, self._before = book, hour, book.cutoffs()[-1] // HOUR
        self._next = 0
        self._left = book.catalog.series // SERIES_SEEN + 1

    def left(self) -> int:
        """Return about how many steps are left."""
        return self._left

    def step(self) -> None:
        """Look at some series, remove those without points."""
        db = self._book.db
        some = "SELECT max(id) FROM (SELECT id FROM history_series WHERE id >= ? ORDER BY id LIMIT ?)"
        (last,) = db.execute(some, (self._next, SERIES_SEEN)).fetchone()
        if last is None:
            self._left, self._book.swept = 0, self._hour
            return
        old = "SELECT id, path FROM history_series WHERE id BETWEEN ? AND ? AND last < ?"
        found = db.execute(old, (self._next, last, self._before)).fetchall()
        if found:
            written = set(self._book.catalog.current)
            gone = [(series, path) for series, path in found if series not in written]
            db.executemany("DELETE FROM history_series WHERE id = ?", ((series,) for series, _ in gone))
            self._book.catalog.forget(gone)
        self._next = last + 1
        self._left = max(self._left - 1, 1)
