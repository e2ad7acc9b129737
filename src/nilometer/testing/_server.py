"""A server that only listens: bytes of streams or datagrams go into an inbox; it can leave, come back, stall and resume."""

from __future__ import annotations

import contextlib
import operator
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nilometer.testing.waiting import settled

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 10.0
"""Seconds for which an inbox waits for what was sent."""


class Arrival(NamedTuple):
    """What one read brought: when (monotonic seconds), of which stream or datagram (counted from 0), the bytes."""

    time: float
    part: int
    data: bytes


Part = list[tuple[float, bytes]]


class Inbox:
    """Bytes that arrived, each stream's or datagram's by itself. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parts: list[Part] = []
        self._reading = threading.Event()
        self._reading.set()

    def new(self) -> Part:
        """Return a new part; `add` fills it."""
        with self._lock:
            self._parts.append([])
            return self._parts[-1]

    def add(self, part: Part, data: bytes) -> None:
        """Add bytes to a part."""
        with self._lock:
            part.append((time.monotonic(), data))

    def parts(self) -> list[bytes]:
        """Return what arrived so far."""
        with self._lock:
            return [_joined(part) for part in self._parts]

    def arrivals(self) -> list[Arrival]:
        """Return what arrived so far, read by read, in order of time."""
        with self._lock:
            found = [Arrival(at, number, data) for number, part in enumerate(self._parts) for at, data in part]
        return sorted(found, key=lambda arrival: arrival.time)

    def take_lines(self) -> bytes:
        """Return the whole lines that arrived, each part's together, and forget them."""
        taken: list[bytes] = []
        with self._lock:
            for part in self._parts:
                lines, end, rest = _joined(part).rpartition(b"\n")
                taken.append(lines + end)
                part[:] = [(time.monotonic(), rest)]
        return b"".join(taken)

    def clear(self) -> None:
        """Forget what arrived, as a server that died before it read that."""
        with self._lock:
            self._parts.clear()

    def wait(self, complaints: Callable[[list[bytes]], list[str]]) -> list[str]:
        """Return what `complaints` says of the parts, as soon as that is nothing or patience ends."""
        return settled(lambda: complaints(self.parts()), operator.not_, PATIENCE)

    def stall(self) -> None:
        """Make readers stop."""
        self._reading.clear()

    def resume(self) -> None:
        """Let readers go on."""
        self._reading.set()

    def wait_to_read(self) -> None:
        """Return at once, or when reading goes on."""
        self._reading.wait()


def _joined(part: Part) -> bytes:
    return b"".join(data for _, data in part)


def _family(address: tuple[str, int] | str) -> socket.AddressFamily:
    if isinstance(address, str):
        return socket.AF_UNIX
    return socket.AF_INET6 if ":" in address[0] else socket.AF_INET


class Server:
    """A socket that fills an `Inbox`: TCP, Unix stream, UDP or Unix datagram, at an address that stays the same."""

    BUFFER = 1 << 16
    """Bytes of a stream's receive buffer: small, so that a stalled reader is felt soon. With 0 the system chooses."""

    def __init__(self, address: tuple[str, int] | str, kind: socket.SocketKind, buffer: int = BUFFER) -> None:
        self.address, self.inbox = address, Inbox()
        self._kind, self._buffer = kind, buffer if kind == socket.SOCK_STREAM else 1 << 22
        self._connections: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._read_to_the_end = threading.Semaphore(0)
        self._socket = self._bind()

    @property
    def port(self) -> int:
        """The port that was bound."""
        return int(self.address[1])

    def _bind(self) -> socket.socket:
        family = _family(self.address)
        bound = socket.socket(family, self._kind)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self._buffer:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._buffer)
        bound.bind(self.address)
        if not isinstance(self.address, str):
            self.address = bound.getsockname()[:2]
        stream = self._kind == socket.SOCK_STREAM
        if stream:
            bound.listen()
        self._start(self._accept if stream else self._receive, bound)
        return bound

    def _start(self, work: Callable[[socket.socket], None], argument: socket.socket) -> None:
        thread = threading.Thread(target=work, args=(argument,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self._connections.append(connection)
                self._start(self._read, connection)

    def _read(self, connection: socket.socket) -> None:
        part = self.inbox.new()
        with contextlib.suppress(OSError), connection:
            while data := connection.recv(1 << 16):
                self.inbox.add(part, data)
                self.inbox.wait_to_read()
        self._read_to_the_end.release()

    def _receive(self, bound: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := bound.recv(1 << 16):
                self.inbox.add(self.inbox.new(), data)
                self.inbox.wait_to_read()

    def wait_for_ends(self, streams: int = 1) -> None:
        """Return when that many streams, which the other side has closed, were read to their ends."""
        for _ in range(streams):
            if not self._read_to_the_end.acquire(timeout=PATIENCE):
                message = f"no stream ended within {PATIENCE:g} s"
                raise TimeoutError(message)

    def leave(self) -> None:
        """Close the socket and every connection. Leaving twice does nothing."""
        self.inbox.resume()
        self._end(self._socket)
        for thread in self._threads[:1]:
            thread.join()  # it accepts: from here on no connection comes
        for connection in self._connections:
            self._end(connection)
        for thread in self._threads:
            thread.join()
        self._connections, self._threads = [], []
        if isinstance(self.address, str):
            Path(self.address).unlink(missing_ok=True)

    @staticmethod
    def _end(link: socket.socket) -> None:
        with contextlib.suppress(OSError):
            link.shutdown(socket.SHUT_RDWR)
        link.close()

    def come_back(self) -> None:
        """Bind the same address again."""
        self._socket = self._bind()
