"""The blocks of a file, by level, period and series: taken down and put back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.history import aggregate, block
from nilometer.history.aggregate import Buckets, joined
from nilometer.history.layout import HOUR, block_key, block_series

if TYPE_CHECKING:
    import sqlite3
    from array import array
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from nilometer.history.damage import Damage
    from nilometer.history.options import Level

    Unpack = Callable[[bytes, Level, int], Buckets]


def gathered(  # noqa: PLR0913 where to look, and whom to tell
    db: sqlite3.Connection, level: Level, hours: Iterable[int], first: int, last: int, *, damage: Damage
) -> dict[int, Buckets]:
    """Return what the blocks of these periods hold, for the series from `first` to `last`. Damaged blocks are left out."""
    found: dict[int, list[Buckets]] = {}
    for hour in hours:
        keys = (block_key(level.number, hour, first), block_key(level.number, hour, last))
        for key, data in db.execute("SELECT key, data FROM history_blocks WHERE key BETWEEN ? AND ?", keys):
            points = sound(damage, data, level, hour, block_series(key))
            if points is not None:
                found.setdefault(block_series(key), []).append(points)
    return {series: joined(pieces) for series, pieces in found.items()}


def unpacked(data: bytes, level: Level, hour: int) -> Buckets:
    """Return the points of a block of any level in the form of roll-ups. Raise `Damaged`."""
    points = block.decode(data, hour * HOUR, level.period, level.columns)
    if level.columns == 1:
        return aggregate.single(points.times, points.columns[0])
    return Buckets(points.times, points.columns[0], points.columns[1])


def sound(  # noqa: PLR0913 which block, and whom to tell
    damage: Damage, data: bytes, level: Level, hour: int, series: int, *, unpacked: Unpack = unpacked
) -> Buckets | None:
    """Return the points of a block, None when it is damaged, which is noted."""
    try:
        return unpacked(data, level, hour)
    except block.Damaged as error:
        damage.note((level.number, hour, series), error)
        return None


def put(
    db: sqlite3.Connection, level: Level, hour: int, points: Mapping[int, tuple[Sequence[int], Sequence[array[float]]]]
) -> None:
    """Store the points of each series, times and columns, as its block of this period."""
    rows = [
        (block_key(level.number, hour, series), block.encode(hour * HOUR, times, columns))
        for series, (times, columns) in points.items()
    ]
    db.executemany("INSERT OR REPLACE INTO history_blocks VALUES (?, ?)", rows)
