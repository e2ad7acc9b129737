"""Reading in processes of its own: a query never holds the lock of the process that ingests.

Rules:

* A worker is a child that opens the URL once and answers one call after the other; it runs at a lower priority.
* A call that takes too long ends its worker, and so does a worker that dies: the next call gets a new one.
* At most `most` calls run at a time and `WAITING` wait; a further one is refused at once.
* Workers start with the first call, or with `warm` before it. They end when no call came for `idle` seconds, and when this
  process ends, however it does.
* What is sent either way is pickled: both ends are this program, over a socket that nobody else has.
"""

from __future__ import annotations

import contextlib
import logging
import pickle
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from nilometer.backends import registry
from nilometer.core.errors import NilometerError, TooSlow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.core.url import Url

LOG = logging.getLogger(__name__)
PROGRAM = "from nilometer.web.worker import main; main()"
WAITING = 64
IDLE = 600.0
WARMING = 30.0
"""Seconds within which a worker is ready, or is started anew by the call that needs it."""


class Busy(NilometerError):
    """So many calls wait already that one more would only make all of them late."""


class Broken(NilometerError):
    """A call raised what nobody foresaw, or its worker died. The log tells more."""


class Workers:
    """Calls functions on what a URL opens for a capability, each in one of a few processes. May be used from any thread."""

    def __init__(self, url: Url, most: int = 2, idle: float = IDLE, *, capability: str = registry.SERIES) -> None:
        self._url, self._most, self._idle, self._capability = url, most, idle, capability
        self._turn = threading.Condition()
        self._free: list[_Worker] = []
        self._running = self._waiting = 0
        self._timer: threading.Timer | None = None
        self._closed = False

    def call(self, function: str, *arguments: Any, seconds: float) -> Any:  # noqa: ANN401 whatever can be pickled
        """Return ``function(reader, *arguments)``, the function as ``"module:name"``, its arguments and result picklable.

        `seconds` bound the wait for a worker as well as the work. Raise `Busy`, `TooSlow`, `Broken`, and whatever
        `NilometerError` the function raises.
        """
        end = time.monotonic() + seconds
        with self._worker(end, seconds) as worker:
            answer = worker.ask((function, arguments), end)
        if answer is None:
            message = f"the query took longer than {seconds:g} s; ask for fewer series or a shorter time"
            raise TooSlow(message)
        kind, value = answer
        if kind == "error":
            raise value
        if kind == "fault":
            LOG.error("a query failed: %s", value)
            message = "the query failed by a fault of the server; its log tells more"
            raise Broken(message)
        return value

    def warm(self, function: str) -> None:
        """Start as many workers as may run, each with a call of this function, unless there are some. Return at once."""
        with self._turn:
            cold = not (self._free or self._running or self._waiting or self._closed)
        for _ in range(self._most if cold else 0):
            threading.Thread(target=self._warm, args=(function,), daemon=True).start()

    def _warm(self, function: str) -> None:
        with contextlib.suppress(NilometerError):  # the calls that follow will tell
            self.call(function, seconds=WARMING)

    @property
    def waiting(self) -> int:
        """How many calls wait for a worker."""
        return self._waiting

    @contextmanager
    def _worker(self, end: float, seconds: float) -> Iterator[_Worker]:
        """Have a worker for a while, a new one when all that live are at work."""
        worker = self._take(end, seconds)
        try:
            worker = worker or _Worker(self._url, self._capability)
            yield worker
        finally:
            self._give(worker)

    def _take(self, end: float, seconds: float) -> _Worker | None:
        with self._turn:
            if self._waiting >= WAITING:
                message = f"{WAITING} queries wait already; try again soon"
                raise Busy(message)
            self._waiting += 1
            had = self._turn.wait_for(lambda: self._closed or self._running < self._most, end - time.monotonic())
            self._waiting -= 1
            if self._closed or not had:
                message = f"no query could begin within {seconds:g} s; try again soon" if not had else "the server ends"
                raise Busy(message)
            self._running += 1
            return self._free.pop() if self._free else None

    def _give(self, worker: _Worker | None) -> None:
        with self._turn:
            self._running -= 1
            if worker is not None and worker.well and not self._closed:
                self._free.append(worker)
                worker = None
            self._rest()
            self._turn.notify()
        if worker is not None:
            worker.end()

    def _rest(self) -> None:
        """Begin to count the idle time anew."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(self._idle, self._end_free)
        self._timer.daemon = True
        if not self._closed:
            self._timer.start()

    def _end_free(self) -> None:
        with self._turn:
            free, self._free = self._free, []
        for worker in free:
            worker.end()

    @property
    def free(self) -> list[int]:
        """The processes that wait for a call."""
        return [worker.process for worker in self._free]

    def close(self) -> None:
        """End the workers. Calls that run are given up."""
        with self._turn:
            self._closed = True
            if self._timer is not None:
                self._timer.cancel()
            self._turn.notify_all()
        self._end_free()


class _Worker:
    """One child and the socket to it."""

    def __init__(self, url: Url, capability: str) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            self._process = subprocess.Popen(  # noqa: S603 this program
                [sys.executable, "-c", PROGRAM, str(number)],
                stdin=subprocess.DEVNULL,
                pass_fds=[number],
                start_new_session=True,  # a signal from the terminal is for the server
            )
        self.process = self._process.pid
        self._link = Connection(ours.detach())
        self.well = True
        self._send((url.reveal(), capability))

    def ask(self, call: tuple[str, tuple[Any, ...]], end: float) -> tuple[str, Any] | None:
        """Return what the child answers, None when it does not until the clock shows `end`."""
        self.well, answer = False, None
        self._send(call)
        with contextlib.suppress(EOFError, OSError):
            if self._link.poll(max(end - time.monotonic(), 0)):
                answer = pickle.loads(self._link.recv_bytes())  # noqa: S301 our own child
                self.well = True
                return answer  # type: ignore[no-any-return]  # a pair, as `worker` sends it
            return None
        return "fault", "its process died"

    def _send(self, value: Any) -> None:  # noqa: ANN401 whatever can be pickled
        with contextlib.suppress(OSError):  # a dead child is found when it is asked
            self._link.send_bytes(pickle.dumps(value))

    def end(self) -> None:
        """End the child and wait for it."""
        self._link.close()
        self._process.kill()
        self._process.wait()
