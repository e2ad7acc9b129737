"""The tables that hold events, and how they are made and brought up to date.

Rules:

* `nilometer_events` has a row for each event. Its words compare byte by byte in every database, as Python compares them, so
  all of them give the same events in the same order.
* Events are looked for by time, and by one word and time: each has an index that ends in the order of events. SQLite's index
  by time holds all that events are counted by.
* `nilometer_events_meta` holds the version of the layout. One process at a time makes or changes tables; one that finds a
  newer version stops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from nilometer.backends._parts.sql.types import Document, Word
from nilometer.core.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

VERSION = 1
LOCK = 0x4E_49_4C_4F
"""The number by which PostgreSQL's processes agree who makes tables."""
LOCK_SECONDS = 10
METADATA = sa.MetaData()
EVENTS = sa.Table(
    "nilometer_events",
    METADATA,
    sa.Column("id", Word, primary_key=True),
    sa.Column("time", sa.Double, nullable=False),
    sa.Column("type", Word, nullable=False),
    sa.Column("publisher", Word, nullable=False),
    sa.Column("priority", Word, nullable=False),
    sa.Column("tenant", Word, nullable=False),
    sa.Column("payload", Document, nullable=False),
    sa.Column("context", Document, nullable=False),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
    mysql_row_format="DYNAMIC",
)
WORDS = ("type", "publisher", "priority", "tenant")
_C = EVENTS.c
sa.Index("nilometer_events_by_time", _C.time, _C.id).ddl_if(
    dialect=("postgresql", "mysql")  # type: ignore[arg-type]  # it takes several, as its documentation says
)
sa.Index("nilometer_events_by_time", _C.time, _C.id, *(_C[name] for name in WORDS)).ddl_if(dialect="sqlite")
for _name in WORDS:
    sa.Index(f"nilometer_events_by_{_name}", _C[_name], _C.time, _C.id)
META = sa.Table(
    "nilometer_events_meta",
    METADATA,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
    mysql_engine="InnoDB",
)
UPGRADES: dict[int, Callable[[sa.Connection], None]] = {}
"""What brings the tables of each earlier version one version further."""


def prepare(connection: sa.Connection, place: str) -> None:
    """Make the tables where there are none, bring older ones up to date. Raise `StoreError` for those of a newer version."""
    _lock(connection)
    try:
        METADATA.create_all(connection)
        found = version(connection, place)
        for each in range(found or VERSION, VERSION):
            UPGRADES[each](connection)
        if found == 0:
            connection.execute(sa.insert(META).values(name="version", value=VERSION))
        elif found < VERSION:
            connection.execute(sa.update(META).where(META.c.name == "version").values(value=VERSION))
        connection.commit()
    finally:
        _unlock(connection)


def version(connection: sa.Connection, place: str) -> int:
    """Return the version of the tables, 0 where there are none yet. Raise `StoreError` for a newer one than is known here."""
    if not sa.inspect(connection).has_table(META.name):
        return 0
    found = connection.execute(sa.select(META.c.value).where(META.c.name == "version")).scalar() or 0
    if found > VERSION:
        message = f"{place}: its tables of events have version {found}, this program knows {VERSION}; "
        raise StoreError(message + "update nilometer, or name another database")
    return int(found)


def _lock(connection: sa.Connection) -> None:
    """Wait until nobody else makes tables; SQLite's transaction sees to it by itself."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
    elif connection.dialect.name == "mysql":
        connection.execute(sa.select(sa.func.get_lock(METADATA.sorted_tables[0].name, LOCK_SECONDS)))


def _unlock(connection: sa.Connection) -> None:
    if connection.dialect.name == "mysql" and not connection.invalidated:
        connection.execute(sa.select(sa.func.release_lock(METADATA.sorted_tables[0].name)))
