"""The parts of the service, put together from its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tableservice import weather
from tableservice.events import Events
from tableservice.jobs import Jobs
from tableservice.metrics import Metrics
from tableservice.settings import Settings
from tableservice.storage.database import Database
from tableservice.storage.items import Items
from tableservice.storage.reading import Reading
from tableservice.storage.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tableservice.storage.tables import Described, Usage


class Service:
    """Storage, background tasks, metrics, events. `begin` sets it to work, `close` ends what runs."""

    def __init__(self, settings: Settings) -> None:
        self.metrics = Metrics(settings)
        self.events = Events(settings)
        self.database = Database(settings.database)
        self.tables = Tables(self.database)
        self.items = Items(self.database)
        self.reading = Reading(self.database)
        self.jobs = Jobs(self.tables, self.metrics, self.events)
        self.metrics.watch(self.database.engine, self.tables)
        self._weather = settings.weather

    def begin(self) -> None:
        """Take up what an earlier process has left; bad weather sets in after that, so that a start never fails by it."""
        self.jobs.resume()
        if self._weather:
            weather.install(self.database.engine)

    def usage(self, tables: Sequence[Described]) -> dict[str, Usage]:
        """Return what tables hold, by their ids."""
        with self.metrics.counting():
            return self.tables.usage(tables)

    def close(self) -> None:
        """Finish the task at work, send the last events and metrics, close the connections."""
        self.jobs.close()
        self.events.close()
        self.metrics.close()
        self.database.close()
