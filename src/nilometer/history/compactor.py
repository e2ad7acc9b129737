"""Compaction: when an hour is over, its hot rows become blocks, some series at a time; then the rows are removed.

Rules:

* An hour is compacted once the newest point is beyond it and the last `SETTLED` writes left it alone.
* Blocks are written in one transaction with what they mean for the roll-ups. The rows stay until every series is through:
  until then rows and blocks say the same, and where they differ the rows are newer.
* A late write into the hour makes it begin again; blocks that exist are merged with the rows.
* A row or block that is damaged is left out and told of: it must not hold up what comes after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.history import aggregate, frame
from nilometer.history.aggregate import overlaid
from nilometer.history.layout import HOUR, hot_key, hot_seconds
from nilometer.history.roller import roll_up
from nilometer.history.shelf import gathered, put

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nilometer.history.aggregate import Buckets
    from nilometer.history.book import Book

SETTLED = 10
SERIES_PACKED = 64
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
        db, raw = self._book.db, self._book.levels[0]
        group, slot = divmod(first, self._book.group)
        damage = self._book.damage
        rows = frame.sound(
            self._rows(group), self._book.group, lambda time, error: damage.note((time, hot_key(time, group)), error)
        )
        columns = frame.columns(rows, self._book.group, range(slot, slot + end - first))
        if not columns:
            return 0
        points = {first - slot + each: aggregate.single(*column) for each, column in columns.items()}
        for series, older in gathered(db, raw, [self.hour], first, end - 1, damage=damage).items():
            if series in points:
                points[series] = overlaid(older, points[series])
        put(db, raw, self.hour, {series: (each.times, [each.totals]) for series, each in points.items()})
        update = "UPDATE history_series SET last = ? WHERE id = ? AND last < ?"
        db.executemany(update, ((self.hour, series, self.hour) for series in points))
        self._roll_up(points)
        return len(points)

    def _roll_up(self, points: Mapping[int, Buckets]) -> None:
        """Make the first roll-up at once where its period is this hour too; else say that it is out of date."""
        finest = next((level for level in self._book.levels[1:2] if level.period == HOUR), None)
        if finest is None:
            self._book.outdate(1, self.hour)
        else:
            roll_up(self._book, finest, self.hour, points)
            self._book.outdate(2, self.hour)

    def _rows(self, group: int) -> list[tuple[int, bytes]]:
        """Return time and data of the group's hot rows, ascending."""
        select, db = "SELECT data FROM history_hot WHERE key = ?", self._book.db
        found = ((second, db.execute(select, (hot_key(second, group),)).fetchone()) for second in self._seconds)
        return [(second, row[0]) for second, row in found if row is not None]
