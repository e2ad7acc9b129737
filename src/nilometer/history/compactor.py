"""Compaction: when an hour is over, its hot rows become blocks, group by group; then the rows are removed.

Rules:

* An hour is compacted once the newest point is beyond it and the last `SETTLED` writes left it alone.
* A group is compacted in one transaction, together with what that means for the roll-ups. The rows stay until every group
  is through: until then rows and blocks say the same, and where they differ the rows are newer.
* A late write into the hour makes it begin again; blocks that exist are merged with the rows.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from nilometer.history import block, frame
from nilometer.history.layout import HOUR, block_key, block_series, hot_key, hot_seconds

if TYPE_CHECKING:
    from nilometer.history.book import Book

SETTLED = 10
ROWS_REMOVED = 800
"""Hot rows that one step removes, about."""
HORIZON = 3000.0


class Compaction:
    """The job of one hour."""

    horizon: float = HORIZON

    def __init__(self, book: Book, hour: int) -> None:
        self._book, self.hour = book, hour
        self._seconds = hot_seconds(book.db, hour * HOUR, (hour + 1) * HOUR - 1)
        self._group = 0
        self._removed = 0

    def left(self) -> int:
        """Return how many steps are left."""
        groups = -(-self._book.catalog.series // self._book.group)
        removals = -(-(len(self._seconds) - self._removed) // self._seconds_removed())
        return max(groups - self._group, 0) + removals

    def step(self) -> None:
        """Compact the next group that has series, or remove rows."""
        first = self._group * self._book.group
        query = "SELECT min(id) FROM history_series WHERE id >= ?"
        (series,) = self._book.db.execute(query, (first,)).fetchone()
        if series is None:
            self._remove()
            return
        group = series // self._book.group
        self._compact(group)
        self._group = group + 1

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

    def _compact(self, group: int) -> None:
        """Write the blocks of a group, and list the roll-up they change."""
        db, size = self._book.db, self._book.group
        columns = frame.columns(self._rows(group), size)
        if not columns:
            return
        first = group * size
        points = {first + slot: column for slot, column in columns.items()}
        self._merge(points, first, first + size)
        start = self.hour * HOUR
        rows = [
            (block_key(0, self.hour, series), block.encode(start, times, [values]))
            for series, (times, values) in points.items()
        ]
        db.executemany("INSERT OR REPLACE INTO history_blocks VALUES (?, ?)", rows)
        update = "UPDATE history_series SET last = ? WHERE id = ? AND last < ?"
        db.executemany(update, ((self.hour, series, self.hour) for series in points))
        self._book.outdate(1, self.hour)

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
            if series in points:
                stored = block.decode(data, self.hour * HOUR, HOUR)
                older = frame.Column(stored.times, stored.columns[0])
                points[series] = merged(older, points[series])


def merged(older: frame.Column, newer: frame.Column) -> frame.Column:
    """Return the points of both, ascending; the newer ones where they share a time."""
    points = dict(zip(older.times, older.values, strict=True))
    points.update(zip(newer.times, newer.values, strict=True))
    times = sorted(points)
    return frame.Column(block.regular(times), array("d", [points[time] for time in times]))
