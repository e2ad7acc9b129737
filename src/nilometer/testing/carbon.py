"""A fake carbon: records what a daemon sends to Graphite, flush by flush, text or pickle."""

from __future__ import annotations

import contextlib
import pickle
import socket
import struct
import threading
import time


class Carbon:
    """A TCP sink. Bytes that arrive without a pause of `quiet` seconds are one flush, however many connections carry it."""

    def __init__(self, quiet: float = 0.15, port: int = 0) -> None:
        self.quiet = quiet
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]
        self.arrivals: list[tuple[float, int, bytes]] = []
        self.connections: list[socket.socket] = []
        self.lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._read, args=(connection, len(self.connections)), daemon=True).start()

    def _read(self, connection: socket.socket, number: int) -> None:
        while True:
            try:
                data = connection.recv(1 << 16)
            except OSError:
                return
            if not data:
                return
            with self.lock:
                self.arrivals.append((time.monotonic(), number, data))

    def flushes(self, *, complete: bool = True) -> list[bytes]:
        """Return the flushes so far; `complete` leaves out one that may still go on."""
        groups: list[list[tuple[float, int, bytes]]] = []
        with self.lock:
            for arrival in self.arrivals:
                if groups and arrival[0] - groups[-1][-1][0] < self.quiet:
                    groups[-1].append(arrival)
                else:
                    groups.append([arrival])
        if complete and groups and time.monotonic() - groups[-1][-1][0] < self.quiet:
            groups.pop()
        return [
            b"".join(data for number in dict.fromkeys(n for _, n, _ in group) for _, n, data in group if n == number)
            for group in groups
        ]

    def wait(self, count: int, timeout: float) -> bool:
        """Wait for that many flushes, at most `timeout` seconds. Return whether they came."""
        end = time.monotonic() + timeout
        while len(self.flushes()) < count:
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    def close(self) -> None:
        """End all connections."""
        for s in (self.listener, *self.connections):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)
            s.close()


def unpickled(body: bytes) -> list[tuple[str, tuple[int, str]]]:
    """Return what a frame without its length holds."""
    rows: list[tuple[str, tuple[int, str]]] = pickle.loads(body, encoding="latin1")  # noqa: S301 from the daemon that we started
    return rows


def parse(data: bytes, *, pickled: bool) -> list[tuple[str, str]]:
    """Return (path, value) pairs in order of arrival."""
    rows: list[tuple[str, str]] = []
    if pickled:
        while data:
            (size,) = struct.unpack("!L", data[:4])
            rows += [(path, str(value)) for path, (_, value) in unpickled(data[4 : 4 + size])]
            data = data[4 + size :]
        return rows
    for line in filter(None, data.decode("latin1").split("\n")):
        path, _, rest = line.partition(" ")
        rows.append((path, rest.rsplit(" ", 1)[0]))
    return rows
