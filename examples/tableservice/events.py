"""The usage events of the service, as MagnetoDB's specification of notifications lists them. Who emits asks this module only.

    creating and deleting a table   magnetodb.table.create.start, then .end or .error; the same with delete
    one item                        magnetodb.data.getitem, putitem, updateitem, deleteitem; .error where that failed
    many items                      magnetodb.data.query.start, then .end or .error; the same with scan

``--events`` says where they go; without it nowhere.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from nilometer import Notifier
from nilometer.core.event_types import DataItemPayload, State, TablePayload

if TYPE_CHECKING:
    from nilometer.emit.notifier import Activity
    from tableservice.settings import Settings
    from tableservice.storage.tables import Described

SERVICE = "magnetodb"
CONSISTENCY = "STRONG"
"""Every read sees what was written before."""
GIGABYTE = 1 << 30


class Events:
    """One notifier, and what is emitted through it."""

    def __init__(self, settings: Settings) -> None:
        urls = settings.events.split() or ["null:"]
        self._notifier = Notifier(*urls, publisher=f"{SERVICE}.{settings.node}" if settings.node else SERVICE)

    def table(self, what: str, table: Described, state: State, size: int = 0) -> Activity:
        """Return the activity of creating or deleting a table, which is in a state when it begins and takes so many bytes."""
        schema = json.dumps(table.schema.to_json())
        payload = TablePayload(table_name=table.name, table_schema=schema, state=state, disk_gb=size / GIGABYTE)
        return self._notifier.activity(f"table.{what}", payload, tenant=table.project)

    def item(self, what: str, project: str, table: str) -> Activity:
        """Return the activity of reading or writing one item: ``getitem`` and its like. Who does it tells if there was one."""
        return self._notifier.activity(f"data.{what}", _items(table), short=True, tenant=project)

    def items(self, what: str, project: str, table: str) -> Activity:
        """Return the activity of a query or a scan. Who reads tells how many items it looked at."""
        return self._notifier.activity(f"data.{what}", _items(table), tenant=project)

    def close(self) -> None:
        """Deliver what waits."""
        self._notifier.close()


def _items(table: str) -> DataItemPayload:
    return DataItemPayload(table_name=table, consistency_level=CONSISTENCY)
