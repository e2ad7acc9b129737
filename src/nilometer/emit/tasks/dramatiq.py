"""The metrics of Dramatiq: every actor's time, errors, retries, and what its message waited in the queue.

    from nilometer.emit.tasks import Tasks, dramatiq as measured
    broker.add_middleware(measured.middleware(Tasks(StatsD())))

Rules:

* A message waits from the moment it was made, or was due; both machines' clocks count.
* A skipped message did not run. A message that is tried again is an error each time, and counts as a retry.
"""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING, Any

from nilometer.emit.tasks.runs import Runs
from nilometer.emit.wrapping import message as told

if TYPE_CHECKING:
    from nilometer.emit.tasks.measure import Tasks

MS = 1000


def middleware(tasks: Tasks) -> Any:  # noqa: ANN401 Dramatiq's type, which is not known here
    """Return a middleware for a broker. Raises ImportError without Dramatiq."""
    from dramatiq import Middleware  # noqa: PLC0415 the application's library

    class Measured(Hooks, Middleware):
        """What Dramatiq calls."""

    return Measured(tasks)


class Hooks:
    """What happens around each message. Dramatiq logs what a hook raises and goes on."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._runs = Runs()

    def before_process_message(self, _broker: object, message: Any) -> None:  # noqa: ANN401 Dramatiq's
        """Note when a message is worked on, and what it waited."""
        self._tasks.told(message.actor_name, "start", task_id=message.message_id)
        self._runs.begin(message.message_id, self._tasks.clock())
        made = message.options.get("eta", message.message_timestamp)
        self._tasks.waited(message.actor_name, time() - made / MS)
        if message.options.get("retries", 0):
            self._tasks.retried(message.actor_name)

    def after_process_message(
        self,
        _broker: object,
        message: Any,  # noqa: ANN401 Dramatiq's
        *,
        result: object = None,  # noqa: ARG002 Dramatiq names it
        exception: BaseException | None = None,
    ) -> None:
        """Send what the message took."""
        began = self._runs.end(message.message_id)
        if began is not None:
            self._tasks.done(message.actor_name, self._tasks.clock() - began, error=exception is not None)
            if exception is None:
                self._tasks.told(message.actor_name, "end", task_id=message.message_id)
            else:
                self._tasks.told(message.actor_name, "error", task_id=message.message_id, message=told(exception))

    def after_skip_message(self, _broker: object, message: Any) -> None:  # noqa: ANN401 Dramatiq's
        """Forget a message that is not worked on."""
        self._runs.end(message.message_id)

    def after_worker_shutdown(self, _broker: object, _worker: object) -> None:
        """Send what the client holds back."""
        self._tasks.flush()
