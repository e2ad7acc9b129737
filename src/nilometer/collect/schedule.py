"""A task that runs again and again, by itself.

Rules:

* It never runs twice at a time. When a run is due while the one before still goes on, it is skipped and counted, and told once.
* What a run raises is kept in words, and the next one comes all the same.
* `stop` waits until its deadline; a run that does not end by then is left behind in its daemon thread, and that is told.
"""

from __future__ import annotations

import logging
import math
import random
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING

from nilometer.core.clock import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.core.clock import Clock

LOG = logging.getLogger(__name__)
SHARE = 0.9
"""The part of the time between two runs that a run may take, so that it is over before the next is due."""


@dataclass(frozen=True, slots=True)
class Timing:
    """When a task runs; all in seconds.

    `delay` passes before the first run. `align`: runs begin on multiples of `every` of the wall clock, else so long after the
    first one. Each begins up to `jitter` later, by chance, so that many that were started together do not ask together.
    """

    every: float
    delay: float = 0.0
    jitter: float = 0.0
    align: bool = False


class Plan:
    """The moments of a timing, one after the other: plain arithmetic on times, without a clock."""

    def __init__(self, timing: Timing, chance: random.Random | None = None) -> None:
        self._timing = timing
        self._chance = chance or random.Random()  # noqa: S311 it spreads load, nothing secret
        self._due: float | None = None

    def wait(self, now: float) -> float:
        """Return the seconds from `now` until the next run. What was missed is not made up for."""
        every = self._timing.every
        if self._due is None:
            first = now + self._timing.delay
            self._due = self._boundary(first) if self._timing.align else first
        else:
            self._due += every
            if not now < self._due <= now + 2 * every:  # late by a whole interval, or the clock was set
                self._due = self._boundary(now) if self._timing.align else now + every
        return max(self._due - now, 0.0) + self._chance.uniform(0.0, self._timing.jitter)

    def _boundary(self, now: float) -> float:
        return (math.floor(now / self._timing.every) + 1) * self._timing.every


@dataclass(frozen=True, slots=True)
class Standing:
    """How a task is doing: `running` for so many seconds, None when it does not; `took` the last run, in seconds."""

    runs: int
    skipped: int
    running: float | None
    took: float | None
    error: str


class Periodic:
    """Runs `work` by its timing. `work` gets the event that tells it to end early."""

    def __init__(
        self,
        name: str,
        work: Callable[[Event], None],
        timing: Timing,
        *,
        clock: Clock = SYSTEM,
        chance: random.Random | None = None,
    ) -> None:
        self.name = name
        self._work, self._timing, self._clock = work, timing, clock
        self._plan = Plan(timing, chance)
        self._stop = Event()
        self._scheduler = Thread(target=self._loop, name=f"nilometer-{name}", daemon=True)
        self._worker: Thread | None = None
        self._runs = self._skipped = 0
        self._began: float | None = None
        self._took: float | None = None
        self._error = ""

    @property
    def every(self) -> float:
        """Seconds between two runs."""
        return self._timing.every

    def start(self) -> None:
        """Begin with the timing's delay."""
        self._scheduler.start()

    def standing(self) -> Standing:
        """Return how it is doing."""
        began = self._began
        running = None if began is None else max(self._clock.monotonic() - began, 0.0)
        return Standing(self._runs, self._skipped, running, self._took, self._error)

    def stop(self, deadline: float) -> bool:
        """Begin no further run, have one that goes on end within `deadline` seconds; return whether it did."""
        self._stop.set()
        worker = self._worker
        for thread in (self._scheduler, worker):
            if thread is not None and thread.is_alive():
                thread.join(deadline)
        left = worker is not None and worker.is_alive()
        if left:
            LOG.warning("%s: a run does not end and is left behind", self.name)
        return not left

    def _now(self) -> float:
        return self._clock.time() if self._timing.align else self._clock.monotonic()

    def _loop(self) -> None:
        told: Thread | None = None
        while not self._clock.wait(self._stop, self._plan.wait(self._now())):
            worker = self._worker
            if worker is None or not worker.is_alive():
                self._worker = Thread(target=self._run, name=f"nilometer-{self.name}-run", daemon=True)
                self._worker.start()
                continue
            self._skipped += 1
            if told is not worker:
                told = worker
                LOG.warning(
                    "%s: the run before is not at its end after %.1f s: skipped", self.name, self.standing().running or 0
                )

    def _run(self) -> None:
        self._began = began = self._clock.monotonic()
        try:
            self._work(self._stop)
            self._error = ""
        except Exception as error:  # a fault in one run must not end all that would follow
            LOG.exception("%s failed", self.name)
            self._error = f"{type(error).__name__}: {error}"
        finally:
            self._took, self._began = self._clock.monotonic() - began, None
            self._runs += 1
