"""The usage audit: an event ``SERVICE.table.usage`` for each table, and each index, that was active in a period.

Rules:

* Active is what a source has now, and what an event of the period names, be it deleted since: the latter has no size any more.
* The same period makes the same events under the same ids, whenever and however often it is told: a reader that knows ids, as
  every store here does, counts it once.
* A table that could not be read is ``SERVICE.table.usage.error`` with the reason in `message`.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

from nilometer.collect.usage.activity import Activity, Key
from nilometer.core.record import Event
from nilometer.core.table import ITEMS, SIZE, Quality, Table
from nilometer.core.wire import rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nilometer.collect.tables import Reading
    from nilometer.collect.usage.period import Period

NAMESPACE = uuid.UUID("0d3f2b8e-2f5c-5d57-9a43-8b1f5b0d9a6e")
"""What the ids of usage events are made within."""
GIGABYTE = 1 << 30
USAGE, ERROR = "table.usage", "table.usage.error"
PRIORITIES = {USAGE: "info", ERROR: "error"}
STATES = {"active": "active", "creating": "creating", "deleting": "deleting"}


class Audit(NamedTuple):
    """Whose usage is told, and by whom."""

    service: str
    publisher: str
    period: Period


def usage(audit: Audit, readings: Iterable[Reading], active: Mapping[Key, Activity]) -> Iterator[Event]:
    """Yield the events of a period. `active` is what its events say of tables of this service."""
    told: set[tuple[str, str]] = set()
    for reading in readings:
        for table in reading.tables:
            key = Key(audit.service, table.project, table.name)
            told.add((table.project, table.name))
            yield _event(audit, table, None if table.index else active.get(key))
        for fault in reading.faults:
            told.add((fault.project, fault.name))
            yield _wrong(audit, fault.project, fault.name, fault.reason)
        if reading.error:
            yield _wrong(audit, "", "", f"{reading.source}: {reading.error}")
    for key, known in active.items():
        if key.service == audit.service and (key.project, key.table) not in told:
            yield _event(audit, Table(key.project, key.table, status="" if not known.deleted else "not_exist"), known)


def _event(audit: Audit, table: Table, known: Activity | None) -> Event:
    payload: dict[str, Any] = {"tenant_id": table.project, "table_name": table.name}
    if table.index:
        payload["index_name"] = table.index
    if table.status:
        payload["state"] = STATES.get(table.status, table.status)
    size = table.figures.get(SIZE)
    if size is not None:
        payload |= {"disk_gb": size.value / GIGABYTE, "size_bytes": size.value}
        if size.quality is not Quality.EXACT:
            payload["quality"] = str(size.quality)
    if ITEMS in table.figures:
        payload["item_count"] = table.figures[ITEMS].value
    if known is not None:
        payload |= {**(known.told or {}), "reads": known.reads, "writes": known.writes}
    return _made(audit, USAGE, table, payload)


def _wrong(audit: Audit, project: str, table: str, reason: str) -> Event:
    payload = {name: value for name, value in (("tenant_id", project), ("table_name", table)) if value}
    return _made(audit, ERROR, Table(project, table), payload | {"message": reason})


def _made(audit: Audit, kind: str, table: Table, payload: dict[str, Any]) -> Event:
    beginning, ending = (rfc3339.encode(moment) for moment in audit.period)
    what = [audit.service, kind, beginning, ending, table.project, table.name, table.index]
    return Event(
        id=str(uuid.uuid5(NAMESPACE, json.dumps(what))),
        time=audit.period.end,
        type=f"{audit.service}.{kind}",
        publisher=audit.publisher,
        priority=PRIORITIES[kind],
        tenant=table.project,
        payload=payload | {"audit_period_beginning": beginning, "audit_period_ending": ending},
    )
