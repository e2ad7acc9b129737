"""The pipe of events or spans to one sink: a bounded queue in memory, a thread that writes it in batches, a spool if wanted.

Rules:

* `put` takes no lock and touches no disk, so it never waits: not for the sink, not for the spool. It may be called in a
  signal's handler. Records beyond `most` are dropped, oldest first, and counted.
* With a spool, records go to disk while the sink is away; while it hangs in a write, as soon as half of the queue is full.
  What lies there goes first, after a restart too. Without one, what waits at the end is lost, and counted.
* Everything else is as in every pipe (`pipe`): one attempt at a time, in order, again after a delay that grows.
* Of a batch that a sink refuses for good, each record is tried alone: only those that it refuses again are lost, and counted.
"""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections import deque
from threading import Event as Signal
from threading import RLock, Thread
from typing import TYPE_CHECKING, TypeVar

from nilometer.core.backlog import Backlog
from nilometer.core.clock import SYSTEM
from nilometer.core.errors import Rejected, StoreError
from nilometer.core.pipe import PipeOptions, Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from nilometer.core.backlog import Attempt
    from nilometer.core.capability import Backend
    from nilometer.core.clock import Clock
    from nilometer.core.losses import Losses
    from nilometer.core.spool import SpoolOf

Item = TypeVar("Item")
LOG = logging.getLogger(__name__)
MOST = 10_000
BATCH = 500
FIRST, LONGEST = 0.5, 30.0
"""Bounds of the delay between attempts, in seconds."""
TOGETHER = 0.1
"""For how many seconds events are gathered for one file, while the sink is away."""


class BatchBacklog(Backlog[tuple[Item, ...]]):
    """Records that came in, `inbox`, then batches of them, in memory or in the spool. `most` is how many the inbox holds.

    `stage` is that of the losses, `nouns` what the records are called.
    """

    def __init__(self, name: str, losses: Losses, most: int, stage: str, nouns: str) -> None:
        super().__init__(name, None, self._lose, 1, f"batches of {nouns}")
        self.inbox: deque[Item] = deque()
        self._room, self._losses, self._stage = most, losses, stage
        self._collecting = RLock()  # one at a time makes batches; taken before the locks of a backlog

    @property
    def idle(self) -> bool:
        """Whether nothing waits, nor is being written."""
        return not (self.inbox or self.queued or self.spooled)

    @property
    def held(self) -> int:
        """How many records lie in memory alone: neither the sink nor the disk has them. Waits while some go to the disk."""
        with self._collecting, self._lock:
            return len(self.inbox) + sum(map(len, self._queue))

    @property
    def kept(self) -> bool:
        """Whether there is a spool."""
        return self._spool is not None

    def keep(self, spool: SpoolOf[tuple[Item, ...]]) -> None:
        """Use a spool from now on."""
        self._spool = spool

    def take(self, items: Iterable[Item]) -> None:
        """Take records in; takes no lock."""
        self.inbox.extend(items)
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
        self._count("sink", dropped)

    def _count(self, reason: str, number: int) -> None:
        self._losses.count(self._stage, reason, number)

    def next(self) -> Attempt[tuple[Item, ...]] | None:
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
            batch: list[Item] = []
            while len(batch) < BATCH:
                try:
                    batch.append(self.inbox.popleft())
                except IndexError:
                    break
            if batch:
                with self._lock:
                    self._queue.append(tuple(batch))
            return bool(batch)

    def _lose(self, batch: tuple[Item, ...]) -> None:
        if self.kept:
            self._count("disk", len(batch))
        else:
            self._count("sink", len(batch))


class BatchWorker(Worker[tuple[Item, ...]]):
    """Writes records to one sink, in order. Owns the sink, and the spool that `spool`, called in the thread, opens.

    `most`: records held in memory.
    """

    stage = "event"
    """That of the losses."""

    def __init__(  # noqa: PLR0913 the parts of a pipe
        self,
        name: str,
        sink: Backend,
        losses: Losses,
        clock: Clock = SYSTEM,
        *,
        spool: Callable[[], SpoolOf[tuple[Item, ...]]] | None = None,
        most: int = MOST,
    ) -> None:
        self._batches: BatchBacklog[Item] = BatchBacklog(name, losses, most, self.stage, self.noun)
        self._half = max(most // 2, 1)
        super().__init__(name, sink, self._batches, losses, options=PipeOptions(first=FIRST, most=LONGEST), clock=clock)
        self._spool = spool
        self._stopping, self._full = Signal(), Signal()
        try:
            self.start()
        except RuntimeError:  # the interpreter ends: what comes now goes out when this is closed
            LOG.debug("%s: no thread can be started any more", name)

    @abstractmethod
    def _store(self, items: Sequence[Item]) -> None:
        """Have the sink write records. Raise `Unavailable`, `Rejected`."""

    @abstractmethod
    def _told(self, item: Item) -> str:
        """Return what the log says of a record that is refused."""

    def put(self, items: Iterable[Item]) -> None:
        """Take records over. Never raises and never waits."""
        self._batches.take(items)
        if self._batches.kept and len(self._batches.inbox) >= self._half and not self._full.is_set():
            self._full.set()
        if not self._wake.is_set():
            self._wake.set()

    @property
    def held(self) -> int:
        """How many records neither the sink nor the disk has."""
        return self._batches.held

    @property
    def idle(self) -> bool:
        """Whether the sink has taken everything."""
        return self._batches.idle

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
        self._batches.abandon()

    def _begin(self) -> None:
        if self._spool is None:
            return
        try:
            self._batches.keep(self._spool())
        except StoreError as error:
            LOG.warning("%s: %s wait in memory only: %s", self.name, self.noun, error)
        else:
            Thread(target=self._keep, name=f"spool {self.name}", daemon=True).start()

    def _keep(self) -> None:
        """Move records to the spool when the queue fills up, whatever the sink is doing."""
        while not self._stopping.is_set():
            self._full.wait()
            self._full.clear()
            if not self._stopping.is_set():
                self._batches.spill()

    def _linger(self) -> None:
        self._clock.wait(self._stopping, TOGETHER)

    def _deliver(self, record: tuple[Item, ...]) -> None:
        try:
            self._store(record)
        except Rejected:
            if len(record) == 1:
                raise
            self._one_by_one(record)

    def _one_by_one(self, batch: tuple[Item, ...]) -> None:
        """Write each record of a batch alone, so that one that is refused takes no other with it."""
        refused: list[tuple[Item, Rejected]] = []
        for item in batch:
            try:
                self._store((item,))
            except Rejected as error:
                refused.append((item, error))
        for item, reason in refused:
            self._refused_for_good((item,), reason)

    def _refused_for_good(self, record: tuple[Item, ...], error: Rejected) -> None:
        LOG.error("%s: refused %.200s, which is lost: %s", self.name, self._told(record[0]), error)
        self._count("rejected", len(record))

    def _count(self, reason: str, number: int) -> None:
        self._losses.count(self.stage, reason, number)

    def _weight(self, record: tuple[Item, ...]) -> int:
        return len(record)
