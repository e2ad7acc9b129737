"""The pipe to one sink: a thread that writes records, oldest first, from a backlog that goes to disk while the sink is away.

`Worker` is the pipe of any record, `SinkWorker` that of flushes; that of events is in `events`.

Rules:

* `put` never waits for the sink: see `backlog` for where records wait. They go to disk when a write fails.
* The oldest record is written first, one attempt at a time. It is settled only after the sink took it (or refused
  it for good, which is counted), so a record may be written twice, and sinks are idempotent; none is skipped.
* `Unavailable`, and whatever a sink should not raise, means: the same record again, after a delay that grows.
* After `close`, whatever was not confirmed lies in the spool, even if a write hangs for ever; after its first `SOON` seconds
  already, so that a process that is ended meanwhile loses nothing.
"""

from __future__ import annotations

import logging
import random
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Generic, TypeVar

from nilometer.core.backlog import Backlog
from nilometer.core.backoff import Backoff
from nilometer.core.capability import Measured, Selective
from nilometer.core.clock import SYSTEM
from nilometer.core.errors import Rejected, StoreError, Unavailable
from nilometer.core.priority import step_back

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nilometer.core.backlog import Attempt
    from nilometer.core.capability import Backend, MetricSink
    from nilometer.core.clock import Clock
    from nilometer.core.losses import Losses
    from nilometer.core.record import Flush
    from nilometer.core.spool import Spool

Record = TypeVar("Record")
LOG = logging.getLogger(__name__)
SOON = 0.5
"""For how many seconds `close` counts on the sink before it saves what waits."""


@dataclass(frozen=True, slots=True)
class PipeOptions:
    """`queue`: records held in memory. `first` and `most`: bounds of the delay between attempts, in seconds."""

    queue: int = 4
    first: float = 1.0
    most: float = 60.0


@dataclass(frozen=True, slots=True)
class Status:
    """How a sink is doing, since the start.

    `last_success` and `last_error_time` are seconds since the epoch, None if never; `last_error` is empty after a success.
    `failing_since`: when the first of the attempts failed that failed since the last success, None when the last one did not.
    `retry_in` is the seconds until the next attempt, None while none is planned. `dropped` counts records.
    `figures`: those that the sink keeps about its own work.
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
    figures: Mapping[str, float] = field(default_factory=dict)
    failing_since: float | None = None


@dataclass(slots=True)
class _Record:
    """What `Status` tells, as it changes."""

    last_success: float | None = None
    last_error: str = ""
    last_error_time: float | None = None
    failing_since: float | None = None
    retry_at: float | None = None
    written: int = 0
    written_series: int = 0
    rejected: int = 0


class Worker(ABC, Generic[Record]):
    """Writes records to one sink, in order. Owns the sink and the backlog: `close` closes both."""

    noun = "records"

    def __init__(  # noqa: PLR0913 the parts of a pipe, each replaced in tests
        self,
        name: str,
        sink: Backend,
        backlog: Backlog[Record],
        losses: Losses,
        *,
        options: PipeOptions,
        clock: Clock = SYSTEM,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self._sink: Backend = sink
        self._losses = losses
        self._options = options
        self._backlog = backlog
        self._clock = clock
        self._draw = draw
        self._backoff = Backoff(self._options.first, self._options.most, draw)
        self._record = _Record()
        self._lock = Lock()  # guards the record
        self._wake = Event()
        self._ended = Event()
        self._stop_at: float | None = None
        self._thread = Thread(target=self._run, name=f"{self.noun} {name}", daemon=True)

    @abstractmethod
    def _deliver(self, record: Record) -> None:
        """Hand a record to the sink. Raise `Unavailable`, `Rejected`."""

    @abstractmethod
    def _refused_for_good(self, record: Record, error: Rejected) -> None:
        """Log and count what the sink refused for good."""

    @abstractmethod
    def _weight(self, record: Record) -> int:
        """Return how much a record counts for in `Status.written_series`."""

    def _begin(self) -> None:
        """Do what the thread does first."""

    def _gather(self) -> None:
        """Wait, once something has come, for what can be written together."""

    def _linger(self) -> None:
        """Wait, while the sink is away, for what can go to the spool together."""

    def start(self) -> None:
        """Begin to write, with what an earlier process left in the spool."""
        self._thread.start()

    def configure(self, options: PipeOptions) -> None:
        """Use other options from the next failure on."""
        self._options = options
        self._backlog.most = options.queue
        self._backoff = Backoff(options.first, options.most, self._draw)

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
                queued=self._backlog.queued,
                spool_items=self._backlog.spooled,
                spool_bytes=self._backlog.spooled_bytes,
                written=record.written,
                written_series=record.written_series,
                dropped=record.rejected + self._backlog.dropped,
                figures=self._sink.figures() if isinstance(self._sink, Measured) else {},
                failing_since=record.failing_since,
            )

    def close(self, deadline_seconds: float) -> bool:
        """Write what can be written within the deadline, keep the rest in the spool. Return whether the thread ended.

        A sink that is away gets one last attempt. A sink that hangs is left behind in its (daemon) thread.
        """
        self._stop_at = self._clock.monotonic() + deadline_seconds
        self._wake.set()
        ended = self._await_end(min(SOON, deadline_seconds))
        if not ended:
            self._backlog.spill()
            ended = self._await_end(self._stop_at - self._clock.monotonic())
        self._backlog.close()
        if self._thread.ident is None:
            self._close_sink()
        if not ended:
            LOG.warning(
                "%s: did not end within %g s; what it did not confirm is kept in its spool", self.name, deadline_seconds
            )
        return ended

    def _await_end(self, seconds: float) -> bool:
        return not self._thread.is_alive() or self._clock.wait(self._ended, seconds)

    # -- the thread ----------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        self._begin()
        try:
            while not self._backlog.closed and not self._late():
                attempt = self._backlog.next()
                if attempt is not None:
                    if not self._write(attempt) and not self._pause():
                        break
                elif self._stop_at is None:
                    self._clock.wait(self._wake, None)
                    self._gather()
                    self._wake.clear()
                else:
                    break
        finally:
            self._close_sink()
            self._ended.set()

    def _late(self) -> bool:
        return self._stop_at is not None and self._clock.monotonic() >= self._stop_at

    def _write(self, attempt: Attempt[Record]) -> bool:
        """Try once. Return whether the record is done with."""
        try:
            self._deliver(attempt.record)
        except Rejected as error:
            self._refused(attempt.record, error)
        except (Unavailable, StoreError) as error:
            self._failed(str(error))
            return False
        except Exception as error:  # noqa: BLE001 a fault of a backend must not end the pipe; it is logged with its traceback
            self._failed(f"{type(error).__name__}: {error}", error)
            return False
        else:
            self._stored(attempt.record)
        self._backlog.settle(attempt)
        return True

    def _stored(self, stored: Record) -> None:
        self._backoff.reset()
        with self._lock:
            record = self._record
            recovered = bool(record.last_error)
            record.last_success, record.last_error, record.failing_since = self._clock.time(), "", None
            record.written += 1
            record.written_series += self._weight(stored)
        if isinstance(self._sink, Selective):
            for (stage, reason), number in self._sink.left_out().items():
                self._losses.count(stage, reason, number)
        if recovered:
            LOG.info("%s: takes %s again; %d wait in its spool", self.name, self.noun, self._backlog.spooled)

    def _refused(self, refused: Record, error: Rejected) -> None:
        self._refused_for_good(refused, error)
        with self._lock:
            self._record.rejected += 1
            self._record.failing_since = None
            self._record.last_error, self._record.last_error_time = str(error), self._clock.time()

    def _failed(self, reason: str, fault: Exception | None = None) -> None:
        with self._lock:
            news, now = reason != self._record.last_error, self._clock.time()
            self._record.last_error, self._record.last_error_time = reason, now
            self._record.failing_since = self._record.failing_since or now
        if news:
            LOG.warning("%s: is away; %s %s: %s", self.name, self.noun, self._backlog.where, reason, exc_info=fault)
        self._backlog.spill()

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
            self._linger()
            self._backlog.spill()
        with self._lock:
            self._record.retry_at = None
        return True

    def _close_sink(self) -> None:
        try:
            self._sink.close()
        except Exception:  # the worker ends here, whatever the backend does
            LOG.exception("%s: could not be closed", self.name)


class SinkWorker(Worker["Flush"]):
    """Writes flushes to one sink, in order. Owns the sink and the spool: `close` closes both."""

    noun = "flushes"

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
        chosen = options or PipeOptions()
        backlog: Backlog[Flush] = Backlog(name, spool, lambda _: losses.count("spool", "disk"), chosen.queue)
        super().__init__(name, sink, backlog, losses, options=chosen, clock=clock, draw=draw)
        self._flushes = sink

    def put(self, flush: Flush) -> None:
        """Take a flush over. Never raises and never waits for the sink."""
        self._backlog.put(flush)
        self._wake.set()

    def _begin(self) -> None:
        step_back()

    def _deliver(self, record: Flush) -> None:
        self._flushes.write(record)

    def _refused_for_good(self, record: Flush, error: Rejected) -> None:  # noqa: ARG002 a flush has no name
        LOG.error("%s: refused a flush, which is lost: %s", self.name, error)
        self._losses.count("sink", "rejected")

    def _weight(self, record: Flush) -> int:
        return record.series
