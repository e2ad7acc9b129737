"""The flushes that wait for one sink: a queue in memory, and the spool that it moves to while the sink is away.

Rules:

* `put` never waits for the sink. The queue goes to the spool when it is full, and whenever `spill` says so. So what lies in
  the spool is always older than what lies in the queue.
* Only one thread takes flushes out, by `next` and `settle`; any thread may put and spill meanwhile.
* A flush leaves only when it is settled: it may be written twice, none is skipped.
* When the spool's disk fails, the queue stays in memory; what exceeds it is dropped, oldest first, and counted.
* After `close`, whatever was not settled lies in the spool.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from nilometer.core.errors import StoreError

if TYPE_CHECKING:
    from nilometer.core.losses import Losses
    from nilometer.core.record import Flush
    from nilometer.core.spool import Spool

LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Attempt:
    """A flush that is being written; `number` is its place in the spool, None while it has none."""

    flush: Flush
    number: int | None


class Backlog:
    """Queue and spool of the sink `name`. `most`: flushes held in memory. Owns the spool: `close` closes it."""

    def __init__(self, name: str, spool: Spool, losses: Losses, most: int) -> None:
        self.most = most
        self.closed = False
        self._name, self._spool, self._losses = name, spool, losses
        self._queue: deque[Flush] = deque()
        self._attempt: Attempt | None = None
        self._shed_so_far = 0
        self._lock = Lock()  # guards what stands above; held for moments only, never over a disk or the sink
        self._spilling = Lock()  # one thread at a time moves the queue to the spool; taken before `_lock`
        self._spool_fault = ""  # guarded by `_spilling`

    @property
    def queued(self) -> int:
        """How many flushes the queue holds."""
        return len(self._queue)

    @property
    def spooled(self) -> int:
        """How many flushes the spool holds."""
        return self._spool.items

    @property
    def spooled_bytes(self) -> int:
        """How many bytes the spool takes."""
        return self._spool.stored_bytes

    @property
    def dropped(self) -> int:
        """How many flushes were dropped since the start, here and in the spool."""
        return self._shed_so_far + self._spool.dropped

    def put(self, flush: Flush) -> None:
        """Take a flush over. Never raises and never waits for the sink."""
        with self._lock:
            self._queue.append(flush)
            full = len(self._queue) > self.most or self.closed
        if full:
            self.spill()

    def next(self) -> Attempt | None:
        """Return the oldest flush, None when there is none. It stays here until it is settled."""
        while not self.closed:
            if self._spool.items:
                self.spill()
            found = self._spool.first()
            with self._lock:
                if found is not None:
                    self._attempt = Attempt(found[1], found[0])
                elif self._spool.items:
                    continue
                else:
                    self._attempt = Attempt(self._queue[0], None) if self._queue else None
                return self._attempt
        return None

    def settle(self, attempt: Attempt) -> None:
        """Take a flush that is done with out of the queue or the spool."""
        with self._lock:
            self._attempt = None
            if attempt.number is not None:
                self._spool.remove(attempt.number)
            elif self._queue and self._queue[0] is attempt.flush:
                self._queue.popleft()

    def spill(self) -> None:
        """Move the queue to the spool, oldest first; what the disk does not take stays, as far as the queue is long."""
        with self._spilling:
            try:
                while (flush := self._head()) is not None:
                    self._moved(flush, self._spool.append(flush))
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
            LOG.error("%s: %d flushes could not be kept and are lost", self._name, self._shed_so_far - before)
        self._spool.close()

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
                self._queue.popleft()
                self._shed_so_far += 1
                self._losses.count("spool", "disk")

    def _head(self) -> Flush | None:
        with self._lock:
            return self._queue[0] if self._queue else None

    def _moved(self, flush: Flush, number: int | None) -> None:
        """Note that a flush now lies in the spool, unless the sink took it in that moment."""
        with self._lock:
            if self._queue and self._queue[0] is flush:
                self._queue.popleft()
                if self._attempt is not None and self._attempt.flush is flush:
                    self._attempt.number = number
            elif number is not None:
                self._spool.remove(number)
