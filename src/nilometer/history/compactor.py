"""Compaction: when an hour is over, its hot rows become blocks, some series at a time; then the rows are removed.

Rules:

* An hour is compacted once the newest point is beyond it and the last `SETTLED` writes left it alone.
* Blocks are written in one transaction with what they mean for the roll-ups. The rows stay until every series is through:
  until then rows and blocks say the same, and where they differ the rows are newer.
* A late write into the hour makes it begin again; blocks that exist are merged with the rows.
* A row or block that is damaged is left out and logged: it must not hold up what comes after it.
"""

from __future__ import annotations

import logging
from array import array
from typing import TYPE_CHECKING

from nilometer.history import block, frame
from nilometer.history.layout import HOUR, block_key, block_series, hot_key, hot_seconds

if TYPE_CHECKING:
    from nilometer.history.book import Book

logger = logging.getLogger(__name__)

SETTLED = 10
SERIES_PACKED = 125
"""Series whose hour one step compacts, at most."""
ROWS_REMOVED = 800
"""Hot rows that one step removes, about."""
HORIZON = 3000.0


class Compaction:
    """The job of one hour."""

    horizon: float = HORIZON

    def __init__(self, book: Book, hour: int) -> None:
        self._book, self.hour = book, hour
        self._seconds = hot_seconds(book.db, hour * HOUR, (hour + 1) * HOUR - 1)
        self._next = self._done = self._removed = 0
        self._packed = min(SERIES_PACKED, book.group)

    def left(self) -> int:
        """Return how many steps are left."""
        removals = -(-(len(self._seconds) - self._removed) // self._seconds_removed())
        ids = max(-(-(self._book.catalog.last - self._next + 1) // self._packed), 0)
        return min(ids, max(self._book.catalog.series - self._done, 0)) + removals

    def step(self) -> None:
        """Compact the next series, those of a group at most; or remove rows."""
        query = "SELECT min(id) FROM history_series WHERE id >= ?"
        (first,) = self._book.db.execute(query, (self._next,)).fetchone()
        if first is None:
            self._remove()
            return
        end = min(first + self._packed, (first // self._book.group + 1) * self._book.group)
        self._next = end
        self._done += self._compact(first, end)

    def _seconds_removed(self) -> int:
        groups = max(self._book.catalog.series // self._book.group, 1)
        return max(ROWS_REMOVED // groups, 1)

    def _remove(self) -> None:
        upto = min(self._removed + self._seconds_removed(), len(self._seconds))
        first, last = self._seconds[self._removed], self._seconds[upto - 1]
        keys = (hot_key(first, 0), hot_key(last + 1, 0))
        self._book.db.execute("DELETE FROM history_hot WHERE key >= ? AND key < ?", keys)
        self._removed = upto
        if upto == len(self._seconds):
            del self._book.touched[self.hour]

    def _compact(self, first: int, end: int) -> int:
        """Write the blocks of the series from `first` to before `end`, of one group; return how many."""
        db = self._book.db
        group, slot = divmod(first, self._book.group)
        rows = frame.sound(self._rows(group), self._book.group)
        columns = frame.columns(rows, self._book.group, range(slot, slot + end - first))
        if not columns:
            return 0
        points = {first - slot + each: column for each, column in columns.items()}
        self._merge(points, first, end)
        start = self.hour * HOUR
        rows = [
            (block_key(0, self.hour, series), block.encode(start, times, [values]))
            for series, (times, values) in points.items()
        ]
        db.executemany("INSERT OR REPLACE INTO history_blocks VALUES (?, ?)", rows)
        update = "UPDATE history_series SET last = ? WHERE id = ? AND last < ?"
        db.executemany(update, ((self.hour, series, self.hour) for series in points))
        self._book.outdate(1, self.hour)
        return len(points)

    def _rows(self, group: int) -> list[tuple[int, bytes]]:
        """Return time and data of the group's hot rows, ascending."""
        select, db = "SELECT data FROM history_hot WHERE key = ?", self._book.db
        found = ((second, db.execute(select, (hot_key(second, group),)).fetchone()) for second in self._seconds)
        return [(second, row[0]) for second, row in found if row is not None]

    def _merge(self, points: dict[int, frame.Column], first: int, end: int) -> None:
        """Add what the blocks of these series hold beside the hot rows."""
        query = "SELECT key, data FROM history_blocks WHERE key >= ? AND key < ?"
        keys = (block_key(0, self.hour, first), block_key(0, self.hour, end))
        for key, data in self._book.db.execute(query, keys):
            series = block_series(key)
            stored = sound(data, self.hour * HOUR, HOUR) if series in points else None
            if stored is not None:
                points[series] = merged(frame.Column(stored.times, stored.columns[0]), points[series])


def sound(data: bytes, start: int, period: int, columns: int = 1) -> block.Points | None:
    """Return the points of a block, None and a line in the log when it is damaged."""
    try:
        return block.decode(data, start, period, columns)
    except block.Damaged as error:
        logger.error("%s; its points are left out", error)  # noqa: TRY400 the traceback says nothing more
        return None


def merged(older: frame.Column, newer: frame.Column) -> frame.Column:
    """Return the points of both, ascending; the newer ones where they share a time."""
    points = dict(zip(older.times, older.values, strict=True))
    points.update(zip(newer.times, newer.values, strict=True))
    times = sorted(points)
    return frame.Column(block.regular(times), array("d", [points[time] for time in times]))
