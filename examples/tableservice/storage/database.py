"""The database, by SQLAlchemy's URL: its tables, and how a transaction is begun.

Rules:

* Keys are kept as bytes that sort as the values do (`values.sortable`), so both databases agree on the order.
* A transaction that writes locks what it has read: SQLite the whole database, PostgreSQL the item.
* What belongs to a table goes with it: a foreign key sees to items that were written while it was being deleted.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    select,
)
from sqlalchemy.exc import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    from sqlalchemy import Connection, Engine

    Done = TypeVar("Done")

METADATA = MetaData()
TABLES = Table(
    "tables",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("project", String(255), nullable=False),
    Column("name", String(255), nullable=False),
    Column("status", String(16), nullable=False),
    Column("schema", JSON, nullable=False),
    Column("created", BigInteger, nullable=False),  # seconds since 1970
    UniqueConstraint("project", "name"),
)
ITEMS = Table(
    "items",
    METADATA,
    Column("table_id", ForeignKey("tables.id", ondelete="CASCADE"), primary_key=True),
    Column("hash", LargeBinary, primary_key=True),
    Column("range", LargeBinary, primary_key=True),
    Column("size", Integer, nullable=False),  # bytes of the body
    Column("body", Text, nullable=False),
)
ENTRIES = Table(
    "index_entries",
    METADATA,
    Column("table_id", ForeignKey("tables.id", ondelete="CASCADE"), primary_key=True),
    Column("index_name", String(255), primary_key=True),
    Column("hash", LargeBinary, primary_key=True),
    Column("sort", LargeBinary, primary_key=True),
    Column("range", LargeBinary, primary_key=True),
)
"""A row for each index that has an item; `sort` is the attribute by which that index is ordered."""

PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000", "foreign_keys=ON")
ATTEMPTS = 3
"""How often a write is tried when another one creates the same row at the same time."""


class Database:
    """Connections to one database."""

    def __init__(self, url: str) -> None:
        self.engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
        if self.engine.dialect.name == "sqlite":
            _as_sqlite_should(self.engine)
        METADATA.create_all(self.engine)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Begin a transaction that only reads."""
        with self.engine.connect() as link, link.begin():
            yield link

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """Begin a transaction that writes."""
        with self.engine.connect().execution_options(begin="BEGIN IMMEDIATE") as link, link.begin():
            yield link

    def write(self, work: Callable[[Connection], Done]) -> Done:
        """Do `work` in a transaction; again, when somebody else has created the same row meanwhile."""
        for _ in range(ATTEMPTS - 1):
            with contextlib.suppress(IntegrityError), self.writing() as link:
                return work(link)
        with self.writing() as link:
            return work(link)

    def check(self) -> None:
        """Raise SQLAlchemy's error when the database cannot be read."""
        with self.reading() as link:
            link.execute(select(TABLES.c.id).limit(1)).all()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _as_sqlite_should(engine: Engine) -> None:
    """Let SQLAlchemy begin transactions itself. Source: its documentation of SQLite, "Serializable isolation"."""

    @event.listens_for(engine, "connect")
    def connected(link: Any, _: object) -> None:  # noqa: ANN401 the driver's connection
        link.isolation_level = None
        for pragma in PRAGMAS:
            link.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begun(link: Connection) -> None:
        link.exec_driver_sql(link.get_execution_options().get("begin", "BEGIN"))
