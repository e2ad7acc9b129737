"""Background tasks: a table is created and deleted after its request was answered, one at a time, on a thread of its own.

Each task is measured: its time and, when it fails, its time once more; and told of, when it begins and when it ends. What was
unfinished when the service ended is taken up again by `resume`.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from nilometer.core.event_types import State
from tableservice.storage.tables import ACTIVE, CREATE_FAILURE, CREATING, DELETE_FAILURE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tableservice.events import Events
    from tableservice.metrics import Metrics
    from tableservice.storage.tables import Described, Tables

LOG = logging.getLogger(__name__)


class Jobs:
    """The queue of tasks. `close` ends the one at work; the others are left for the next start."""

    def __init__(self, tables: Tables, metrics: Metrics, events: Events) -> None:
        self._tables, self._tasks, self._events = tables, metrics.tasks, events
        self._thread = ThreadPoolExecutor(1, "jobs")

    def resume(self) -> None:
        """Take up what an earlier process has left."""
        for table in self._tables.unfinished():
            (self.create if table.status == CREATING else self.delete)(table)

    def create(self, table: Described) -> None:
        """Create a table some time soon."""
        self._thread.submit(self._guarded, self._create, table, CREATE_FAILURE)

    def delete(self, table: Described) -> None:
        """Delete a table and its items some time soon."""
        self._thread.submit(self._guarded, self._delete, table, DELETE_FAILURE)

    def _guarded(self, task: Callable[[Described], None], table: Described, failure: str) -> None:
        """Do a task; when it fails, the table's state tells so."""
        try:
            task(table)
        except Exception:
            LOG.exception("%s: table %s of project %s", failure, table.name, table.project)
            self._tables.set_status(table.id, failure)

    def _create(self, table: Described) -> None:
        """Make the table usable. Rows of all tables share one, so there is little to do; a real storage has more."""
        with self._events.table("create", table, State.CREATING) as activity, self._tasks.measure("table_create"):
            self._tables.set_status(table.id, ACTIVE)
            activity.update(state=State.ACTIVE)

    def _delete(self, table: Described) -> None:
        size = self._tables.usage([table])[table.id].size
        with self._events.table("delete", table, State.DELETING, size) as activity, self._tasks.measure("table_delete"):
            self._tables.remove(table.id)
            activity.update(state=State.NOT_EXIST, disk_gb=0.0)

    def close(self) -> None:
        """Wait for the task at work."""
        self._thread.shutdown(wait=True, cancel_futures=True)
