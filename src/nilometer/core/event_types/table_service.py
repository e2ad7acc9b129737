"""The types of a table service: what MagnetoDB's specification of notifications lists.

A lengthy activity has ``.start``, then ``.end`` or ``.error``. A short one has one event when it is done, or ``.error``.
Usage is told by a periodic job, and only where that is switched on.

Source: https://wiki.openstack.org/wiki/MagnetoDB/notification
"""

from __future__ import annotations

from nilometer.core.event_types.event_type import EventType, Usage
from nilometer.core.event_types.payloads import DataItemPayload, TablePayload, TableUsagePayload

SERVICE = "magnetodb"
ERROR = "error"


def _long(name: str, what: str, **more: object) -> tuple[EventType, ...]:
    """Return the three types of a lengthy activity; only its end counts for usage."""
    shared = {key: value for key, value in more.items() if key != "usage"}
    return (
        EventType(f"{name}.start", f"{what} begins", **shared),  # type: ignore[arg-type]  # fields of EventType
        EventType(f"{name}.end", f"{what} is done", **more),  # type: ignore[arg-type]  # likewise
        EventType(f"{name}.error", f"{what} failed", ERROR, **shared),  # type: ignore[arg-type]  # likewise
    )


def _short(name: str, what: str, usage: Usage) -> tuple[EventType, ...]:
    """Return the two types of a short activity on items."""
    return (
        EventType(name, f"{what} is done", usage=usage, payload=DataItemPayload),
        EventType(f"{name}.error", f"{what} failed", ERROR, payload=DataItemPayload),
    )


TABLE_SERVICE = (
    *_long("table.create", "creating a table", payload=TablePayload),
    *_long("table.delete", "deleting a table", payload=TablePayload),
    EventType(
        "table.usage",
        "what a table, or an index, took in a period",
        usage=Usage.STORAGE,
        amount="disk_gb",
        amount_else=0.0,
        payload=TableUsagePayload,
        enabled=False,
    ),
    EventType("table.usage.error", "usage could not be told", ERROR, payload=TableUsagePayload, enabled=False),
    *_short("data.getitem", "reading an item", Usage.READS),
    *_short("data.putitem", "writing an item", Usage.WRITES),
    *_short("data.updateitem", "changing an item", Usage.WRITES),
    *_short("data.deleteitem", "deleting an item", Usage.WRITES),
    *_long("data.query", "reading items of one key", usage=Usage.READS, payload=DataItemPayload),
    *_long("data.scan", "reading items of a whole table", usage=Usage.READS, payload=DataItemPayload),
)
"""Every type, in the specification's order."""
