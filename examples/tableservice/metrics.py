"""Everything that is measured here, and how it is named. The rest of the service asks this module only.

    requests          all, by endpoint, by project, by both          NODE.mdb.req.timing.put_item.acme
    background work   creating and deleting tables                   NODE.mdb.req.table_create_task.timing
    the database      statements, connections, the pool of them      NODE.mdb.sql.select.timing, NODE.mdb.sql.pool.used
    its own           what only this service knows                   NODE.mdb.items.written, NODE.mdb.tables.ACTIVE

Without a StatsD server nothing changes for the service: what is sent is lost, and nothing waits for it.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from nilometer import StatsD
from nilometer.emit.drivers import Poller, sqlalchemy
from nilometer.emit.drivers.sample import Sample
from nilometer.emit.requests.asgi import RequestMetrics
from nilometer.emit.requests.endpoints import tenant_parameter
from nilometer.emit.requests.options import GROUPS
from nilometer.emit.tasks import Tasks

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from starlette.types import ASGIApp

    from nilometer.emit.client import Timer
    from tableservice.settings import Settings
    from tableservice.storage.items import Change
    from tableservice.storage.tables import Tables

STATEMENTS = "mdb.sql.{metric}"
INTERVAL = 2.0
"""Seconds between two looks at what is not told by itself."""


class Metrics:
    """One client, and what sends through it."""

    def __init__(self, settings: Settings) -> None:
        self.node = settings.node or socket.gethostname().partition(".")[0]
        self.client = StatsD(settings.statsd, prefix=self.node)
        self.tasks = Tasks(self.client, timing="mdb.req.{task}_task.timing", error="mdb.req.{task}_task.timing.error")
        self._poller = Poller(self.client, seconds=INTERVAL)

    def around(self, app: ASGIApp) -> ASGIApp:
        """Return an application that measures another's requests; outermost, so that nothing is left out."""
        return RequestMetrics(app, client=self.client, host="", groups=GROUPS, tenant=tenant_parameter("project_id"))

    def watch(self, engine: Engine, tables: Tables) -> None:
        """Measure statements and connections; look now and then at the pool, and at how many tables there are."""
        sqlalchemy.statements(engine, self.client, name=STATEMENTS)
        self._poller.add(sqlalchemy.pool(engine, name=STATEMENTS))
        self._poller.add(lambda: [Sample("g", f"mdb.tables.{status}", number) for status, number in tables.count().items()])

    def counting(self) -> Timer:
        """Return a timer for what is dear: to count what tables hold."""
        return self.client.timer("mdb.usage.timing")

    def changed(self, change: Change) -> None:
        """Count what a write did."""
        if change.new is not None:
            self.client.incr("mdb.items.written")
        elif change.old is not None:
            self.client.incr("mdb.items.removed")

    def close(self) -> None:
        """Look a last time, and send what is left."""
        self._poller.read()
        self._poller.close()
        self.client.close()
