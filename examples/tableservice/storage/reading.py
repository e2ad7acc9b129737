"""Many items, a page at a time: query reads those of one hash key in order, scan those of a whole table."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import ColumnElement, LargeBinary, Select, and_, literal, select, tuple_

from tableservice.conditions import Condition, count, passes
from tableservice.errors import ValidationError
from tableservice.schema import Index
from tableservice.storage.database import ENTRIES, ITEMS
from tableservice.storage.tables import active
from tableservice.values import after

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tableservice.schema import Schema
    from tableservice.storage.database import Database
    from tableservice.storage.tables import Described
    from tableservice.values import Item

PAGE = 1000
"""Items that are looked at for one answer, where the request says nothing less."""
Column = ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class Wish:
    """What to read: in which order, from where, how many, which of them."""

    limit: int | None = None
    start: Item | None = None
    forward: bool = True
    filter: Mapping[str, Condition] = field(default_factory=dict)


class Page(NamedTuple):
    """Items that passed the filter, how many were looked at, and the key behind which the next page begins."""

    items: list[Item]
    scanned: int
    last: Item | None


class Reading:
    """Reads every table's items. Each method raises `TableNotExistsException` and `ValidationError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def query(self, project: str, table: str, conditions: Mapping[str, Condition], index: str | None, wish: Wish) -> Page:
        """Return items of one hash key, ordered by the range key or by an index."""
        with self._database.reading() as link:
            described = active(link, project, table)
            schema = described.schema
            found = None if index is None else schema.index(index)
            chosen = _of_hash(described, found).where(*_conditions(schema, found, conditions))
            order: list[Column] = [ITEMS.c.range] if found is None else [ENTRIES.c.sort, ITEMS.c.range]
            start = _start(schema, found, wish.start)[1:]
            return _page(described, found, wish, link.scalars(_after(chosen, order, start, wish)).all())

    def scan(self, project: str, table: str, wish: Wish) -> Page:
        """Return items of a whole table."""
        with self._database.reading() as link:
            described = active(link, project, table)
            chosen = select(ITEMS.c.body).where(ITEMS.c.table_id == described.id)
            start = _start(described.schema, None, wish.start)
            rows = link.scalars(_after(chosen, [ITEMS.c.hash, ITEMS.c.range], start, wish)).all()
            return _page(described, None, wish, rows)


def _of_hash(table: Described, index: Index | None) -> Select[str]:
    chosen = select(ITEMS.c.body).where(ITEMS.c.table_id == table.id)
    if index is None:
        return chosen
    same = (ENTRIES.c.table_id == ITEMS.c.table_id) & (ENTRIES.c.hash == ITEMS.c.hash) & (ENTRIES.c.range == ITEMS.c.range)
    return chosen.join(ENTRIES, and_(same, ENTRIES.c.index_name == index.name))


def _conditions(schema: Schema, index: Index | None, conditions: Mapping[str, Condition]) -> list[ColumnElement[bool]]:
    """Return the conditions on the key. Raise `ValidationError` unless they fix the hash key and nothing is besides."""
    second = schema.range if index is None else index.attribute
    left = dict(conditions)
    first = left.pop(schema.hash, None)
    if first is None or first.operator != "EQ" or set(left) - {second}:
        message = f"key_conditions: {schema.hash} with EQ is needed, {second or 'nothing'} is allowed besides"
        raise ValidationError(message)
    count(schema.hash, first)
    found: list[ColumnElement[bool]] = [ITEMS.c.hash == schema.part(schema.hash, {schema.hash: first.values[0]})]
    if second is not None and second in left:
        found += _range(schema, second, left[second], ITEMS.c.range if index is None else ENTRIES.c.sort)
    return found


def _range(schema: Schema, name: str, condition: Condition, column: Column) -> list[ColumnElement[bool]]:
    count(name, condition)
    values = [schema.part(name, {name: value}) for value in condition.values]
    simple = {"EQ": column.__eq__, "LT": column.__lt__, "LE": column.__le__, "GT": column.__gt__, "GE": column.__ge__}
    if condition.operator in simple:
        return [simple[condition.operator](values[0])]
    if condition.operator == "BETWEEN":
        return [column >= values[0], column <= values[1]]
    if condition.operator == "BEGINS_WITH" and "N" not in condition.values[0]:
        end = after(values[0])
        return [column >= values[0], *([] if end is None else [column < end])]
    message = f"key_conditions: {name} cannot be compared by {condition.operator}"
    raise ValidationError(message)


def _start(schema: Schema, index: Index | None, start: Item | None) -> list[bytes]:
    """Return the place behind which to begin: hash key, the index's attribute, range key; nothing for the beginning."""
    if start is None:
        return []
    names = [schema.hash, *([] if index is None else [index.attribute]), *([] if schema.range is None else [schema.range])]
    if set(start) != set(names):
        message = f"exclusive_start_key: it has to hold {', '.join(names)}"
        raise ValidationError(message)
    found = [schema.part(name, start) for name in names]
    return found if schema.range is not None else [*found, b""]


def _after(chosen: Select[str], order: Sequence[Column], start: Sequence[bytes], wish: Wish) -> Select[str]:
    """Put what is chosen in order and begin behind `start`; one more than wished tells whether there are more."""
    if start:
        here, there = tuple_(*order), tuple_(*(literal(part, LargeBinary) for part in start))
        chosen = chosen.where(here > there if wish.forward else here < there)
    return chosen.order_by(*(each if wish.forward else each.desc() for each in order)).limit(_limit(wish) + 1)


def _limit(wish: Wish) -> int:
    return PAGE if wish.limit is None else min(wish.limit, PAGE)


def _page(table: Described, index: Index | None, wish: Wish, rows: Sequence[str]) -> Page:
    for name, condition in wish.filter.items():
        count(name, condition)
    seen: list[Item] = [json.loads(body) for body in rows[: _limit(wish)]]
    last = None
    if len(rows) > len(seen) and seen:
        names = {*table.schema.keys, *([] if index is None else [index.attribute])}
        last = {name: value for name, value in seen[-1].items() if name in names}
    found = [item for item in seen if passes(item, wish.filter)]
    return Page([table.schema.projected(item, index) for item in found] if index else found, len(seen), last)
