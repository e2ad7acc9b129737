"""What is asked of the tables of events, as statements.

Rules:

* A glob over types becomes the types that fit, read from the index by a step for each type there is, so it means the same in
  every database. Where there are more than `MOST_TYPES`, the database compares.
* Few types are looked for one by one, each in its index, newest first, and merged; so a rare type is found as soon as a
  frequent one.
* What a page needs is bounded by its limit; what counting needs, by `MOST_COUNTS`.
"""

from __future__ import annotations

import fnmatch
import math
import re
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from nilometer.backends._parts.sql.tables import EVENTS
from nilometer.backends._parts.sql.types import Document, Word
from nilometer.core.errors import InputError
from nilometer.core.event_query import Count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.cursor import Place
    from nilometer.core.event_query import By, EventQuery

    Conditions = list[sa.ColumnElement[bool]]

C = EVENTS.c
WILD, WILD_ONE = re.compile(r"[*?[]"), re.compile(r"[?[]")
UNSTORED = re.compile(r"[\x00\ud800-\udfff]")
TOGETHER = 500
"""Events that are looked up or deleted at a time."""
MOST_TYPES = 1000
"""Types that a glob is tried on."""
FEW = 16
"""Types that are looked for one by one."""
MOST_COUNTS = 100_000
"""Numbers that counting answers with, at most."""
NEWEST = (C.time.desc(), C.id.desc())


def find(connection: sa.Connection, query: EventQuery, limit: int, behind: Place | None) -> Sequence[sa.Row[Any]]:
    """Return the rows of up to `limit` events, newest first."""
    if is_void(query):
        return []
    types, where = of_types(connection, query), conditions(connection, query)
    if behind is not None:
        where += [C.time <= behind.time, sa.or_(C.time < behind.time, C.id < behind.id)]
    if types is not None and len(types) <= FEW:
        pages = [_page([*where, C.type == name], limit) for name in types]
        return connection.execute(_merged(pages, limit)).all() if pages else []
    if types is not None:
        where.append(_unindexed(connection, C.type).in_(types))
    elif query.type.strip("*"):
        where.append(_alike(connection, query.type))
    return connection.execute(_page(where, limit)).all()


def _page(where: Conditions, limit: int) -> sa.Select[Any]:
    return sa.select(*C).where(*where).order_by(*NEWEST).limit(limit)


def _merged(pages: Sequence[sa.Select[Any]], limit: int) -> sa.Select[Any]:
    """Return the newest of several pages together."""
    if len(pages) == 1:
        return pages[0]
    together = sa.union_all(*(sa.select(page.subquery()) for page in pages)).subquery()
    return sa.select(together).order_by(together.c.time.desc(), together.c.id.desc()).limit(limit)


def of_types(connection: sa.Connection, query: EventQuery) -> list[str] | None:
    """Return the types that fit the glob: None for all, and where there are too many to try each."""
    if not query.type.strip("*"):
        return None if query.type else [""]
    wild = WILD.search(query.type)
    if wild is None:
        return [query.type]
    prefix = query.type[: wild.start()]
    found, looked_at, last = list[str](), 0, ""
    while (name := _next_type(connection, prefix, last)) is not None and name.startswith(prefix):
        looked_at, last = looked_at + 1, name
        if looked_at > MOST_TYPES:
            _refuse(query.type)
            return None
        if fnmatch.fnmatchcase(name, query.type):
            found.append(name)
    return found


def _next_type(connection: sa.Connection, prefix: str, last: str) -> str | None:
    bound = C.type > last if last else C.type >= prefix
    return connection.execute(sa.select(sa.func.min(C.type)).where(bound)).scalar()


def _refuse(glob: str) -> None:
    if WILD_ONE.search(glob):
        message = f"type: {glob!r} fits or not among more than {MOST_TYPES} types; write it with * alone, or a longer beginning"
        raise InputError(message)


def _alike(connection: sa.Connection, glob: str) -> sa.ColumnElement[bool]:
    """Return the condition that a glob of ``*`` alone is, in the database's words."""
    if connection.dialect.name == "sqlite":
        return _unindexed(connection, C.type).op("GLOB")(glob)
    return C.type.like(re.sub(r"([%_!])", r"!\1", glob).replace("*", "%"), escape="!")


def _unindexed(connection: sa.Connection, column: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """Return the column such that SQLite, which keeps no statistics, looks for it in the order of time."""
    return column + "" if connection.dialect.name == "sqlite" else column


def conditions(connection: sa.Connection, query: EventQuery) -> Conditions:
    """Return what holds besides the type."""
    names = [name for name in ("id", "tenant", "publisher", "priority") if getattr(query, name)]
    found: Conditions = [C[name] == getattr(query, name) for name in names]
    if math.isfinite(query.since):
        found.append(C.time >= query.since)
    if math.isfinite(query.until):
        found.append(C.time < query.until)
    if query.text:
        place = sa.func.strpos if connection.dialect.name == "postgresql" else sa.func.instr
        found.append(place(C.payload, sa.literal(query.text, Document())) > 0)
    return found


def is_void(query: EventQuery) -> bool:
    """Return whether nothing can fit: no time lies between, or a text holds what none that is stored does."""
    texts = (query.id, query.type, query.tenant, query.publisher, query.priority, query.text)
    return not query.since < query.until or query.since == math.inf or any(UNSTORED.search(text) for text in texts)


def count(connection: sa.Connection, query: EventQuery, step: float, by: By, most: int) -> list[Count]:
    """Return how many events of each of the `most` frequent keys each slot has; all others under the key ``""``."""
    if is_void(query):
        return []
    where, key = counted(connection, query), C[by]
    ranked = sa.select(key).where(*where).group_by(key).order_by(sa.func.count().desc(), key).limit(most)
    kept = list(connection.execute(ranked).scalars())
    rest: sa.ColumnElement[str] = sa.literal("", Word())
    shown = (sa.case((key.in_(kept), key), else_=rest) if kept else rest).label("shown")
    slot = _whole(connection, C.time / sa.literal(step, sa.Double())).label("slot")
    grouped = sa.select(shown, slot, sa.func.count()).where(*where).group_by("shown", "slot").limit(MOST_COUNTS + 1)
    rows = connection.execute(grouped).all()
    if len(rows) > MOST_COUNTS:
        message = f"step: {step:g} s gives more than {MOST_COUNTS} numbers; take a longer one, or a shorter time"
        raise InputError(message)
    return sorted(Count(found or "", float(int(number) * step), int(events)) for found, number, events in rows)


def counted(connection: sa.Connection, query: EventQuery) -> Conditions:
    """Return all conditions of a query as they are best where everything that fits is looked at."""
    types, found = of_types(connection, query), conditions(connection, query)
    if types is not None:
        found.append(C.type.in_(types))
    elif query.type.strip("*"):
        found.append(_alike(connection, query.type))
    return found


def _whole(connection: sa.Connection, number: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    """Return the number rounded down."""
    if connection.dialect.name != "sqlite":
        return sa.func.floor(number)
    cut = sa.cast(number, sa.BigInteger)
    return cut - sa.case((number < cut, 1), else_=0)


def known(connection: sa.Connection, ids: Sequence[str]) -> set[str]:
    """Return those of the ids under which an event is stored."""
    storable = [each for each in ids if not UNSTORED.search(each)]
    parts = (storable[start : start + TOGETHER] for start in range(0, len(storable), TOGETHER))
    return {each for part in parts for each in connection.execute(sa.select(C.id).where(C.id.in_(part))).scalars()}


def drop(connection: sa.Connection, before: float) -> int:
    """Delete up to `TOGETHER` events that are older. Return how many that were."""
    old = sa.select(C.id).where(C.time < before).order_by(C.time, C.id).limit(TOGETHER)
    ids = list(connection.execute(old).scalars())
    return connection.execute(sa.delete(EVENTS).where(C.id.in_(ids))).rowcount if ids else 0
