"""How the file is laid out: its tables, how keys are packed, and how a connection to it is opened.

Rules:

* `history_hot` holds what was written last: a row per timestamp and group of series. `history_blocks` holds the rest: a row
  per level, period and series. Both are keyed by one integer, so that rows lie in the order in which they come and go.
* `history_levels` says which levels there are: level 0 holds the points as written, each other one a roll-up.
* `history_todo` lists the periods whose roll-up is missing or out of date. What is listed there counts as not rolled up.
* The tables may share a file with others; their names begin with ``history_``. `user_version` is the layout's version.

docs/reference/history.md tells the same to those who read the file with another program.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from nilometer.core.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION: Final = 1
HOUR: Final = 3600
GROUP_BITS: Final = 24
SERIES_BITS: Final = 32
HOUR_BITS: Final = 24
LAST_TIME: Final = 1 << 33
"""Times from here on (the year 2242) have no place in a key."""
BUSY_SECONDS = 5.0
"""How long a connection waits for another program's transaction."""
PAGE = 8192
READER = ("PRAGMA cache_size=-16384",)
WRITER = (
    f"PRAGMA page_size={PAGE}",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA secure_delete=OFF",
    "PRAGMA cache_size=-32768",
    "PRAGMA wal_autocheckpoint=2048",
    "PRAGMA journal_size_limit=67108864",
)
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS history_settings (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE IF NOT EXISTS history_levels (level INTEGER PRIMARY KEY, step INTEGER NOT NULL UNIQUE,
       period INTEGER NOT NULL, keep INTEGER NOT NULL, since INTEGER NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS history_series (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE,
       rule INTEGER NOT NULL, last INTEGER NOT NULL)""",
    "CREATE TABLE IF NOT EXISTS history_hot (key INTEGER PRIMARY KEY, data BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS history_blocks (key INTEGER PRIMARY KEY, data BLOB NOT NULL)",
    """CREATE TABLE IF NOT EXISTS history_todo (level INTEGER NOT NULL, hour INTEGER NOT NULL,
       PRIMARY KEY (level, hour)) WITHOUT ROWID""",
)
SECONDS_OF = """
WITH RECURSIVE seconds(second) AS (
  SELECT (SELECT min(key) FROM history_hot WHERE key >= :first << 24) >> 24
  UNION ALL
  SELECT (SELECT min(key) FROM history_hot WHERE key >= (second + 1) << 24) >> 24
  FROM seconds WHERE second <= :last
)
SELECT second FROM seconds WHERE second <= :last"""
"""The timestamps from `first` to `last` that have hot rows: one seek each."""


def hot_key(second: int, group: int) -> int:
    """Return the key of a group's hot row."""
    return second << GROUP_BITS | group


def block_key(level: int, hour: int, series: int = 0) -> int:
    """Return the key of a block; `hour` is the start of its period in hours since the epoch."""
    return (level << HOUR_BITS | hour) << SERIES_BITS | series


def block_hour(key: int) -> int:
    """Return the hour in which a block's period begins."""
    return key >> SERIES_BITS & (1 << HOUR_BITS) - 1


def block_series(key: int) -> int:
    """Return the id of a block's series."""
    return key & (1 << SERIES_BITS) - 1


def hot_seconds(db: sqlite3.Connection, first: int, last: int) -> list[int]:
    """Return the timestamps from `first` to `last` that have hot rows, ascending."""
    return [second for (second,) in db.execute(SECONDS_OF, {"first": max(first, 0), "last": last})]


def hot_hours(db: sqlite3.Connection) -> list[int]:
    """Return the hours that have hot rows, ascending."""
    hours: list[int] = []
    second = 0
    while True:
        (key,) = db.execute("SELECT min(key) FROM history_hot WHERE key >= ?", (hot_key(second, 0),)).fetchone()
        if key is None:
            return hours
        hours.append((key >> GROUP_BITS) // HOUR)
        second = (hours[-1] + 1) * HOUR


def block_hours(db: sqlite3.Connection, level: int, first: int = 0, last: int = (1 << HOUR_BITS) - 1) -> Iterator[int]:
    """Yield the hours from `first` to `last` in which a block of the level begins, ascending: one seek each."""
    end, hour = block_key(level, last + 1), max(first, 0)
    while True:
        query = "SELECT min(key) FROM history_blocks WHERE key >= ? AND key < ?"
        (key,) = db.execute(query, (block_key(level, hour), end)).fetchone()
        if key is None:
            return
        hour = block_hour(key)
        yield hour
        hour += 1


def connect(file: Path, *, write: bool) -> sqlite3.Connection:
    """Open the file. Transactions are begun by hand. Raise sqlite3.Error."""
    mode = "rwc" if write else "ro"
    name = f"file:{quote(str(file))}?mode={mode}"
    db = sqlite3.connect(name, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    for pragma in WRITER if write else READER:
        db.execute(pragma).fetchall()
    return db


def version(db: sqlite3.Connection, file: Path) -> int:
    """Return the version of the layout, 0 before there is one. Raise `StoreError` when it is newer than this program."""
    (found,) = db.execute("PRAGMA user_version").fetchone()
    if found > VERSION:
        message = f"{file}: its layout has version {found}, this program knows {VERSION}; "
        raise StoreError(message + "update nilometer, or name another file")
    return int(found)


def create(db: sqlite3.Connection, file: Path, group: int) -> int:
    """Create the tables where there are none. Return the number of series in a group, which is fixed by then."""
    if version(db, file) < VERSION:
        for statement in SCHEMA:
            db.execute(statement)
        db.execute("INSERT OR IGNORE INTO history_settings VALUES ('group', ?)", (group,))
        db.execute(f"PRAGMA user_version={VERSION}")
    return group_size(db)


def group_size(db: sqlite3.Connection) -> int:
    """Return how many series share a hot row."""
    (size,) = db.execute("SELECT value FROM history_settings WHERE name = 'group'").fetchone()
    return int(size)
