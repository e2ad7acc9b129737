"""The usage audit within a server: by itself, when each period is over.

Rules:

* It is off unless the settings name a period. Its events go to the server's own store, and to each URL of ``usage.to``.
* The last period that is over is told, at the start, too: one that was told before has the same ids, and is kept once.
* While a source is away its tables are asked for again, until the next period is over; what was told is not told twice.
* What cannot be read is an event, too, and a problem in words as long as it lasts.
"""

from __future__ import annotations

import logging
import socket
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from nilometer.backends import registry
from nilometer.cli.collecting import opening
from nilometer.collect.schedule import SHARE, Periodic, Timing
from nilometer.collect.tables import Bounds
from nilometer.collect.usage import period as periods
from nilometer.collect.usage.activity import activity
from nilometer.collect.usage.audit import Audit, usage
from nilometer.core.errors import NilometerError
from nilometer.core.event_types import EVERY, Registry
from nilometer.core.events import EventWorker
from nilometer.core.wire import rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event as Signal

    from nilometer.collect.usage.activity import Activity, Key
    from nilometer.core.losses import Losses
    from nilometer.core.record import Event
    from nilometer.core.settings import Settings
    from nilometer.core.url import Url

LOG = logging.getLogger(__name__)
OFF = "off"
LOOK, LATER, LONGEST = 30.0, 60.0, 600.0
"""Seconds between two looks whether a period is over; from its end until it is told, for what was on its way; and that
reading the sources may take."""


class Auditing:
    """The audit of one server. `put` takes events for its own store, whose URL `store` returns."""

    def __init__(self, put: Callable[[Sequence[Event]], None], store: Callable[[], Url | None], losses: Losses) -> None:
        self._put, self._store, self._losses = put, store, losses
        self._running: Periodic | None = None
        self._cleanup = ExitStack()
        self._using: object = None
        self._telling: periods.Period | None = None
        self._ids: set[str] = set()
        self._over = False
        self._wrong: list[str] = []

    def change(self, settings: Settings, deadline: float) -> None:
        """Tell usage as the settings say from now on. Raise `ConfigError` for a wrong URL; then the old ones go on."""
        using = settings.usage, settings.tables.sources
        if using == self._using:
            return
        if settings.usage.period == OFF:
            self.stop(deadline)
        else:
            with ExitStack() as opened:
                run = self._prepared(settings, opened)
                self.stop(deadline)
                self._cleanup = opened.pop_all()
            self._running = Periodic("usage audit", run, Timing(LOOK))
            self._running.start()
        self._using = using

    def _prepared(self, settings: Settings, opened: ExitStack) -> Callable[[Signal], None]:
        own, seconds = settings.usage, settings.stop.deadline
        workers = []
        for url in own.to:
            worker = EventWorker(str(url), registry.open(url, registry.EVENTS), self._losses)
            opened.callback(worker.close, seconds)
            workers.append(worker)
        bounds = Bounds(settings.tables.at_once, min(LONGEST, periods.LENGTHS[own.period] * SHARE), settings.tables.most)
        reader = opening.reader(settings.tables.sources, bounds)
        opened.callback(reader.close)
        publisher = f"{own.service}.{socket.gethostname()}"

        def run(stop: Signal) -> None:
            period = periods.last(own.period, time.time() - LATER)
            if period != self._telling:
                self._telling, self._ids, self._over = period, set(), False
            if self._over:
                return
            readings = reader.run(stop)
            if stop.is_set():
                return
            made = usage(Audit(own.service, publisher, period), readings, self._activity(period))
            told = [event for event in made if event.id not in self._ids]
            self._ids.update(event.id for event in told)
            self._over = not any(reading.error for reading in readings)
            self._wrong = [f"usage audit: {reading.source}: {reading.error}" for reading in readings if reading.error]
            self._put(told)
            for worker in workers:
                worker.put(told)
            LOG.info("usage audit: %d events of the %s that began at %s", len(told), own.period, rfc3339.encode(period.start))

        return run

    def _activity(self, period: periods.Period) -> dict[Key, Activity]:
        url = self._store()
        if url is None:
            return {}
        try:
            store = registry.open(url, registry.EVENT_STORE)
            try:
                return activity(store, period, Registry(EVERY))
            finally:
                store.close()
        except NilometerError as error:
            LOG.warning("usage audit: what events say cannot be read: %s", error)
            return {}

    def problems(self) -> list[str]:
        """Return what is wrong now, in words."""
        return list(self._wrong)

    def stop(self, deadline: float) -> None:
        """Tell no more; a run that goes on may take `deadline` seconds to end."""
        running, self._running, self._using = self._running, None, None
        if running is not None:
            running.stop(deadline)
        self._cleanup.close()
        self._wrong = []
