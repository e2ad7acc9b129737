"""The tables of all projects: their schemas and states, and what they use."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import delete, func, insert, select, tuple_, update

from tableservice.errors import ResourceInUseException, TableAlreadyExistsException, TableNotExistsException, ValidationError
from tableservice.schema import Schema, from_json
from tableservice.storage.database import ITEMS, TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

    from tableservice.storage.database import Database

CREATING, ACTIVE, DELETING = "CREATING", "ACTIVE", "DELETING"
CREATE_FAILURE, DELETE_FAILURE = "CREATE_FAILURE", "DELETE_FAILURE"
UNFINISHED = (CREATING, DELETING)
BATCH = 1000
"""Items that are deleted in one transaction."""


class Usage(NamedTuple):
    """What a table holds: bytes of its items, and how many they are."""

    size: int = 0
    item_count: int = 0


@dataclass(frozen=True, slots=True)
class Described:
    """A table: `created` in seconds since 1970."""

    id: str
    project: str
    name: str
    status: str
    schema: Schema
    created: int


def _described(row: Row[Any]) -> Described:
    return Described(row.id, row.project, row.name, row.status, from_json(row.schema), row.created)


def find(link: Connection, project: str, name: str) -> Described:
    """Return a table. Raise `TableNotExistsException`."""
    wanted = (TABLES.c.project == project) & (TABLES.c.name == name)
    row = link.execute(select(TABLES).where(wanted)).one_or_none()
    if row is None:
        message = f"Table '{name}' does not exist"
        raise TableNotExistsException(message)
    return _described(row)


def active(link: Connection, project: str, name: str) -> Described:
    """Return a table that can be used. Raise `ValidationError` for one that is being created or deleted."""
    table = find(link, project, name)
    if table.status != ACTIVE:
        message = f"Table '{name}' is not ACTIVE, it is {table.status}"
        raise ValidationError(message)
    return table


class Tables:
    """Every project's tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, project: str, name: str, schema: Schema) -> Described:
        """Note a table that is to be created. Raise `TableAlreadyExistsException`."""
        table = Described(str(uuid.uuid4()), project, name, CREATING, schema, int(time.time()))

        def work(link: Connection) -> Described:
            wanted = (TABLES.c.project == project) & (TABLES.c.name == name)
            if link.execute(select(TABLES.c.id).where(wanted)).first():
                message = f"Table '{name}' already exists"
                raise TableAlreadyExistsException(message)
            row = {"id": table.id, "project": project, "name": name, "status": CREATING, "created": table.created}
            link.execute(insert(TABLES).values(schema=schema.to_json(), **row))
            return table

        return self._database.write(work)

    def begin_deletion(self, project: str, name: str) -> Described:
        """Note that a table is to be deleted. Raise `TableNotExistsException`, `ResourceInUseException`."""
        with self._database.writing() as link:
            table = find(link, project, name)
            if table.status in UNFINISHED:
                message = f"Table '{name}' is {table.status}"
                raise ResourceInUseException(message)
            link.execute(update(TABLES).where(TABLES.c.id == table.id).values(status=DELETING))
        return Described(table.id, project, name, DELETING, table.schema, table.created)

    def set_status(self, table_id: str, status: str) -> None:
        """Note that a table is in another state now."""
        with self._database.writing() as link:
            link.execute(update(TABLES).where(TABLES.c.id == table_id).values(status=status))

    def remove(self, table_id: str) -> None:
        """Remove a table's items, a batch at a time so that others can write in between, then the table."""
        place = tuple_(ITEMS.c.table_id, ITEMS.c.hash, ITEMS.c.range)
        some = select(ITEMS.c.table_id, ITEMS.c.hash, ITEMS.c.range).where(ITEMS.c.table_id == table_id).limit(BATCH)
        gone = BATCH
        while gone == BATCH:
            with self._database.writing() as link:
                gone = link.execute(delete(ITEMS).where(place.in_(some))).rowcount
        with self._database.writing() as link:
            link.execute(delete(TABLES).where(TABLES.c.id == table_id))

    def find(self, project: str, name: str) -> Described:
        """Return a table. Raise `TableNotExistsException`."""
        with self._database.reading() as link:
            return find(link, project, name)

    def unfinished(self) -> list[Described]:
        """Return the tables on which a task was at work when the service ended."""
        with self._database.reading() as link:
            return [_described(row) for row in link.execute(select(TABLES).where(TABLES.c.status.in_(UNFINISHED)))]

    def names(self, project: str, after: str | None, limit: int) -> list[str]:
        """Return a project's tables in the order of their names, those behind `after`."""
        wanted = select(TABLES.c.name).where(TABLES.c.project == project).order_by(TABLES.c.name).limit(limit)
        if after is not None:
            wanted = wanted.where(TABLES.c.name > after)
        with self._database.reading() as link:
            return list(link.scalars(wanted))

    def page(self, after: tuple[str, str | None] | None, limit: int) -> list[Described]:
        """Return tables by project and name: those behind a table, or behind all of a project when that has no name."""
        wanted = select(TABLES).order_by(TABLES.c.project, TABLES.c.name).limit(limit)
        if after is not None and after[1] is None:
            wanted = wanted.where(TABLES.c.project > after[0])
        elif after is not None:
            wanted = wanted.where(tuple_(TABLES.c.project, TABLES.c.name) > tuple_(*after))
        with self._database.reading() as link:
            return [_described(row) for row in link.execute(wanted)]

    def of(self, project: str) -> list[Described]:
        """Return a project's tables in the order of their names."""
        with self._database.reading() as link:
            return [
                _described(row)
                for row in link.execute(select(TABLES).where(TABLES.c.project == project).order_by(TABLES.c.name))
            ]

    def count(self) -> dict[str, int]:
        """Return how many tables are in each of the usual states."""
        with self._database.reading() as link:
            rows = link.execute(select(TABLES.c.status, func.count()).group_by(TABLES.c.status))
            return {**dict.fromkeys((ACTIVE, *UNFINISHED), 0), **{row[0]: row[1] for row in rows}}

    def usage(self, tables: Sequence[Described]) -> dict[str, Usage]:
        """Return what each table holds, by its id."""
        ids = [table.id for table in tables]
        totals = select(ITEMS.c.table_id, func.sum(ITEMS.c.size), func.count()).group_by(ITEMS.c.table_id)
        with self._database.reading() as link:
            found = {row[0]: Usage(int(row[1]), row[2]) for row in link.execute(totals.where(ITEMS.c.table_id.in_(ids)))}
        return {name: found.get(name, Usage()) for name in ids}
