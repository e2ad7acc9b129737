"""Measure background work: ``with tasks.measure("table.create"):``, or the same as a decorator.

Rules:

* Every activity sends its time; one that raised sends it once more under the name of errors. So the count of the first is the
  number of activities, that of the second the number of failures.
* Exceptions go through unchanged. A generator that is closed early did not fail.
* The number of names is bounded; those beyond it are ``other``.

Source of the names ``TASK.timing`` and ``TASK.timing.error``: MagnetoDB's specification of request metrics.
"""

from __future__ import annotations

import random
from time import perf_counter
from typing import TYPE_CHECKING, Self

from nilometer.core.bounded import Bounded
from nilometer.core.template import clean, template
from nilometer.emit.wrapping import Wrapping, failed, message

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from nilometer.emit.emitter import Emitter
    from nilometer.emit.notifier import Notifier
MS = 1000


class Tasks:
    """The metrics of tasks, sent through a client.

    ``timing``, ``error``, ``retries``, ``wait``: templates of the names, with ``{task}`` in each. ``rate``: the fraction of
    activities that is sent, 0 to 1. ``tags``: pairs that every line gets. ``max_names``: how many tasks get their own series.
    ``notifier``: what emits events besides, ``TASK.start``, then ``TASK.end`` or ``TASK.error``, for every activity.
    Raises ValueError for a wrong one.
    """

    def __init__(  # noqa: PLR0913 named options, each with a default
        self,
        client: Emitter,
        *,
        timing: str = "{task}.timing",
        error: str = "{task}.timing.error",
        retries: str = "{task}.retries",
        wait: str = "{task}.wait_timing",
        rate: float = 1.0,
        tags: tuple[tuple[str, str], ...] = (),
        max_names: int = 1000,
        notifier: Notifier | None = None,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        if not 0 <= rate <= 1:
            message = f"rate: expected a number from 0 to 1, not {rate!r}"
            raise ValueError(message)
        self.client = client
        self.clock = clock
        self.failures = 0
        self._timing = template("timing", timing, "task")
        self._error = template("error", error, "task")
        self._retries = template("retries", retries, "task")
        self._wait = template("wait", wait, "task")
        self._rate, self._tags, self._notifier = rate, tags, notifier
        self._name = Bounded(max_names, clean)

    def measure(self, task: str) -> Activity:
        """Return what measures one task: a context manager (``with`` and ``async with``), or a decorator."""
        return Activity(self, task)

    def told(self, task: str, what: str, **payload: object) -> None:
        """Emit an event of a task, `what` being ``start``, ``end``, ``error`` or ``retry``, where there is a notifier."""
        if self._notifier is not None:
            self._notifier.emit(f"{task}.{what}", payload)

    def done(self, task: str, seconds: float, *, error: bool = False) -> None:
        """Send what an activity took, in seconds, and whether it failed."""
        if self._rate < 1 and random.random() >= self._rate:  # noqa: S311 a sample, no secret
            return
        self._send("ms", self._timing, task, seconds * MS)
        if error:
            self._send("ms", self._error, task, seconds * MS)

    def waited(self, task: str, seconds: float) -> None:
        """Send what a task waited in a queue, in seconds; clocks that differ make no negative time."""
        if self._rate >= 1 or random.random() < self._rate:  # noqa: S311 a sample, no secret
            self._send("ms", self._wait, task, max(seconds, 0.0) * MS)

    def retried(self, task: str) -> None:
        """Count that a task is tried again."""
        self._send("c", self._retries, task, 1, rate=1.0)

    def flush(self) -> None:
        """Send what client and notifier hold back: worker processes may end without another chance."""
        for each in (self.client, self._notifier):
            flush = getattr(each, "flush", None)
            if flush is not None:
                flush()

    def _send(self, kind: str, name: Callable[..., str], task: str, value: float, rate: float | None = None) -> None:
        try:
            self.client.emit(kind, name(task=self._name(task)), value, self._rate if rate is None else rate, self._tags)
        except Exception:  # noqa: BLE001 whatever a client does, the task goes on
            self.failures += 1


class Activity(Wrapping):
    """One run of a task. As a decorator it measures each call on its own: functions, coroutines, generators of both kinds."""

    def __init__(self, tasks: Tasks, task: str) -> None:
        self._tasks, self._task = tasks, task
        self._failed = False
        self._began = 0.0

    def fail(self) -> None:
        """Tell that the activity failed though nothing is raised."""
        self._failed = True

    def __enter__(self) -> Self:
        self._failed = False
        self._tasks.told(self._task, "start")
        self._began = self._tasks.clock()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        wrong = self._failed or failed(error)
        self._tasks.done(self._task, self._tasks.clock() - self._began, error=wrong)
        if wrong:
            self._tasks.told(self._task, "error", message=message(error) if failed(error) else "failed")
        else:
            self._tasks.told(self._task, "end")

    def _again(self) -> Activity:
        return Activity(self._tasks, self._task)
