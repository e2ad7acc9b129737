"""The inbox: messages as they came, each once, numbered in order of commits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from nilometer.backends._parts.sql import many
from nilometer.backends._parts.sql.event_row import event_row
from nilometer.backends._parts.sql.statistics.tables import INBOX
from nilometer.core.statistics import Inbox, Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nilometer.core.record import Event

C = INBOX.c
INSERT = sa.insert(INBOX)
COLUMNS = (
    C.id,
    C.time,
    C.type,
    C.payload,
    C.context,
    C.publisher,
    C.priority,
    C.tenant,
    C.arrived,
    C.archived,
    C.number,
)
"""In the order of a message's fields."""
TOGETHER = 500
"""Ids that are asked for in one statement."""
DELETED = 5000
"""Messages that are deleted at a time, so that nobody waits for long."""


def add(connection: sa.Connection, events: Sequence[Event], *, arrived: float, archived: bool) -> list[Event]:
    """Put in those whose ids are new, under the lock of writers, and return them. Raise `Rejected`."""
    rows = {event.id: event for event in events}
    held = known(connection, rows)
    new = [event for id_, event in rows.items() if id_ not in held]
    if new:
        about = {"arrived": arrived, "archived": archived}
        many.execute(connection, INSERT, [event_row(event) | about for event in new])
    return new


def known(connection: sa.Connection, ids: Iterable[str]) -> set[str]:
    """Return those of the ids that are in the inbox."""
    return {id_ for part in parts(list(ids)) for id_ in connection.scalars(sa.select(C.id).where(C.id.in_(part)))}


def parts(found: Sequence[Any], size: int = TOGETHER) -> Iterator[Sequence[Any]]:
    """Yield a sequence in parts of bounded size."""
    for start in range(0, len(found), size):
        yield found[start : start + size]


def read(connection: sa.Connection, after: int, most: int) -> list[Message]:
    """Return up to `most` messages with a number above `after`, in order of their numbers."""
    rows = connection.execute(sa.select(*COLUMNS).where(C.number > after).order_by(C.number).limit(most))
    return [
        Message(id_, time, topic, json.loads(body), json.loads(headers), *rest)
        for id_, time, topic, body, headers, *rest in rows
    ]


def summary(connection: sa.Connection) -> Inbox:
    """Return what the inbox holds."""
    first, last, count = connection.execute(sa.select(sa.func.min(C.number), sa.func.max(C.number), sa.func.count())).one()
    oldest = connection.scalar(sa.select(C.arrived).where(C.number == first)) if count else None
    return Inbox(count, first or 0, last or 0, oldest)


def expire(connection: sa.Connection, before: float, upto: int) -> int:
    """Delete a part of what arrived before a time, with numbers up to `upto`."""
    oldest = sa.select(C.number).where(C.number <= upto, C.arrived < before).order_by(C.number).limit(DELETED)
    return connection.execute(sa.delete(INBOX).where(C.number.in_(oldest.scalar_subquery()))).rowcount
