"""Tables that carry a version: how they are made, brought up to date, and found to be there.

Rules:

* A table `meta` holds the version of the layout. One process at a time makes or changes tables; one that finds a newer version
  stops.
* Tables are made with the first writing. Until then nothing is found, and looking makes nothing.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sqlalchemy as sa

from nilometer.core.errors import NilometerError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nilometer.backends._parts.sql.database import Database

LOCK = 0x4E_49_4C_4F
"""The number by which PostgreSQL's processes agree who makes tables."""
LOCK_SECONDS = 10


@dataclass(frozen=True)
class Layout:
    """Tables, the one among them that holds the version, and what they hold in words.

    `upgrades` bring the tables of each earlier version one version further.
    """

    metadata: sa.MetaData
    meta: sa.Table
    version: int
    what: str
    upgrades: dict[int, Callable[[sa.Connection], None]] = field(default_factory=dict)

    def prepare(self, connection: sa.Connection, place: str) -> None:
        """Make the tables where there are none, bring older ones up to date. Raise `StoreError` for newer ones."""
        with making(connection, self.meta.name):
            self.metadata.create_all(connection)
            found = self.found(connection, place)
            for each in range(found or self.version, self.version):
                self.upgrades[each](connection)
            if found == 0:
                connection.execute(sa.insert(self.meta).values(name="version", value=self.version))
            elif found < self.version:
                connection.execute(sa.update(self.meta).where(self.meta.c.name == "version").values(value=self.version))
            connection.commit()

    def found(self, connection: sa.Connection, place: str) -> int:
        """Return the version of the tables that are there, 0 where there are none. Raise `StoreError` for a newer one."""
        if not sa.inspect(connection).has_table(self.meta.name):
            return 0
        found = connection.execute(sa.select(self.meta.c.value).where(self.meta.c.name == "version")).scalar() or 0
        if found > self.version:
            message = f"{place}: its tables of {self.what} have version {found}, this program knows {self.version}; "
            raise StoreError(message + "update nilometer, or name another database")
        return int(found)


@contextmanager
def making(connection: sa.Connection, name: str) -> Iterator[None]:
    """Wait until nobody else makes tables; SQLite's transaction sees to it by itself. PostgreSQL's lasts as long as its own."""
    dialect = connection.dialect.name
    if dialect == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
    elif dialect == "mysql":
        connection.execute(sa.select(sa.func.get_lock(name, LOCK_SECONDS)))
    try:
        yield
    finally:
        if dialect == "mysql" and not connection.invalidated:
            connection.execute(sa.select(sa.func.release_lock(name)))


def meta_table(name: str, metadata: sa.MetaData) -> sa.Table:
    """Return a table for the version, and for other numbers by name."""
    return sa.Table(
        name,
        metadata,
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
        mysql_engine="InnoDB",
    )


class Tables:
    """The tables of a layout in one database: connections to it, once they are there. Safe to use from several threads."""

    def __init__(self, database: Database, layout: Layout) -> None:
        self.database, self._layout = database, layout
        self._preparing = threading.Lock()
        self._ready: object = None
        """The identity of the database that is known to have tables."""

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Give a connection to write with; the tables are made where there are none."""
        self._prepare()
        try:
            with self.database.connected(write=True) as connection:
                yield connection
        except NilometerError:
            self._ready = None
            raise

    @contextmanager
    def reading(self) -> Iterator[sa.Connection | None]:
        """Give a connection, None where there are no tables yet."""
        if self.database.absent:
            yield None
            return
        with self.database.connected() as connection:
            identity = self.database.identity
            if self._ready != identity and self._layout.found(connection, self.database.place):
                self._ready = identity
            yield connection if self._ready == identity else None

    def _prepare(self) -> None:
        with self._preparing:
            if self._ready is None or self._ready != self.database.identity:
                with self.database.connected(write=True) as connection:
                    self._layout.prepare(connection, self.database.place)
                self._ready = self.database.identity
