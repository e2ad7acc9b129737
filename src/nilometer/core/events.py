"""The pipe of events to one sink: a bounded queue in memory, a thread that writes it in batches, and a spool where it has one.

Rules:

* `put` takes no lock and touches no disk, so it never waits: not for the sink, not for the spool. It may be called in a
  signal's handler. Events beyond `most` are dropped, oldest first, and counted.
* With a spool, events go to disk while the sink is away; while it hangs in a write, as soon as half of the queue is full.
  What lies there goes first, after a restart too. Without one, what waits at the end is lost, and counted.
* Everything else is as in every pipe (`pipe`): one attempt at a time, in order, again after a delay that grows.
* Of a batch that a sink refuses for good, each event is tried alone: only those that it refuses again are lost, and counted.
"""

from __future__ import annotations

import logging
from collections import deque
from threading import Event as Signal
from threading import RLock, Thread
from typing import TYPE_CHECKING

from nilometer.core.backlog import Backlog
from nilometer.core.clock import SYSTEM
from nilometer.core.errors import Rejected, StoreError
from nilometer.core.pipe import PipeOptions, Worker
from nilometer.core.record import Event
from nilometer.core.spool import Codec, SpoolOf
from nilometer.core.wire import event_batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nilometer.core.backlog import Attempt
    from nilometer.core.capability import EventSink
    from nilometer.core.clock import Clock
    from nilometer.core.losses import Losses

LOG = logging.getLogger(__name__)
MOST = 10_000
BATCH = 500
FIRST, LONGEST = 0.5, 30.0
"""Bounds of the delay between attempts, in seconds."""
TOGETHER = 0.1
"""For how many seconds events are gathered for one file, while the sink is away."""

Batch = tuple[Event, ...]
EventSpool = SpoolOf[Batch]
EVENTS: Codec[Batch] = Codec("batch of events", "events", "event", event_batch.encode, event_batch.decode, len)
"""How batches lie in a spool."""


class EventBacklog(Backlog[Batch]):
    """Events that came in, `inbox`, then batches of them, in memory or in the spool. `most` is how many the inbox holds."""

    def __init__(self, name: str, losses: Losses, most: int) -> None:
        super().__init__(name, None, self._lose, 1, "batches of events")
        self.inbox: deque[Event] = deque()
        self._room, self._losses = most, losses
        self._collecting = RLock()  # one at a time makes batches; taken before the locks of a backlog

    @property
    def idle(self) -> bool:
        """Whether nothing waits, nor is being written."""
        return not (self.inbox or self.queued or self.spooled)

    @property
    def kept(self) -> bool:
        """Whether there is a spool."""
        return self._spool is not None

    def keep(self, spool: EventSpool) -> None:
        """Use a spool from now on."""
        self._spool = spool

    def take(self, events: Iterable[Event]) -> None:
        """Take events in; takes no lock."""
        self.inbox.extend(events)
        if len(self.inbox) > self._room:
            self._bound()

    def _bound(self) -> None:
        dropped = 0
        while len(self.inbox) > self._room:
            try:
                self.inbox.popleft()
            except IndexError:
                break
            dropped += 1
        self._losses.count("event", "sink", dropped)

    def next(self) -> Attempt[Batch] | None:
        """Return the oldest batch, made of what came in when nothing older waits."""
        found = super().next()
        return super().next() if found is None and not self.closed and self._collect() else found

    def spill(self) -> None:
        """Move all that waits to the spool; what the disk does not take stays in the inbox."""
        with self._collecting:
            super().spill()
            while not self.queued and self._collect():
                super().spill()

    def _collect(self) -> bool:
        """Make one batch of what came in. Return whether there was anything."""
        with self._collecting:
            batch: list[Event] = []
            while len(batch) < BATCH:
                try:
                    batch.append(self.inbox.popleft())
                except IndexError:
                    break
            if batch:
                with self._lock:
                    self._queue.append(tuple(batch))
            return bool(batch)

    def _lose(self, batch: Batch) -> None:
        if self.kept:
            self._losses.count("event", "disk", len(batch))
        else:
            self._losses.count("event", "sink", len(batch))


class EventWorker(Worker[Batch]):
    """Writes events to one sink, in order. Owns the sink, and the spool that `spool`, called in the thread, opens.

    `most`: events held in memory.
    """

    noun = "events"

    def __init__(  # noqa: PLR0913 the parts of a pipe
        self,
        name: str,
        sink: EventSink,
        losses: Losses,
        clock: Clock = SYSTEM,
        *,
        spool: Callable[[], EventSpool] | None = None,
        most: int = MOST,
    ) -> None:
        self._events, self._half = EventBacklog(name, losses, most), max(most // 2, 1)
        super().__init__(name, sink, self._events, losses, options=PipeOptions(first=FIRST, most=LONGEST), clock=clock)
        self._event_sink, self._spool = sink, spool
        self._stopping, self._full = Signal(), Signal()
        try:
            self.start()
        except RuntimeError:  # the interpreter ends: what comes now goes out when this is closed
            LOG.debug("%s: no thread can be started any more", name)

    def put(self, events: Iterable[Event]) -> None:
        """Take events over. Never raises and never waits."""
        self._events.take(events)
        if self._events.kept and len(self._events.inbox) >= self._half and not self._full.is_set():
            self._full.set()
        if not self._wake.is_set():
            self._wake.set()

    @property
    def idle(self) -> bool:
        """Whether the sink has taken everything."""
        return self._events.idle

    def close(self, deadline_seconds: float) -> bool:
        """Write what can be written within the deadline; the rest stays in the spool, or is lost. Return whether it ended."""
        self._stopping.set()
        self._full.set()
        if self._thread.ident is None:
            self._stop_at = self._clock.monotonic() + deadline_seconds
            self._run()
        return super().close(deadline_seconds)

    def abandon(self) -> None:
        """Leave everything to the parent, in a forked child, where the thread is gone."""
        self._events.abandon()

    def _begin(self) -> None:
        if self._spool is None:
            return
        try:
            self._events.keep(self._spool())
        except StoreError as error:
            LOG.warning("%s: events wait in memory only: %s", self.name, error)
        else:
            Thread(target=self._keep, name=f"spool {self.name}", daemon=True).start()

    def _keep(self) -> None:
        """Move events to the spool when the queue fills up, whatever the sink is doing."""
        while not self._stopping.is_set():
            self._full.wait()
            self._full.clear()
            if not self._stopping.is_set():
                self._events.spill()

    def _linger(self) -> None:
        self._clock.wait(self._stopping, TOGETHER)

    def _deliver(self, record: Batch) -> None:
        try:
            self._event_sink.write_events(record)
        except Rejected:
            if len(record) == 1:
                raise
            self._one_by_one(record)

    def _one_by_one(self, batch: Batch) -> None:
        """Write each event of a batch alone, so that one that is refused takes no other with it."""
        refused: list[tuple[Event, Rejected]] = []
        for event in batch:
            try:
                self._event_sink.write_events((event,))
            except Rejected as error:
                refused.append((event, error))
        for event, reason in refused:
            self._refused_for_good((event,), reason)

    def _refused_for_good(self, record: Batch, error: Rejected) -> None:
        LOG.error("%s: refused an event of the type %.200s, which is lost: %s", self.name, record[0].type, error)
        self._losses.count("event", "rejected", len(record))

    def _weight(self, record: Batch) -> int:
        return len(record)
