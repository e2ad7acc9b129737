"""A server that only listens: bytes of streams or datagrams go into an inbox; it can leave, come back, stall and resume."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE, LOOK = 10.0, 0.02
"""Seconds for which an inbox waits for what was sent, and between two looks."""


class Inbox:
    """Bytes that arrived, each stream's or datagram's by itself. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parts: list[bytearray] = []
        self._reading = threading.Event()
        self._reading.set()

    def new(self) -> bytearray:
        """Return a new part; `add` fills it."""
        with self._lock:
            self._parts.append(bytearray())
            return self._parts[-1]

    def add(self, part: bytearray, data: bytes) -> None:
        """Add bytes to a part."""
        with self._lock:
            part += data

    def parts(self) -> list[bytes]:
        """Return what arrived so far."""
        with self._lock:
            return [bytes(part) for part in self._parts]

    def clear(self) -> None:
        """Forget what arrived, as a server that died before it read that."""
        with self._lock:
            self._parts.clear()

    def wait(self, complaints: Callable[[list[bytes]], list[str]]) -> list[str]:
        """Return what `complaints` says of the parts, as soon as that is nothing or patience ends."""
        end = time.monotonic() + PATIENCE
        while (left := complaints(self.parts())) and time.monotonic() < end:
            time.sleep(LOOK)
        return left

    def stall(self) -> None:
        """Make readers stop."""
        self._reading.clear()

    def resume(self) -> None:
        """Let readers go on."""
        self._reading.set()

    def wait_to_read(self) -> None:
        """Return at once, or when reading goes on."""
        self._reading.wait()


class Server:
    """A socket that fills an `Inbox`: TCP, Unix stream, UDP or Unix datagram, at an address that stays the same."""

    BUFFER = 1 << 16
    """Bytes of a stream's receive buffer: small, so that a stalled reader is felt soon."""

    def __init__(self, address: tuple[str, int] | str, kind: socket.SocketKind) -> None:
        self.address, self.inbox = address, Inbox()
        self._kind = kind
        self._connections: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._read_to_the_end = threading.Semaphore(0)
        self._socket = self._bind()

    @property
    def port(self) -> int:
        """The port that was bound."""
        return int(self.address[1])

    def _bind(self) -> socket.socket:
        family = socket.AF_UNIX if isinstance(self.address, str) else socket.AF_INET
        bound = socket.socket(family, self._kind)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stream = self._kind == socket.SOCK_STREAM
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.BUFFER if stream else 1 << 22)
        bound.bind(self.address)
        if not isinstance(self.address, str):
            self.address = bound.getsockname()
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
