"""The metrics of a Celery worker: every task's time, errors and retries, and what it waited in the queue.

    from nilometer.emit.tasks import Tasks, celery
    celery.install(Tasks(StatsD()))

Rules:

* Tasks are heard of by Celery's signals, so nothing of the application's is wrapped. `install` returns what takes it back.
* A task's wait is measured with ``wait=True``, where both the publisher and the worker have it: the publisher puts the time
  into a header of the message (`HEADER`), and both clocks count. A task with an ETA waits from then on.
* Events, where the tasks have a notifier, tell a task by its id; one that is tried again has ``.retry`` in place of an end.
* A pool's process ends without Python's clean-up, so the client is flushed when Celery says that it ends.
"""

from __future__ import annotations

from datetime import datetime
from time import time
from typing import TYPE_CHECKING, Any

from nilometer.emit.tasks.runs import Runs
from nilometer.emit.wrapping import message

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.emit.tasks.measure import Tasks

HEADER = "nilometer_published"


def install(tasks: Tasks, *, wait: bool = False) -> Callable[[], None]:
    """Measure every task of this process and of the pool's processes that it starts; returns what ends that.

    Raises ImportError without Celery.
    """
    from celery import signals  # type: ignore[import-untyped]  # noqa: PLC0415 the application's library; it has no types

    hooks = Hooks(tasks)
    pairs: list[tuple[Any, Callable[..., None]]] = [
        (signals.task_prerun, hooks.began),
        (signals.task_postrun, hooks.ended),
        (signals.worker_process_shutdown, hooks.flush),
        (signals.worker_shutdown, hooks.flush),
    ]
    if wait:
        pairs += [(signals.before_task_publish, hooks.published), (signals.task_prerun, hooks.waited)]
    for signal, hook in pairs:
        signal.connect(hook, weak=False)

    def uninstall() -> None:
        for signal, hook in pairs:
            signal.disconnect(hook)

    return uninstall


class Hooks:
    """What Celery's signals call. Celery logs what a hook raises and goes on."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._runs = Runs()

    def began(self, *, task_id: str, task: Any, **_: object) -> None:  # noqa: ANN401 Celery's
        """Note when a task begins."""
        self._tasks.told(task.name, "start", task_id=task_id)
        self._runs.begin(task_id, self._tasks.clock())

    def ended(
        self,
        *,
        task_id: str,
        task: Any,  # noqa: ANN401 Celery's
        state: str | None = None,
        retval: object = None,
        **_: object,
    ) -> None:
        """Send what a task took."""
        began = self._runs.end(task_id)
        if began is None:
            return
        self._tasks.done(task.name, self._tasks.clock() - began, error=state == "FAILURE")
        if state == "FAILURE":
            failure = retval if isinstance(retval, BaseException) else None
            self._tasks.told(task.name, "error", task_id=task_id, message=message(failure) if failure else "failed")
        elif state == "RETRY":
            self._tasks.retried(task.name)
            self._tasks.told(task.name, "retry", task_id=task_id)
        else:
            self._tasks.told(task.name, "end", task_id=task_id)

    def published(self, *, headers: dict[str, object], **_: object) -> None:
        """Put the time into a message."""
        headers[HEADER] = time()

    def waited(self, *, task: Any, **_: object) -> None:  # noqa: ANN401 Celery's
        """Send what a task waited."""
        request = task.request
        since = due(request.eta) or request.get(HEADER)
        if isinstance(since, int | float):
            self._tasks.waited(task.name, time() - since)

    def flush(self, **_: object) -> None:
        """Send what the client holds back."""
        self._tasks.flush()


def due(eta: str | None) -> float | None:
    """Return an ETA, as ISO 8601, in seconds of the epoch; None without one."""
    return datetime.fromisoformat(eta).timestamp() if eta else None
