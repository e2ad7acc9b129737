"""The levels of a file: kept in step with what the URL asks for.

Rules:

* A level's number and period never change while it has blocks; a step that is asked for again gets its level back.
* A level that is no longer asked for is kept for 0 seconds: nobody reads it, its blocks are removed in slices, then its row.
* When a level is new, every period that the finer level has is listed in `history_todo`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from nilometer.history.layout import HOUR, LAST_TIME, block_hours
from nilometer.history.options import Level, cutoffs

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Sequence


def stored(db: sqlite3.Connection) -> list[Level]:
    """Return the levels in use, finest first."""
    query = "SELECT step, period, keep, level FROM history_levels WHERE keep > 0 ORDER BY step"
    return [Level(*row) for row in db.execute(query)]


def retired(db: sqlite3.Connection) -> list[int]:
    """Return the numbers of the levels that are being removed."""
    return [number for (number,) in db.execute("SELECT level FROM history_levels WHERE keep = 0 ORDER BY level")]


def put(db: sqlite3.Connection, wanted: Sequence[Level]) -> list[Level]:
    """Make the file's levels those wanted, finest first. Return them with their numbers."""
    known = dict(db.execute("SELECT step, level FROM history_levels").fetchall())
    before = {level.number for level in stored(db)}
    db.execute("UPDATE history_levels SET keep = 0")
    for level in wanted:
        number = known.setdefault(level.step, _free(known.values()))
        row = (number, level.step, level.period, level.keep, LAST_TIME)
        put_in = "INSERT INTO history_levels VALUES (?, ?, ?, ?, ?) ON CONFLICT (level) DO UPDATE SET keep = excluded.keep"
        db.execute(put_in, row)
    levels = stored(db)
    _list_missing(db, levels, before)
    return levels


def _free(used: Collection[int]) -> int:
    return next(number for number in range(len(used) + 1) if number not in used)


def _list_missing(db: sqlite3.Connection, levels: Sequence[Level], before: Collection[int]) -> None:
    """List what a new level lacks, and hand what a retired one was to do to those that stay."""
    for finer, level in pairwise(levels):
        if level.number not in before:
            list_periods(db, level, block_hours(db, finer.number))
    for number in retired(db):
        hours = [hour for (hour,) in db.execute("SELECT hour FROM history_todo WHERE level = ?", (number,))]
        for level in levels[1:]:
            list_periods(db, level, hours)
        db.execute("DELETE FROM history_todo WHERE level = ?", (number,))


def list_periods(db: sqlite3.Connection, level: Level, hours: Iterable[int]) -> None:
    """Say that the roll-ups of the level's periods around these hours are out of date."""
    starts = sorted({start_of(level, hour) for hour in hours})
    db.executemany("INSERT OR IGNORE INTO history_todo VALUES (?, ?)", ((level.number, start) for start in starts))


def start_of(level: Level, hour: int) -> int:
    """Return the hour in which the level's period around `hour` begins."""
    hours = level.period // HOUR
    return hour // hours * hours


def holds(db: sqlite3.Connection, level: Level, second: int) -> None:
    """Say that the level has a point at `second`."""
    db.execute("UPDATE history_levels SET since = ? WHERE level = ? AND since > ?", (second, level.number, second))


def since(db: sqlite3.Connection, levels: Sequence[Level], present: int) -> list[int]:
    """Return the time of each level's first point that is still kept; a time after all others when it has none."""
    first = dict(db.execute("SELECT level, since FROM history_levels").fetchall())
    return [max(first[level.number], cutoff) for level, cutoff in zip(levels, cutoffs(levels, present), strict=True)]
