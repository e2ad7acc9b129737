"""Events put into their store: those alone that it does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.core.intake.keeper import Kept

if TYPE_CHECKING:
    from nilometer.core.capability import EventStore
    from nilometer.core.intake.keeper import Put
    from nilometer.core.record import Event


def put_into(store: EventStore | None) -> Put | None:
    """Return what puts events into a store, None where there is none."""
    return None if store is None else lambda events: _put(store, events)


def _put(store: EventStore, events: list[Event]) -> Kept:
    known = store.known_events([event.id for event in events])
    new = [event for event in events if event.id not in known]
    if new:
        store.write_events(new)
    return Kept(new, len(known))
