"""What the server measures about the events that it takes in. ``<source>`` is a bus, ``http`` or ``dogstatsd``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.ingest import waymetrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.core.event_status import EventsStatus

METRICS = (
    ("events.<source>.received", "counter", "events", "events that came in by that way: a bus, http, dogstatsd"),
    ("events.<source>.stored", "counter", "events", "those of them that were new, and are stored"),
    ("events.<source>.duplicates", "counter", "events", "those of them whose id was stored before"),
    ("events.<source>.bad", "counter", "messages", "messages from there that were no event, or of a type that is refused"),
    ("events.<source>.waiting", "gauge", "events", "events from there that wait for the store"),
    ("events.<source>.lag", "gauge", "s", "time from an event to when it was stored, of the last one"),
    ("events.<source>.up", "gauge", "0 or 1", "1 while events can come from there"),
    ("events.store.up", "gauge", "0 or 1", "1 while the store keeps events"),
)
"""Name, kind, unit, and what it tells."""


def totals(status: EventsStatus, label: Callable[[str], str]) -> dict[str, float]:
    """Return the counts since the start; `label` makes a name of a way's."""
    return waymetrics.totals("events", status.ways, label)


def gauges(status: EventsStatus, label: Callable[[str], str]) -> dict[str, float]:
    """Return how each way, and the store, is now."""
    found = waymetrics.gauges("events", status.ways, label)
    if status.store is not None:
        found["events.store.up"] = float(not status.store.error)
    return found
