"""The records that wait for one sink: a queue in memory, and the spool that it moves to while the sink is away.

Rules:

* `put` never waits for the sink. The queue goes to the spool when it is full, and whenever `spill` says so. So what lies in
  the spool is always older than what lies in the queue.
* Only one thread takes records out, by `next` and `settle`; any thread may put and spill meanwhile.
* A record leaves only when it is settled: it may be written twice, none is skipped.
* When the spool's disk fails, the queue stays in memory; what exceeds it is dropped, oldest first, and counted.
* Without a spool, what exceeds the queue is dropped, oldest first, and counted.
* After `close`, whatever was not settled lies in the spool; without one it is lost, and counted.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

from nilometer.core.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.core.spool import SpoolOf

Record = TypeVar("Record")
LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Attempt(Generic[Record]):
    """A record that is being written; `number` is its place in the spool, None while it has none."""

    record: Record
    number: int | None


class Backlog(Generic[Record]):
    """Queue and spool of the sink `name`. Owns the spool: `close` closes it.

    `most`: records held in memory. `lost` is told of each that neither memory nor disk has room for. `what`: records in words.
    """

    def __init__(
        self, name: str, spool: SpoolOf[Record] | None, lost: Callable[[Record], None], most: int, what: str = "flushes"
    ) -> None:
        self.most = most
        self.closed = False
        self._name, self._spool, self._lost, self._what = name, spool, lost, what
        self._queue: deque[Record] = deque()
        self._attempt: Attempt[Record] | None = None
        self._shed_so_far = 0
        self._lock = Lock()  # guards what stands above; held for moments only, never over a disk or the sink
        self._spilling = Lock()  # one thread at a time moves the queue to the spool; taken before `_lock`
        self._spool_fault = ""  # guarded by `_spilling`

    @property
    def queued(self) -> int:
        """How many records the queue holds."""
        return len(self._queue)

    @property
    def spooled(self) -> int:
        """How many records the spool holds."""
        return 0 if self._spool is None else self._spool.items

    @property
    def spooled_bytes(self) -> int:
        """How many bytes the spool takes."""
        return 0 if self._spool is None else self._spool.stored_bytes

    @property
    def where(self) -> str:
        """Where records go while the sink is away, in words."""
        return "wait in memory" if self._spool is None else "go to its spool"

    @property
    def dropped(self) -> int:
        """How many records were dropped since the start, here and in the spool."""
        return self._shed_so_far + (0 if self._spool is None else self._spool.dropped)

    def put(self, record: Record) -> None:
        """Take a record over. Never raises and never waits for the sink."""
        with self._lock:
            self._queue.append(record)
            full = len(self._queue) > self.most or self.closed
        if full:
            self.spill()

    def next(self) -> Attempt[Record] | None:
        """Return the oldest record, None when there is none. It stays here until it is settled."""
        while not self.closed:
            if self.spooled:
                self.spill()
            found = None if self._spool is None else self._spool.first()
            with self._lock:
                if found is not None:
                    self._attempt = Attempt(found[1], found[0])
                elif self.spooled:
                    continue
                else:
                    self._attempt = Attempt(self._queue[0], None) if self._queue else None
                return self._attempt
        return None

    def settle(self, attempt: Attempt[Record]) -> None:
        """Take a record that is done with out of the queue or the spool."""
        with self._lock:
            self._attempt = None
            if attempt.number is not None and self._spool is not None:
                self._spool.remove(attempt.number)
            elif self._queue and self._queue[0] is attempt.record:
                self._queue.popleft()

    def spill(self) -> None:
        """Move the queue to the spool, oldest first; what the disk does not take stays, as far as the queue is long."""
        if self._spool is None:
            self._shed()
            return
        with self._spilling:
            try:
                while (record := self._head()) is not None:
                    self._moved(record, self._spool.append(record))
                    self._spool_fault = ""
            except StoreError as error:
                self._tell_spool_fault(str(error))
                self._shed()

    def close(self) -> None:
        """Move the queue to the spool and close that. What the disk does not take is lost, counted and told."""
        with self._lock:
            self.closed = True
            before = self._shed_so_far
        self.spill()
        if self._shed_so_far > before:
            LOG.error("%s: %d %s could not be kept and are lost", self._name, self._shed_so_far - before, self._what)
        if self._spool is not None:
            self._spool.close()

    def abandon(self) -> None:
        """Leave the spool to the parent, in a forked child."""
        if self._spool is not None:
            self._spool.abandon()

    def _tell_spool_fault(self, reason: str) -> None:
        """Log why the spool takes nothing, once until that changes: the counters say how much is lost."""
        if reason != self._spool_fault:
            LOG.warning("%s: %s", self._name, reason)
        self._spool_fault = reason

    def _shed(self) -> None:
        """Drop what does not fit into memory either."""
        with self._lock:
            room = 0 if self.closed else self.most
            while len(self._queue) > room:
                self._shed_so_far += 1
                self._lost(self._queue.popleft())

    def _head(self) -> Record | None:
        with self._lock:
            return self._queue[0] if self._queue else None

    def _moved(self, record: Record, number: int | None) -> None:
        """Note that a record now lies in the spool, unless the sink took it in that moment."""
        with self._lock:
            if self._queue and self._queue[0] is record:
                self._queue.popleft()
                if self._attempt is not None and self._attempt.record is record:
                    self._attempt.number = number
            elif number is not None and self._spool is not None:
                self._spool.remove(number)
