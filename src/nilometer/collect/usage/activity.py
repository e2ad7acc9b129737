"""What the events of a period say of each table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.event_query import EventQuery
from nilometer.core.event_types import Usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.collect.usage.period import Period
    from nilometer.core.capability import EventStore
    from nilometer.core.event_types import Registry
    from nilometer.core.record import Event

PAGE = 1000
"""Events that are taken from the store at a time."""
KEPT = ("user_id", "table_schema")
"""Fields of a table's events that its usage repeats: the newest that was told."""


class Key(NamedTuple):
    """A table: of which service, of whom, and what it is called."""

    service: str
    project: str
    table: str


@dataclass(slots=True)
class Activity:
    """What happened to a table: rows read and written, and whether it was deleted last."""

    reads: float = 0.0
    writes: float = 0.0
    deleted: bool = False
    told: dict[str, object] | None = None


def events(store: EventStore, period: Period) -> Iterator[Event]:
    """Yield the events of a period, newest first. Raise what the store raises."""
    query, cursor = EventQuery(since=period.start, until=period.end), ""
    while True:
        found = store.find_events(query, PAGE, cursor)
        yield from found.events
        cursor = found.cursor
        if not cursor:
            return


def activity(store: EventStore, period: Period, types: Registry) -> dict[Key, Activity]:
    """Return the tables that events of the period name, each with what happened to it. Raise what the store raises."""
    found: dict[Key, Activity] = {}
    for event in events(store, period):
        table = event.payload.get("table_name")
        service, kind = types.split(event.type)
        if not isinstance(table, str) or not table or types.find(event.type) is None or kind.startswith("table.usage"):
            continue
        known = found.setdefault(Key(service, event.tenant, table), Activity(deleted=kind == "table.delete.end"))
        known.told = known.told or {}
        for name in KEPT:
            if isinstance(value := event.payload.get(name), str):
                known.told.setdefault(name, value)
        _add(known, event, types)
    return found


def _add(known: Activity, event: Event, types: Registry) -> None:
    counted = types.usage(event)
    if counted is not None and counted.usage is Usage.READS:
        known.reads += counted.amount
    elif counted is not None and counted.usage is Usage.WRITES:
        known.writes += counted.amount
