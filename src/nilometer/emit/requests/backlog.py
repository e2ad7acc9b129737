"""The queue of connections that wait to be accepted, as gauges: looked at every second, told of every few.

Rules:

* A thread of its own, which starts with the first request of a process, also of one that was forked; it holds no socket of the
  application's.
* Of all workers that listen on the same ports one tells: the one that holds a name in the kernel, which the next takes over
  when it ends. So nothing is counted twice.
* The gauge is the longest queue that was seen since the last line. A queue at its bound refuses connections:
  ``listen_overflows`` and ``listen_drops`` count them for the whole host.
"""

from __future__ import annotations

import os
import socket
import threading
from typing import TYPE_CHECKING, NamedTuple

from nilometer.emit.requests import listeners
from nilometer.emit.requests.endpoints import clean

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.emit.emitter import Emitter
    from nilometer.emit.requests.options import Options

PAUSE = 1.0
LOCK = "\0nilometer-backlog:"


class Series(NamedTuple):
    """A metric of the backlog."""

    name: str
    kind: str
    unit: str
    when: str


SERIES = (
    Series("backlog.LISTENER", "g", "connections", "the longest queue of those that wait to be accepted"),
    Series("backlog_limit.LISTENER", "g", "connections", "how many may wait"),
    Series("listen_overflows", "c", "connections", "found the queue full; of the whole host"),
    Series("listen_drops", "c", "connections", "were dropped while being opened, for any reason; of the whole host"),
)
"""Every metric of the backlog, in the order of the documentation; LISTENER is a port or the path of a Unix socket, or a tag."""


class Backlog:
    """Tells of the queues of this process's listening sockets every `options.backlog` seconds, once `ensure` was called."""

    def __init__(self, options: Options, client: Emitter, fault: Callable[[str, BaseException], None]) -> None:
        host, told = options.node()
        self._head = "".join(f"{part}." for part in (clean(host) if told == "name" else "", options.first_parts()) if part)
        self._tags = (("host", clean(host)),) if told == "tag" else ()
        self._tagged = options.style == "tagged"
        self._looks = max(round(options.backlog / PAUSE), 1)
        self._client, self._fault = client, fault
        self._process = 0
        self._starting = threading.Lock()  # of two first requests one starts the thread
        self._names: frozenset[str] = frozenset()
        self._lock: socket.socket | None = None
        self._longest: dict[str, tuple[int, int]] = {}
        self._refused: tuple[int, int] | None = None

    def ensure(self) -> None:
        """Have the thread run in this process; cheap when it does. Never raises."""
        if self._process == os.getpid() or not self._starting.acquire(blocking=False):
            return
        try:
            if self._process != os.getpid():
                self._give_up()
                self._process = os.getpid()
                threading.Thread(target=self._run, args=(self._process,), name="nilometer-backlog", daemon=True).start()
        except RuntimeError as error:
            self._fault("backlog", error)
        finally:
            self._starting.release()

    def stop(self) -> None:
        """End the thread, and leave the telling to others."""
        self._process = 0
        self._give_up()

    def look(self) -> None:
        """Note the queues as they are now."""
        if self._lock is None:
            return
        for name, (queued, most) in listeners.queues(listeners.everyone(), self._names).items():
            self._longest[name] = (max(queued, self._longest.get(name, (0, 0))[0]), most)

    def tell(self) -> None:
        """Send what was seen since the last time, if it is this process that tells; find out whether it is."""
        for name, (queued, most) in sorted(self._longest.items()):
            self._send("g", "backlog", queued, name)
            self._send("g", "backlog_limit", most, name)
        self._longest = {}
        refused = listeners.overflows() if self._lock is not None else None
        if refused is not None and self._refused is not None:
            for stat, now, before in zip(("listen_overflows", "listen_drops"), refused, self._refused, strict=True):
                if now > before:
                    self._send("c", stat, now - before)
        self._refused = refused
        self._find()

    def _run(self, process: int) -> None:
        pause = threading.Event()
        look = self._looks
        while self._process == process:
            try:
                if look >= self._looks:
                    self.tell()
                    look = 0
                self.look()
            except Exception as error:  # noqa: BLE001 the next look may go well
                self._fault("backlog", error)
            look += 1
            pause.wait(PAUSE)
        if not self._process:
            self._give_up()

    def _find(self) -> None:
        """Find the listening sockets of this process, and become the one who tells of them, if nobody is."""
        own = listeners.own_inodes()
        names = frozenset(each.name for each in listeners.everyone() if each.inode in own and each.name)
        if names != self._names:
            self._give_up()
            self._names = names
        if names and self._lock is None:
            lock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                lock.bind((LOCK + ",".join(sorted(names)))[:100])
                self._lock = lock
            except OSError:
                lock.close()

    def _give_up(self) -> None:
        if self._lock is not None:
            self._lock.close()
        self._lock, self._longest, self._refused, self._names = None, {}, None, frozenset()

    def _send(self, kind: str, stat: str, value: float, listener: str = "") -> None:
        name = clean(listener) if listener else ""
        tail = f".{name}" if name and not self._tagged else ""
        tags = (*self._tags, ("listener", name)) if name and self._tagged else self._tags
        self._client.emit(kind, f"{self._head}{stat}{tail}", value, 1.0, tags)
