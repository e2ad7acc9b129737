"""One driver of a notifier: a URL, what it accepts, and the pipe to it.

Rules:

* A wrong URL raises when the driver is made. Nothing connects, no thread runs and no disk is touched before the first event,
  unless an earlier process left something in the spool.
* Everything else is the pipe's (`core.events`): `put` never waits. A sink that never waits itself has no pipe.
* A forked child begins anew: its own sink, queue, thread and spool. What waits in the parent is the parent's to deliver.
"""

from __future__ import annotations

import logging
import zlib
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

from nilometer.core.capability import InstantSink, TypedSink
from nilometer.core.events import EVENTS, EventSpool, EventWorker
from nilometer.core.losses import Losses
from nilometer.core.spool_slots import open_slot
from nilometer.emit import lifetime
from nilometer.emit.notifier.losses import SINK
from nilometer.emit.notifier.options import read
from nilometer.emit.notifier.routing import Rule

if TYPE_CHECKING:
    from nilometer.core.capability import EventSink
    from nilometer.core.event_types import Registry
    from nilometer.core.record import Event

LOG = logging.getLogger(__name__)
_inherited: list[object] = []
"""What a forked child got from its parent: kept, so that nothing of it is closed on the parent's connections."""


class Driver:
    """A sink of events behind a queue. Raises `UrlError` for a wrong URL, `MissingDriver` where a package is missing."""

    def __init__(self, text: str, types: Registry, spool: str) -> None:
        found = read(text, spool)
        self.url, self._options, self._types = found.url, found.options, types
        self.name = self._options.driver or self.url.scheme
        self.rule = Rule(found.accept or None, found.priorities or None)
        self._losses = Losses()
        self._lock = RLock()  # while the pipe is made
        self._worker: EventWorker | None = None
        self._sink: EventSink | None = self._opened()
        self._instant = isinstance(self._sink, InstantSink) and self._sink.instant
        lifetime.follow(self)
        if self._left():
            self._begin()

    def put(self, event: Event) -> None:
        """Take an event over. Never waits."""
        if self._instant and self._sink is not None:
            self._sink.write_events((event,))
        else:
            (self._worker or self._begin()).put((event,))

    @property
    def idle(self) -> bool:
        """Whether all that came was delivered."""
        return self._worker is None or self._worker.idle

    def losses(self) -> dict[str, int]:
        """Return how many events were lost, by reason."""
        totals = self._losses.totals()
        found = {name: totals["event", reason] for reason, name in SINK.items()}
        found["rejected"] += totals["sink", "refused"]
        return found

    def close(self, deadline: float) -> None:
        """Deliver what can be delivered within so many seconds, keep the rest in the spool, and hang up."""
        with self._lock:
            if self._worker is not None:
                self._worker.close(deadline)
            elif self._sink is not None:
                self._sink.close()

    def forked(self) -> None:
        """Begin anew in a child."""
        if self._worker is not None:
            self._worker.abandon()
        if not self._instant:
            _inherited.extend((self._worker, self._sink))
            self._worker = self._sink = None
        self._losses, self._lock = Losses(), RLock()

    def _opened(self) -> EventSink:
        from nilometer.backends import registry  # noqa: PLC0415 an application that only imports us loads no backend

        sink = registry.open(self.url, registry.EVENTS)
        if isinstance(sink, TypedSink):
            sink.use(self._types)
        return sink

    def _begin(self) -> EventWorker:
        with self._lock:
            if self._worker is None:
                lifetime.end_with_multiprocessing(self)
                spool = self._spooled if self._options.spool else None
                sink, self._sink = self._sink or self._opened(), None
                name = str(self.url).partition("?")[0]
                worker = EventWorker(name, sink, self._losses, spool=spool, most=self._options.hold)
                if self._worker is None:
                    self._worker = worker
                else:  # a signal's handler emitted meanwhile, and made one
                    worker.close(0.0)
            return self._worker

    @property
    def _directory(self) -> Path:
        """Where this driver's spools lie: named for where the URL leads, not for its options."""
        where = f"{self.url.scheme}://{self.url.user or ''}@{','.join(map(str, self.url.hosts))}{self.url.path} {self.name}"
        return Path(self._options.spool) / f"{self.name}-{zlib.crc32(where.encode()):08x}"

    def _spooled(self) -> EventSpool:
        size, age = self._options.spool_size, self._options.spool_age
        losses = self._losses
        return open_slot(self._directory, lambda path: EventSpool(path, EVENTS, size=size, age=age, losses=losses))

    def _left(self) -> bool:
        """Return whether an earlier process left events."""
        try:
            return bool(self._options.spool) and any(self._directory.glob(f"*/*.{EVENTS.suffix}"))
        except OSError:
            return False
