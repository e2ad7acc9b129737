"""The flush: at the end of each window the kernel's aggregates become a record and go to every sink.

Rules:

* When is decided by `schedule`, which knows no clock; this file asks the clock and carries it out, in one thread.
* The wall clock is looked at least once a second, so that a clock that is set forward or back is noticed.
* `deliver` never blocks (pipes queue), so a slow sink delays no flush.
* `stop` ends the window early and flushes it once more; its record has the end that was planned.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.clock import SYSTEM
from nilometer.core.priority import step_back
from nilometer.ingest.aggregate import assemble, count_losses
from nilometer.ingest.selfmetrics import Moment
from nilometer.ingest.timed import flushes as timed_flushes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nilometer.core.clock import Clock
    from nilometer.core.losses import Losses
    from nilometer.core.record import Flush
    from nilometer.ingest.kernel import Kernel, Tally, Timed
    from nilometer.ingest.schedule import Schedule
    from nilometer.ingest.selfmetrics import SelfMetrics

LOG = logging.getLogger(__name__)
LOOK = 1.0
"""The longest wait between two looks at the wall clock, in seconds."""


class Parts(NamedTuple):
    """What a flush goes through: the kernel, the losses, our own series, and where the record goes.

    `counted` hears the tally of each window. With `nominal`, rates divide by the interval whatever really passed.
    """

    kernel: Kernel
    losses: Losses
    metrics: SelfMetrics
    deliver: Callable[[Flush], None]
    counted: Callable[[Tally], None]
    nominal: bool = False


class Flusher:
    """Flushes on a schedule. `written` is the end of the last window that an earlier process wrote, if any."""

    def __init__(self, parts: Parts, schedule: Schedule, clock: Clock = SYSTEM, written: float = 0.0) -> None:
        self._parts, self._schedule, self._clock = parts, schedule, clock
        self._plan = schedule.first(clock.time(), clock.monotonic(), written)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="nilometer-flush", daemon=True)

    @property
    def end(self) -> float:
        """When the window that is being filled is planned to end, in seconds since the epoch."""
        return self._plan.end

    @property
    def written(self) -> float:
        """When the last window that was flushed ended, in seconds since the epoch; before the first one, when we started."""
        return self._plan.start

    def start(self) -> None:
        """Begin to flush."""
        self._thread.start()

    def _run(self) -> None:
        step_back()
        while not self._clock.wait(self._stop, self.pause()):
            try:
                self.tick()
            except Exception:
                LOG.exception("a flush failed; the next one is tried as planned")

    def pause(self) -> float:
        """Return how long to wait before the next `tick`, in seconds."""
        return min(LOOK, self._schedule.wait(self._plan, self._clock.time()))

    def tick(self) -> None:
        """Flush when the window is over."""
        with self._lock:
            now = self._clock.time()
            self._plan = self._schedule.revise(self._plan, now)
            if not self._schedule.wait(self._plan, now):
                self._flush(now)

    def _flush(self, now: float, *, last: bool = False) -> None:
        parts, began = self._parts, self._clock.monotonic()
        finished = self._schedule.finish(self._plan, now, began)
        self._plan = finished.plan
        seconds = finished.window.interval if parts.nominal else finished.seconds
        aggregates = parts.kernel.flush(seconds, last=last)
        took, late = self._clock.monotonic() - began, max(now - finished.window.end, 0.0)
        count_losses(aggregates.tally, parts.losses)
        parts.counted(aggregates.tally)
        self._deliver_timed(aggregates.timed, finished.window.interval)
        moment = Moment(finished.window, aggregates.tally, seconds, took * 1000, late * 1000)
        parts.deliver(assemble(aggregates, moment, parts.metrics))

    def _deliver_timed(self, timed: Sequence[Timed], interval: float) -> None:
        """Deliver a flush for each time that values came with."""
        flushes, lost = timed_flushes(timed, interval)
        self._parts.losses.count("kernel", "timed_limit", lost)
        for flush in flushes:
            self._parts.deliver(flush)

    def reschedule(self, schedule: Schedule) -> None:
        """Use other boundaries: the window that is being filled ends at the first of them."""
        with self._lock:
            self._schedule = schedule
            begin = max(self._clock.time(), self._plan.start)
            self._plan = self._plan._replace(end=schedule.after(begin))

    def stop(self) -> None:
        """End the thread, then flush what the window holds so far."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()
        with self._lock:
            self._flush(self._clock.time(), last=True)
