"""Several things done side by side, by a few threads, until a deadline.

Rules:

* What is not at its end by then is left behind in its daemon thread, and told; until that ends it is not begun again.
* What a job raises, which it should not, is logged; the others do not notice.
"""

from __future__ import annotations

import logging
from collections import deque
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from nilometer.core.clock import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nilometer.core.clock import Clock

    Job = Callable[[], None]

LOG = logging.getLogger(__name__)
AT_ONCE = 4
LOOK = 0.1
"""Seconds between two looks whether it is to end early."""


class Crew:
    """A few threads, new ones for each `run`: `at_once` at most."""

    def __init__(self, at_once: int = AT_ONCE, clock: Clock = SYSTEM) -> None:
        self._at_once, self._clock = at_once, clock
        self._lock = Lock()
        self._busy: set[str] = set()

    def run(self, jobs: Mapping[str, Job], seconds: float, stop: Event) -> set[str]:
        """Do the jobs, for at most `seconds`, or until `stop`. Return the names of those that are not at their end.

        Those that an earlier run left behind, and that go on, are among them.
        """
        with self._lock:
            still = self._busy & set(jobs)
        shift = _Shift(deque((name, job) for name, job in jobs.items() if name not in still), self)
        shift.begin(min(self._at_once, len(jobs) - len(still)))
        end = self._clock.monotonic() + seconds
        while not stop.is_set() and (left := end - self._clock.monotonic()) > 0:
            if self._clock.wait(shift.ended, min(left, LOOK)):
                break
        return still | shift.give_up()

    def busy(self, name: str, *, now: bool) -> None:
        """Note that a job goes on, or that it does no more."""
        with self._lock:
            (self._busy.add if now else self._busy.discard)(name)


class _Shift:
    """The threads of one run."""

    def __init__(self, waiting: deque[tuple[str, Job]], crew: Crew) -> None:
        self._waiting, self._crew = waiting, crew
        self._open = {name for name, _ in waiting}
        self._lock = Lock()
        self.ended = Event()

    def begin(self, threads: int) -> None:
        if not self._open:
            self.ended.set()
        for _ in range(threads):
            Thread(target=self._work, name="nilometer-crew", daemon=True).start()

    def _work(self) -> None:
        while True:
            try:
                name, job = self._waiting.popleft()
            except IndexError:
                return
            self._do(name, job)

    def _do(self, name: str, job: Job) -> None:
        self._crew.busy(name, now=True)
        try:
            job()
        except Exception:  # whatever one job does, the others are done
            LOG.exception("%s failed", name)
        finally:
            self._crew.busy(name, now=False)
            with self._lock:
                self._open.discard(name)
                if not self._open:
                    self.ended.set()

    def give_up(self) -> set[str]:
        """Begin nothing more; return the names of what is not at its end."""
        self._waiting.clear()
        with self._lock:
            return set(self._open)
