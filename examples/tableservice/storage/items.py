"""Single items: put, get, update, delete. A write checks what it expects and writes in one transaction."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import and_, delete, insert, select, update

from tableservice.conditions import expect
from tableservice.errors import ValidationError
from tableservice.storage.database import ENTRIES, ITEMS
from tableservice.storage.tables import active
from tableservice.updates import updated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from tableservice.conditions import Expected
    from tableservice.schema import Key
    from tableservice.storage.database import Database
    from tableservice.storage.tables import Described
    from tableservice.updates import Update
    from tableservice.values import Item

LARGEST = 400 * 1024
"""Bytes that an item can have, as in DynamoDB."""


class Change(NamedTuple):
    """An item before and after a write, None where there was or is none."""

    old: Item | None
    new: Item | None


NOTHING = Change(None, None)
"""There was no item, and there is none."""


class Items:
    """Every table's items. Each method raises `TableNotExistsException` and `ValidationError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, project: str, table: str, attributes: Item) -> Item | None:
        """Return the item of a key."""
        with self._database.reading() as link:
            described = active(link, project, table)
            return _find(link, described, described.schema.key(attributes, alone=True))

    def put(self, project: str, table: str, item: Item, expected: Mapping[str, Expected]) -> Change:
        """Write an item in place of whatever was there. Raise `ConditionalCheckFailedException`."""

        def work(link: Connection) -> Change:
            described = active(link, project, table)
            key = described.schema.key(item)
            old = _find(link, described, key, lock=True)
            expect(expected, old)
            return _store(link, described, key, Change(old, item))

        return self._database.write(work)

    def update(
        self, project: str, table: str, attributes: Item, updates: Mapping[str, Update], expected: Mapping[str, Expected]
    ) -> Change:
        """Change an item's attributes; one that was not there begins with its key. Raise `ConditionalCheckFailedException`."""

        def work(link: Connection) -> Change:
            described = active(link, project, table)
            key = described.schema.key(attributes, alone=True)
            if not set(updates).isdisjoint(described.schema.keys):
                message = "attribute_updates: the key of an item cannot be changed"
                raise ValidationError(message)
            old = _find(link, described, key, lock=True)
            expect(expected, old)
            if old is None and all(each.action == "DELETE" for each in updates.values()):
                return Change(None, None)
            return _store(link, described, key, Change(old, updated(old or attributes, updates)))

        return self._database.write(work)

    def delete(self, project: str, table: str, attributes: Item, expected: Mapping[str, Expected]) -> Change:
        """Remove an item. Raise `ConditionalCheckFailedException`."""

        def work(link: Connection) -> Change:
            described = active(link, project, table)
            key = described.schema.key(attributes, alone=True)
            old = _find(link, described, key, lock=True)
            expect(expected, old)
            _forget_entries(link, described, key)
            link.execute(delete(ITEMS).where(_at(described, key)))
            return Change(old, None)

        return self._database.write(work)


def _at(table: Described, key: Key):  # type: ignore[no-untyped-def]  # noqa: ANN202 SQLAlchemy's own expression
    return and_(ITEMS.c.table_id == table.id, ITEMS.c.hash == key.hash, ITEMS.c.range == key.range)


def _find(link: Connection, table: Described, key: Key, *, lock: bool = False) -> Item | None:
    wanted = select(ITEMS.c.body).where(_at(table, key))
    body = link.scalar(wanted.with_for_update() if lock else wanted)
    return None if body is None else json.loads(body)


def _store(link: Connection, table: Described, key: Key, change: Change) -> Change:
    body = json.dumps(change.new, ensure_ascii=False, separators=(",", ":"))
    size = len(body.encode())
    if size > LARGEST:
        message = f"item: {size} bytes; an item has at most {LARGEST}"
        raise ValidationError(message)
    entries = table.schema.entries(change.new or {})
    if change.old is None:
        row = {"table_id": table.id, "hash": key.hash, "range": key.range}
        link.execute(insert(ITEMS).values(size=size, body=body, **row))
    else:
        link.execute(update(ITEMS).where(_at(table, key)).values(size=size, body=body))
        _forget_entries(link, table, key)
    for name, sort in entries.items():
        link.execute(insert(ENTRIES).values(table_id=table.id, index_name=name, hash=key.hash, sort=sort, range=key.range))
    return change


def _forget_entries(link: Connection, table: Described, key: Key) -> None:
    if table.schema.indexes:
        mine = and_(ENTRIES.c.table_id == table.id, ENTRIES.c.hash == key.hash, ENTRIES.c.range == key.range)
        link.execute(delete(ENTRIES).where(mine))
