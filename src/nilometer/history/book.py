"""What the writer of a file knows, shared by those who work on it: the connection, the levels, the newest time.

Everything here can be told from the file; it is read once, when the file is opened for writing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from nilometer.history.layout import GROUP_BITS, HOUR, block_hour, block_key
from nilometer.history.levels import list_periods
from nilometer.history.options import cutoffs

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from nilometer.history.catalog import Catalog
    from nilometer.history.damage import Damage
    from nilometer.history.options import Level

AHEAD = 86400
"""Seconds by which a window may lie ahead of the newest one and of the clock."""


@dataclass(slots=True)
class Book:
    """The state of a file that is being written.

    `newest` is the latest timestamp in the file, 0 when there is none; `touched` says for each hour with hot rows after how
    many writes (`writes` counts them) the last one came; `swept` is the hour in which all series were last
    looked at.
    """

    db: sqlite3.Connection
    group: int
    levels: Sequence[Level]
    catalog: Catalog
    now: Callable[[], float]
    damage: Damage
    newest: int = 0
    writes: int = 0
    touched: dict[int, int] = field(default_factory=dict)
    swept: int = -1

    @property
    def present(self) -> int:
        """The time by which points grow old: the newest one's, or the clock's where a point lies ahead of it."""
        return min(self.newest, int(self.now()))

    def cutoffs(self) -> list[int]:
        """Return the time from which on each level is kept."""
        return cutoffs(self.levels, self.present)

    def outdate(self, place: int, hour: int) -> None:
        """Say that the roll-up around `hour` is out of date, on the level at this place of the list, if there is one."""
        for level in self.levels[place : place + 1]:
            list_periods(self.db, level, [hour])


class Job(Protocol):
    """Work that is done in small steps, between flushes."""

    @property
    def horizon(self) -> float:
        """The seconds of windows within which all steps should be done."""

    def left(self) -> int:
        """Return about how many steps are left, 0 when it is done."""

    def step(self) -> None:
        """Do one step, inside a transaction."""


def newest(db: sqlite3.Connection) -> int:
    """Return the latest timestamp in the file, or the end of the latest hour that has a block; 0 when it is empty."""
    (key,) = db.execute("SELECT max(key) FROM history_hot").fetchone()
    hot = 0 if key is None else key >> GROUP_BITS
    (last,) = db.execute("SELECT max(key) FROM history_blocks WHERE key < ?", (block_key(1, 0),)).fetchone()
    return max(hot, 0 if last is None else (block_hour(last) + 1) * HOUR - 1)
