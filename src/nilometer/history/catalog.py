"""The ids of paths, and where the values of a flush go.

Rules:

* A path gets its id when it is first written, counting up, so series that come together lie together.
* A flush's paths are mostly those of the flush before, byte for byte: then its `Plan` is used again and no path is looked at.
* `last` of a series is an hour not earlier than its newest point's, less what is still in hot rows of an unchanged plan;
  compaction brings it up to date. It decides when a series has no points left.
"""

from __future__ import annotations

from array import array
from itertools import repeat
from operator import itemgetter, lt
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.errors import StoreError
from nilometer.history import frame
from nilometer.history.aggregate import rule_of
from nilometer.history.layout import SERIES_BITS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

MOST_CACHED = 2_000_000


class Part(NamedTuple):
    """The rows of one group: its bitmap, and the bytes of its values among those in order of id."""

    group: int
    mask: bytes
    values: slice


class Plan(NamedTuple):
    """Where the values of a flush with these `paths` go."""

    paths: bytes
    ids: array[int]
    order: Callable[[Sequence[float]], Sequence[float]] | None
    parts: list[Part]

    def rows(self, values: Sequence[float]) -> list[tuple[int, bytes]]:
        """Return group and row for each group."""
        ordered = values if self.order is None else self.order(values)
        body = frame.floats(array("d", ordered))
        return [(group, mask + body[where]) for group, mask, where in self.parts]


class Catalog:
    """Knows the paths of a file that is being written. Used inside the writer's transactions."""

    def __init__(self, db: sqlite3.Connection, file: Path, group: int, suffix: str | None) -> None:
        self._db, self._file, self._group, self._suffix = db, file, group, suffix
        self._ids: dict[str, int] = {}
        self._plan = Plan(b"", array("q"), None, [])
        count, last = db.execute("SELECT count(*), max(id) FROM history_series").fetchone()
        self.series: int = count
        self._next = 1 if last is None else last + 1

    @property
    def last(self) -> int:
        """The largest id, 0 when there is none."""
        return self._next - 1

    @property
    def current(self) -> array[int]:
        """The ids of the flush written last."""
        return self._plan.ids

    def plan(self, paths: bytes, hour: int) -> Plan:
        """Return the plan for paths joined by newlines that get a point in `hour`; store the paths that are new."""
        if paths != self._plan.paths:
            new = self._next
            ids = self._resolve(paths.decode("utf-8", "replace").split("\n"), hour)
            self._touch({series for series in ids if series < new}.difference(self._plan.ids), hour)
            self._plan = _planned(paths, ids, self._group)
        return self._plan

    def forget(self, series: Iterable[tuple[int, str]]) -> None:
        """Drop series ``(id, path)`` that were removed from the file."""
        for _, path in series:
            self._ids.pop(path, None)
            self.series -= 1

    def _resolve(self, paths: Sequence[str], hour: int) -> list[int]:
        if len(self._ids) > MOST_CACHED:
            self._ids.clear()
        known = self._ids
        missing = [path for path in dict.fromkeys(paths) if path not in known]
        select = "SELECT id FROM history_series WHERE path = ?"
        for path in missing if self.series else ():
            found = self._db.execute(select, (path,)).fetchone()
            if found is not None:
                known[path] = found[0]
        self._add([path for path in missing if path not in known], hour)
        return [known[path] for path in paths]

    def _add(self, paths: Sequence[str], hour: int) -> None:
        """Give new paths their ids."""
        if self._next + len(paths) >> SERIES_BITS:
            message = f"{self._file}: all its ids of series are used up; set the file aside (a new one is made)"
            raise StoreError(message)
        ids = range(self._next, self._next + len(paths))
        rules = [rule_of(path, self._suffix).value for path in paths]
        rows = zip(ids, paths, rules, repeat(hour))
        self._db.executemany("INSERT INTO history_series VALUES (?, ?, ?, ?)", rows)
        self._ids.update(zip(paths, ids, strict=True))
        self._next += len(paths)
        self.series += len(paths)

    def _touch(self, ids: Iterable[int], hour: int) -> None:
        update = "UPDATE history_series SET last = ? WHERE id = ? AND last < ?"
        self._db.executemany(update, ((hour, series, hour) for series in sorted(ids)))


def _planned(paths: bytes, ids: Sequence[int], size: int) -> Plan:
    """Lay the values out by group. Of a path that stands there twice, the last value counts."""
    numbers = array("q", ids)
    if all(map(lt, ids, ids[1:])):
        return Plan(paths, numbers, None, _parts(ids, size))
    places = {series: place for place, series in enumerate(ids)}
    ordered = sorted(places)
    chosen = [places[series] for series in ordered]
    order = itemgetter(*chosen) if len(chosen) > 1 else itemgetter(slice(chosen[0], chosen[0] + 1))
    return Plan(paths, numbers, order, _parts(ordered, size))


def _parts(ids: Sequence[int], size: int) -> list[Part]:
    """Cut ascending ids into groups."""
    parts: list[Part] = []
    start = 0
    for end in range(1, len(ids) + 1):
        if end == len(ids) or ids[end] // size != ids[start] // size:
            mask = frame.bitmap((series % size for series in ids[start:end]), size)
            parts.append(Part(ids[start] // size, mask, slice(start * 8, end * 8)))
            start = end
    return parts
