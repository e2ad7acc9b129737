"""The pipe to one sink: a thread that writes flushes, and a queue that goes to disk while the sink is away.

Rules:

* `put` never waits for the sink. A small queue is held in memory; it goes to the spool when it is full, when a write fails,
  and while the spool holds anything. So what lies in the spool is always older than what lies in the queue.
* The oldest flush is written first, one attempt at a time. It leaves the queue or the spool only after the sink took it
  (or refused it for good, which is counted), so a flush may be written twice, and sinks are idempotent; none is skipped.
* `Unavailable`, and whatever a sink should not raise, means: the same flush again, after a delay that grows.
* After `close`, whatever was not confirmed lies in the spool, even if a write hangs for ever.
* When the spool's disk fails, the queue stays in memory; what exceeds it is dropped, oldest first, and counted.
"""

from __future__ import annotations

import logging
import random
from collections import deque
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from nilometer.core.backoff import Backoff
from nilometer.core.clock import SYSTEM
from nilometer.core.errors import Rejected, StoreError, Unavailable
from nilometer.core.priority import step_back

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.core.capability import MetricSink
    from nilometer.core.clock import Clock
    from nilometer.core.losses import Losses
    from nilometer.core.record import Flush
    from nilometer.core.spool import Spool

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PipeOptions:
    """`queue`: flushes held in memory. `first` and `most`: bounds of the delay between attempts, in seconds."""

    queue: int = 4
    first: float = 1.0
    most: float = 60.0


@dataclass(frozen=True, slots=True)
class Status:
    """How a sink is doing, since the start.

    `last_success` and `last_error_time` are seconds since the epoch, None if never; `last_error` is empty after a success.
    `retry_in` is the seconds until the next attempt, None while none is planned. `dropped` counts flushes.
    """

    name: str
    last_success: float | None
    last_error: str
    last_error_time: float | None
    retry_in: float | None
    queued: int
    spool_items: int
    spool_bytes: int
    written: int
    written_series: int
    dropped: int


@dataclass(slots=True)
class _Attempt:
    """A flush that is being written; `number` is its place in the spool, None while it has none."""

    flush: Flush
    number: int | None


@dataclass(slots=True)
class _Record:
    """What `Status` tells, as it changes."""

    last_success: float | None = None
    last_error: str = ""
    last_error_time: float | None = None
    retry_at: float | None = None
    written: int = 0
    written_series: int = 0
    dropped: int = 0


class SinkWorker:
    """Writes flushes to one sink, in order. Owns the sink and the spool: `close` closes both."""

    def __init__(  # noqa: PLR0913 the parts of a pipe, each replaced in tests
        self,
        name: str,
        sink: MetricSink,
        spool: Spool,
        losses: Losses,
        *,
        options: PipeOptions | None = None,
        clock: Clock = SYSTEM,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self._sink = sink
        self._spool = spool
        self._losses = losses
        self._options = options or PipeOptions()
        self._clock = clock
        self._draw = draw
        self._backoff = Backoff(self._options.first, self._options.most, draw)
        self._queue: deque[Flush] = deque()
        self._attempt: _Attempt | None = None
        self._record = _Record()
        self._spool_fault = ""  # guarded by `_spilling`
        self._lock = Lock()  # guards what stands above; held for moments only, never over a disk or the sink
        self._spilling = Lock()  # one thread at a time moves the queue to the spool; taken before `_lock`
        self._wake = Event()
        self._ended = Event()
        self._stop_at: float | None = None
        self._closed = False
        self._thread = Thread(target=self._run, name=f"sink {name}", daemon=True)

    def start(self) -> None:
        """Begin to write, with what an earlier process left in the spool."""
        self._thread.start()

    def configure(self, options: PipeOptions) -> None:
        """Use other options from the next failure on."""
        self._options = options
        self._backoff = Backoff(options.first, options.most, self._draw)

    def put(self, flush: Flush) -> None:
        """Take a flush over. Never raises and never waits for the sink."""
        with self._lock:
            self._queue.append(flush)
            full = len(self._queue) > self._options.queue or self._closed
        if full:
            self._spill()
        self._wake.set()

    def status(self) -> Status:
        """Return how the sink is doing now."""
        now = self._clock.monotonic()
        with self._lock:
            record = self._record
            return Status(
                name=self.name,
                last_success=record.last_success,
                last_error=record.last_error,
                last_error_time=record.last_error_time,
                retry_in=None if record.retry_at is None else max(record.retry_at - now, 0.0),
                queued=len(self._queue),
                spool_items=self._spool.items,
                spool_bytes=self._spool.stored_bytes,
                written=record.written,
                written_series=record.written_series,
                dropped=record.dropped + self._spool.dropped,
            )

    def close(self, deadline_seconds: float) -> bool:
        """Write what can be written within the deadline, keep the rest in the spool. Return whether the thread ended.

        A sink that is away gets one last attempt. A sink that hangs is left behind in its (daemon) thread.
        """
        with self._lock:
            self._stop_at = self._clock.monotonic() + deadline_seconds
        self._wake.set()
        ended = not self._thread.is_alive() or self._clock.wait(self._ended, deadline_seconds)
        with self._lock:
            self._closed = True
        self._spill()
        self._spool.close()
        if self._thread.ident is None:
            self._close_sink()
        if not ended:
            LOG.warning(
                "%s: did not end within %g s; what it did not confirm is kept in its spool", self.name, deadline_seconds
            )
        return ended

    # -- the thread ----------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        step_back()
        try:
            while not self._closed and not self._late():
                attempt = self._next()
                if attempt is not None:
                    if not self._write(attempt) and not self._pause():
                        break
                elif self._stop_at is None:
                    self._clock.wait(self._wake, None)
                    self._wake.clear()
                else:
                    break
        finally:
            self._close_sink()
            self._ended.set()

    def _late(self) -> bool:
        return self._stop_at is not None and self._clock.monotonic() >= self._stop_at

    def _next(self) -> _Attempt | None:
        """Choose the oldest flush. Only this thread takes from the spool; `put` may move the queue there meanwhile."""
        while not self._closed:
            if self._spool.items:
                self._spill()
            found = self._spool.first()
            with self._lock:
                if found is not None:
                    self._attempt = _Attempt(found[1], found[0])
                elif self._spool.items:
                    continue
                else:
                    self._attempt = _Attempt(self._queue[0], None) if self._queue else None
                return self._attempt
        return None

    def _write(self, attempt: _Attempt) -> bool:
        """Try once. Return whether the flush is done with."""
        try:
            self._sink.write(attempt.flush)
        except Rejected as error:
            self._refused(error)
        except (Unavailable, StoreError) as error:
            self._failed(str(error))
            return False
        except Exception as error:  # noqa: BLE001 a fault of a backend must not end the pipe; it is logged with its traceback
            self._failed(f"{type(error).__name__}: {error}", error)
            return False
        else:
            self._stored(attempt.flush)
        self._settle(attempt)
        return True

    def _stored(self, flush: Flush) -> None:
        self._backoff.reset()
        with self._lock:
            record = self._record
            recovered = bool(record.last_error)
            record.last_success, record.last_error = self._clock.time(), ""
            record.written += 1
            record.written_series += flush.series
        if recovered:
            LOG.info("%s: takes flushes again; %d wait in its spool", self.name, self._spool.items)

    def _refused(self, error: Rejected) -> None:
        LOG.error("%s: refused a flush, which is lost: %s", self.name, error)
        self._losses.count("sink", "rejected")
        with self._lock:
            self._record.dropped += 1
            self._record.last_error, self._record.last_error_time = str(error), self._clock.time()

    def _failed(self, reason: str, fault: Exception | None = None) -> None:
        with self._lock:
            news = reason != self._record.last_error
            self._record.last_error, self._record.last_error_time = reason, self._clock.time()
        if news:
            LOG.warning("%s: is away; flushes go to its spool: %s", self.name, reason, exc_info=fault)
        self._spill()

    def _settle(self, attempt: _Attempt) -> None:
        """Take a flush that is done with out of the queue or the spool."""
        with self._lock:
            self._attempt = None
            if attempt.number is not None:
                self._spool.remove(attempt.number)
            elif self._queue and self._queue[0] is attempt.flush:
                self._queue.popleft()

    def _pause(self) -> bool:
        """Wait before the next attempt; what arrives goes to the spool. Return False when the worker is to end instead."""
        if self._stop_at is not None:
            return False
        end = self._clock.monotonic() + self._backoff.failed()
        with self._lock:
            self._record.retry_at = end
        while self._stop_at is None and (left := end - self._clock.monotonic()) > 0:
            self._clock.wait(self._wake, left)
            self._wake.clear()
            self._spill()
        with self._lock:
            self._record.retry_at = None
        return True

    def _close_sink(self) -> None:
        try:
            self._sink.close()
        except Exception:  # the worker ends here, whatever the backend does
            LOG.exception("%s: could not be closed", self.name)

    # -- queue to spool ------------------------------------------------------------------------------------------------

    def _spill(self) -> None:
        """Move the queue to the spool, oldest first; what the disk does not take stays, as far as the queue is long."""
        with self._spilling:
            try:
                while (flush := self._head()) is not None:
                    self._moved(flush, self._spool.append(flush))
                    self._spool_fault = ""
            except StoreError as error:
                self._tell_spool_fault(str(error))
                self._shed()

    def _tell_spool_fault(self, reason: str) -> None:
        """Log why the spool takes nothing, once until that changes: the counters say how much is lost."""
        if reason != self._spool_fault:
            LOG.warning("%s: %s", self.name, reason)
        self._spool_fault = reason

    def _shed(self) -> None:
        """Drop what does not fit into memory either."""
        with self._lock:
            room = 0 if self._closed else self._options.queue
            while len(self._queue) > room:
                self._queue.popleft()
                self._record.dropped += 1
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
