"""A byte stream to a server, TCP or Unix: used by the client's own thread alone, so it may wait.

Rules:

* A piece is taken when the system took it whole. After a break, the next connection begins with the first line that was not.
* Between two tries the delay grows, with jitter; meanwhile lines wait in the client's queue.
* A stream that the peer closed is noticed before the next piece is written.
"""

from __future__ import annotations

import contextlib
import socket
from time import monotonic
from typing import TYPE_CHECKING

from nilometer.core.backoff import Backoff

if TYPE_CHECKING:
    from nilometer.core.statsd_target import Target

FIRST, MOST = 0.1, 30.0
"""Seconds between two tries to connect."""
FAMILIES = {"": None, "ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}


class Stream:
    """One connection at a time, dialled when it is needed. `timeout`: seconds to connect, and to send a piece."""

    def __init__(self, target: Target, timeout: float) -> None:
        self._target, self._timeout = target, timeout
        self._socket: socket.socket | None = None
        self._backoff = Backoff(FIRST, MOST)
        self._not_before = 0.0

    def send(self, data: bytes, timeout: float | None = None) -> int:
        """Send lines, each with its end; returns the bytes up to the end of the last line that was taken whole."""
        stream = self._standing()
        if stream is None:
            return 0
        taken = 0
        try:
            stream.settimeout(self._timeout if timeout is None else timeout)
            view = memoryview(data)
            while taken < len(data):
                taken += stream.send(view[taken:])
        except OSError:
            self._broken()
            return data.rfind(b"\n", 0, taken) + 1
        self._backoff.reset()
        return taken

    def wait(self) -> float:
        """Return the seconds until another try makes sense; 0 when it does now."""
        return max(self._not_before - monotonic(), 0.0)

    def connect(self) -> None:
        """Connect now. Raises OSError."""
        self.close()
        self._socket = self._dialled()

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
            self._socket = None

    def forked(self) -> None:
        """Forget the connection, which stays the parent's."""
        self.close()
        self._not_before = 0.0

    def _standing(self) -> socket.socket | None:
        if self._socket is not None and _ended(self._socket):
            self.close()
        if self._socket is None and not self.wait():
            try:
                self._socket = self._dialled()
            except (OSError, UnicodeError):
                self._broken()
        return self._socket

    def _broken(self) -> None:
        self.close()
        self._not_before = monotonic() + self._backoff.failed()

    def _dialled(self) -> socket.socket:
        if self._target.path:
            dialled = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                dialled.settimeout(self._timeout)
                dialled.connect(self._target.path)
            except BaseException:
                dialled.close()
                raise
            return dialled
        wanted = FAMILIES[self._target.family]
        if wanted is None:
            return socket.create_connection((self._target.host, self._target.port), self._timeout)
        found = socket.getaddrinfo(self._target.host, self._target.port, wanted, socket.SOCK_STREAM)
        return socket.create_connection((str(found[0][4][0]), self._target.port), self._timeout)


def _ended(stream: socket.socket) -> bool:
    """Return whether the peer closed its end. What it said unasked is thrown away."""
    try:
        stream.settimeout(0)  # MSG_DONTWAIT would not do: gevent's sockets wait before they ask the system
        return not stream.recv(65_536)
    except (BlockingIOError, InterruptedError):
        return False
    except OSError:
        return True
