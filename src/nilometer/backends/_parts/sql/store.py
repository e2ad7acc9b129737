"""A store of events in a database.

Rules:

* A batch is stored whole, and is stored when `write_events` returns; an event whose id is there already stays as it is.
* Tables are made with the first batch (`layout`).
* Several processes may write. Deleting goes in small parts, so that nobody waits for it for long.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite

from nilometer.backends._parts.sql import queries, tables
from nilometer.backends._parts.sql.event_row import event_row
from nilometer.backends._parts.sql.layout import Tables
from nilometer.core.cursor import cursor, place
from nilometer.core.event_query import Count, Found
from nilometer.core.record import Event
from nilometer.core.wire import rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nilometer.backends._parts.sql.database import Database
    from nilometer.core.event_query import By, EventQuery

LARGEST = 1 << 20
"""Bytes that are sent to the database at a time, as long as no single event is larger."""


class SqlEvents:
    """Events in a database. All methods may be called from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tables = Tables(database, tables.LAYOUT)

    def write_events(self, events: Sequence[Event]) -> None:
        """Store all of the events, or none. Raise `Rejected` naming one that cannot be stored, `Unavailable`, `StoreError`."""
        rows = [event_row(event) for event in events]
        if not rows:
            return
        with self._tables.writing() as connection:
            statement = _insert(connection.dialect.name)
            for part in _parts(rows):
                connection.execute(statement, part)

    def find_events(self, query: EventQuery, limit: int = 100, cursor: str = "") -> Found:
        """Return up to `limit` events, newest first, from `cursor` on. Raise `InputError`, `TooSlow`, `Unavailable`."""
        behind = place(cursor)
        with self._tables.reading() as connection:
            rows = [] if connection is None else queries.find(connection, query, limit + 1, behind)
        page = [_event(row) for row in rows[:limit]]
        return Found(page, _cursor(page[-1]) if page and len(rows) > limit else "")

    def count_events(self, query: EventQuery, step: float, by: By, most: int = 10) -> list[Count]:
        """Count events in slots of `step` seconds, for the `most` frequent keys; the other keys together are ``""``."""
        with self._tables.reading() as connection:
            return [] if connection is None else queries.count(connection, query, step, by, most)

    def known_events(self, ids: Sequence[str]) -> set[str]:
        """Return those of the ids under which an event is stored."""
        with self._tables.reading() as connection:
            return set() if connection is None else queries.known(connection, ids)

    def drop_events(self, before: float) -> int:
        """Delete a part of what is older than `before`. Return how many events that were, 0 once none is left."""
        with self._tables.reading() as connection:
            if connection is None:
                return 0
        with self._database.connected(write=True) as connection:
            return queries.drop(connection, before)

    def check(self) -> str:
        """Connect and say what there is. Raise `Unavailable`, `StoreError`."""
        with self._tables.reading() as connection:
            if connection is None:
                return f"{self._database.place}: no events yet, their tables are made with the first"
            newest = connection.execute(sa.select(sa.func.max(tables.EVENTS.c.time))).scalar()
        told = "no events" if newest is None else f"the newest event is of {rfc3339.encode(newest)}"
        return f"{self._database.place}: {told}"

    def close(self) -> None:
        """Close the connections; what was written is stored."""
        self._database.close()


def _event(row: sa.Row[Any]) -> Event:
    found = row._asdict()
    return Event(**{**found, "payload": json.loads(found["payload"]), "context": json.loads(found["context"])})


def _cursor(event: Event) -> str:
    return cursor(event.time, event.id)


def _insert(dialect: str) -> sa.Insert:
    """Return the statement that stores an event unless its id is there."""
    if dialect == "mysql":
        added = mysql.insert(tables.EVENTS)
        return added.on_duplicate_key_update(id=tables.EVENTS.c.id)
    if dialect == "postgresql":
        return postgresql.insert(tables.EVENTS).on_conflict_do_nothing(index_elements=["id"])
    return sqlite.insert(tables.EVENTS).on_conflict_do_nothing(index_elements=["id"])


def _parts(rows: Iterable[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Divide rows into parts of bounded size."""
    parts: list[list[dict[str, Any]]] = [[]]
    size = 0
    for row in rows:
        length = len(row["payload"]) + len(row["context"])
        if parts[-1] and size + length > LARGEST:
            parts.append([])
            size = 0
        parts[-1].append(row)
        size += length
    return parts
