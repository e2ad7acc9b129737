"""What a store of events is asked over HTTP, answered where the store is read: pages, single events and counts, as bytes.

Rules:

* An answer holds at most about `LARGEST` bytes of events; a page that would be larger ends earlier, with its cursor.
* Events are JSON as everywhere, the time in seconds since the epoch. In CSV, payload and context are JSON in a cell.
"""

from __future__ import annotations

import csv
import io
import itertools
from typing import TYPE_CHECKING

from nilometer.core.event_query import EventQuery, Found
from nilometer.core.wire import event as wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nilometer.core.capability import EventStore
    from nilometer.core.event_query import By
    from nilometer.core.record import Event

LARGEST = 8 << 20
FIRST = 100
"""Events that are read at a time."""


def as_json(event: Event) -> bytes:
    """Return an event as JSON."""
    return wire.text({name: getattr(event, name) for name in wire.FIELDS})


def page(store: EventStore, query: EventQuery, limit: int, cursor: str) -> bytes:
    """Return a page as JSON: ``events``, newest first, and ``cursor``, null at the end."""
    found = _bounded(store, query, limit, cursor)
    events = b",".join(map(as_json, found.events))
    return b'{"events":[' + events + b'],"cursor":' + wire.text(found.cursor or None) + b"}\n"


def table(store: EventStore, query: EventQuery, limit: int, cursor: str) -> bytes:
    """Return a page as CSV."""
    return b"".join(as_csv(_bounded(store, query, limit, cursor).events))


def one(store: EventStore, id: str) -> bytes | None:  # noqa: A002 the field's own word
    """Return one event as JSON, None when there is none of this id."""
    found = store.find_events(EventQuery(id=id), 1).events
    return as_json(found[0]) + b"\n" if found else None


def counts(store: EventStore, query: EventQuery, step: float, by: By, most: int) -> bytes:
    """Return counts as JSON: ``step``, ``by``, and ``counts`` of ``key``, ``time`` and ``count``."""
    found = [each._asdict() for each in store.count_events(query, step, by, most)]
    return wire.text({"by": by, "step": step, "counts": found}) + b"\n"


def counts_table(store: EventStore, query: EventQuery, step: float, by: By, most: int) -> bytes:
    """Return counts as CSV."""
    return b"".join(_csv(("key", "time", "count"), store.count_events(query, step, by, most)))


def as_csv(events: Iterable[Event]) -> Iterator[bytes]:
    """Yield events as CSV, line by line, the names first."""
    return _csv(wire.FIELDS, (_cells(event) for event in events))


def _cells(event: Event) -> list[object]:
    found = {name: getattr(event, name) for name in wire.FIELDS}
    return list((found | {name: wire.text(found[name]).decode() for name in ("payload", "context")}).values())


def _csv(names: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[bytes]:
    text = io.StringIO()
    writer = csv.writer(text)
    for row in itertools.chain([names], rows):
        writer.writerow(row)
        yield text.getvalue().encode("utf-8", "replace")
        text.seek(0)
        text.truncate()


def _bounded(store: EventStore, query: EventQuery, limit: int, cursor: str) -> Found:
    """Return up to `limit` events, fewer when they are large."""
    events: list[Event] = []
    size = 0
    while len(events) < limit and size < LARGEST:
        part, cursor = store.find_events(query, min(limit - len(events), FIRST), cursor)
        events += part
        size += sum(len(wire.text(event.payload)) + len(wire.text(event.context)) for event in part)
        if not cursor:
            break
    return Found(events, cursor)
