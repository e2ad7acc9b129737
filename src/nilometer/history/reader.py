"""Reading: one snapshot, from the level that fits the range.

Rules:

* A read is one transaction: it sees whole flushes, and neither waits for the writer nor holds it up.
* Points come from the finest level that reaches as far back as the range, or as the store itself.
* Where that level is not made yet, its points are made from the finer one, on the fly: the answer is what it would be if
  everything were rolled up already.
* What is damaged is left out, and noted.
* A roll-up's points stand at the start of their step; the range means these times.
"""

from __future__ import annotations

import fnmatch
import math
import re
from array import array
from bisect import bisect_left, bisect_right
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from nilometer.core.capability import Series
from nilometer.history import aggregate, frame, layout, levels
from nilometer.history.aggregate import Buckets, Rule, cut, joined, overlaid
from nilometer.history.block import Damaged
from nilometer.history.book import newest
from nilometer.history.layout import HOUR, LAST_TIME, SECONDS_OF, block_hour, block_hours, block_key, block_series
from nilometer.history.shelf import sound, unpacked

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence

    from nilometer.history.damage import Damage
    from nilometer.history.options import Level

WILD = re.compile(r"[*?\[]")
LONGEST_GLOB = 1000
"""Characters of a glob that SQLite is asked to match; it refuses very long ones."""
DENSE = 4
"""Blocks of one hour are read in one go when at least one in so many is wanted."""
AT_A_TIME = 500
"""Other blocks are read so many at a time."""
BLOCKS_KEPT = 8192
"""Blocks whose points a process that reads keeps, some 3 KB each: a day of 300 series."""
KEYS_OF = f"SELECT second << 24 | :group FROM ({SECONDS_OF})"  # noqa: S608 made of constants
GROUP_ROWS = f"SELECT key >> 24, data FROM history_hot WHERE key IN ({KEYS_OF}) ORDER BY key"  # noqa: S608 made of constants


def find(db: sqlite3.Connection, pattern: str, limit: int, after: str = "") -> list[str]:
    """Return the first `limit` paths after `after` that match a shell-style glob, sorted.

    SQLite's own GLOB is the same but for brackets, and takes neither a Python object for each path nor Python's lock.
    """
    if _is_for_sqlite(pattern):
        select = "SELECT path FROM history_series WHERE path GLOB ? AND path > ? ORDER BY path LIMIT ?"
        return [path for (path,) in db.execute(select, (pattern, after, max(limit, 0)))]
    wild = WILD.search(pattern)
    prefix = pattern if wild is None else pattern[: wild.start()]
    matches = re.compile(fnmatch.translate(pattern)).match
    found: list[str] = []
    select = "SELECT path FROM history_series WHERE path >= ? AND path > ? ORDER BY path"
    for (path,) in db.execute(select, (prefix, after)):
        if len(found) >= limit or not path.startswith(prefix):
            break
        if matches(path):
            found.append(path)
    return found


def count(db: sqlite3.Connection, pattern: str, limit: int) -> int:
    """Return how many paths match a shell-style glob, `limit` when there are more."""
    if not _is_for_sqlite(pattern):
        return len(find(db, pattern, limit))
    select = "SELECT count(*) FROM (SELECT 1 FROM history_series WHERE path GLOB ? LIMIT ?)"
    (found,) = db.execute(select, (pattern, limit)).fetchone()
    return int(found)


def _is_for_sqlite(pattern: str) -> bool:
    return len(pattern) <= LONGEST_GLOB and not {"[", "\0"} & set(pattern)


def read(  # noqa: PLR0913 what to read, and whom to tell
    db: sqlite3.Connection, paths: Sequence[str], start: float, end: float, now: float, *, damage: Damage
) -> list[Series]:
    """Return the points of each path with ``start <= time <= end``, as the file holds them at the moment `now`."""
    select = "SELECT id, rule FROM history_series WHERE path = ?"
    known = {path: db.execute(select, (path,)).fetchone() for path in dict.fromkeys(paths)}
    rules = {row[0]: Rule(row[1]) for row in known.values() if row is not None}
    first = math.ceil(max(start, 0.0)) if start < LAST_TIME else LAST_TIME
    last = math.floor(min(end, LAST_TIME - 1.0)) if end >= 0 else -1
    found = _Snapshot(db, damage, rules, now).read(first, last) if first <= last and rules else {}
    ids = {path: -1 if row is None else row[0] for path, row in known.items()}
    return [Series(path, *found.get(ids[path], (array("q"), array("d")))) for path in paths]


class _Snapshot:
    """The file at one moment, for the series with these ids and rules."""

    def __init__(self, db: sqlite3.Connection, damage: Damage, rules: Mapping[int, Rule], now: float) -> None:
        self._db, self._damage, self._rules, self._now = db, damage, rules, now
        self._ids = sorted(rules)
        self._group = layout.group_size(db)
        self._levels = levels.stored(db)

    def read(self, first: int, last: int) -> dict[int, tuple[Sequence[int], Sequence[float]]]:
        """Return the times and values of each series from `first` to `last`, from the level that fits."""
        place = self._place(first)
        if place == 0:
            return {series: (points.times, points.totals) for series, points in self._as_written(first, last).items()}
        found = self._rolled_up(place, first, last)
        return {series: (points.times, points.values(self._rules[series])) for series, points in found.items()}

    def _place(self, first: int) -> int:
        """Return the place of the finest level that reaches back to `first`, or as far as any coarser one does."""
        present = min(newest(self._db), int(self._now))
        since = levels.since(self._db, self._levels, present)
        for place in range(len(since) - 1):
            coarser = zip(since[place + 1 :], self._levels[place + 1 :], strict=True)
            if all(since[place] // level.step * level.step <= max(first, begins) for begins, level in coarser):
                return place
        return len(since) - 1

    def _as_written(self, first: int, last: int) -> dict[int, Buckets]:
        """Return the points of level 0: its blocks, and above them the hot rows."""
        blocks = self._blocks(0, first // HOUR, last // HOUR)
        for series, column in self._hot(first, last):
            hot = aggregate.single(*column)
            blocks[series] = overlaid(blocks[series], hot) if series in blocks else hot
        return {series: _trimmed(points, first, last) for series, points in blocks.items()}

    def _hot(self, first: int, last: int) -> Iterator[tuple[int, frame.Column]]:
        """Yield id and points of each series that has hot rows."""
        groups: dict[int, list[int]] = {}
        for series in self._ids:
            groups.setdefault(series // self._group, []).append(series)
        for group, wanted in groups.items():
            rows = self._db.execute(GROUP_ROWS, {"first": first, "last": last, "group": group}).fetchall()
            first_id = group * self._group
            columns = self._columns(group, rows, {series - first_id for series in wanted})
            yield from ((first_id + slot, column) for slot, column in columns.items())

    def _columns(self, group: int, rows: Sequence[tuple[int, bytes]], wanted: set[int]) -> dict[int, frame.Column]:
        """Return the columns of a group's rows; those that are damaged are looked for once there are some."""
        try:
            return frame.columns(rows, self._group, wanted)
        except Damaged:
            whole = frame.sound(
                rows, self._group, lambda time, error: self._damage.note((time, layout.hot_key(time, group)), error)
            )
            return frame.columns(whole, self._group, wanted)

    def _rolled_up(self, place: int, first: int, last: int) -> dict[int, Buckets]:
        """Return the points of a roll-up: its blocks, and what is not in them yet, from the finer level."""
        level = self._levels[place]
        hours = levels.start_of(level, first // HOUR), levels.start_of(level, last // HOUR)
        found = self._blocks(place, *hours)
        for hour in sorted(hour for hour in self._stale(place) if hours[0] <= hour <= hours[1]):
            begin = max(hour * HOUR, first // level.step * level.step)
            end = min(hour * HOUR + level.period, last // level.step * level.step + level.step) - 1
            finer = self._as_written(begin, end) if place == 1 else self._rolled_up(place - 1, begin, end)
            for series, points in finer.items():
                made = aggregate.buckets(self._rules[series], points, level.step)
                found[series] = overlaid(found[series], made) if series in found else made
        return {series: _trimmed(points, first, last) for series, points in found.items()}

    def _stale(self, place: int) -> set[int]:
        """Return the periods of a level whose blocks are not what its finer levels say; of level 0 the hours with hot rows."""
        if place == 0:
            return set(layout.hot_hours(self._db))
        level = self._levels[place]
        listed = {hour for (hour,) in self._db.execute("SELECT hour FROM history_todo WHERE level = ?", (level.number,))}
        return listed | {levels.start_of(level, hour) for hour in self._stale(place - 1)}

    def _blocks(self, place: int, first: int, last: int) -> dict[int, Buckets]:
        """Return what the blocks of a level hold whose periods begin from hour `first` to hour `last`."""
        level = self._levels[place]
        pieces: dict[int, list[Buckets]] = {}
        for key, data in self._data(level, list(block_hours(self._db, level.number, first, last))):
            hour, series = block_hour(key), block_series(key)
            points = sound(self._damage, data, level, hour, series, unpacked=_unpacked)
            if points is not None:
                pieces.setdefault(series, []).append(points)
        return {series: joined(found) for series, found in pieces.items()}

    def _data(self, level: Level, hours: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        """Yield key and data of the wanted blocks of some periods, in order of period."""
        low, high = self._ids[0], self._ids[-1]
        if len(self._ids) * DENSE > high - low:
            for hour in hours:
                ends = block_key(level.number, hour, low), block_key(level.number, hour, high)
                rows = self._db.execute("SELECT key, data FROM history_blocks WHERE key BETWEEN ? AND ?", ends)
                yield from (row for row in rows if block_series(row[0]) in self._rules)
            return
        keys = (block_key(level.number, hour, series) for hour in hours for series in self._ids)
        while some := list(islice(keys, AT_A_TIME)):
            marks = ",".join("?" * len(some))
            yield from self._db.execute(f"SELECT key, data FROM history_blocks WHERE key IN ({marks}) ORDER BY key", some)  # noqa: S608 marks alone


@lru_cache(maxsize=BLOCKS_KEPT)
def _unpacked(data: bytes, level: Level, hour: int) -> Buckets:
    """Return the points of a block; those read last are kept, for the chart that is asked for again. Raise `Damaged`."""
    return unpacked(data, level, hour)


def _trimmed(points: Buckets, first: int, last: int) -> Buckets:
    return cut(points, bisect_left(points.times, first), bisect_right(points.times, last))
