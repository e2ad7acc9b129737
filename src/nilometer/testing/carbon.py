"""A fake carbon, text or pickle: the peer of the Graphite sinks, and what a daemon under test or under load sends to.

It reads what it was sent as points, for which a point written twice is one, or as flushes, in order and with their repeats.
"""

from __future__ import annotations

import pickle
import socket
import time
from typing import TYPE_CHECKING, NamedTuple

from nilometer.testing._server import Server
from nilometer.testing.peers import Listening, differences, finite_points
from nilometer.testing.waiting import PATIENCE, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.core.record import Flush
    from nilometer.testing._server import Arrival

LENGTH = 4
"""Bytes of length before a frame."""
QUIET = 0.15
"""Seconds without a byte after which a flush has ended."""


class Row(NamedTuple):
    """One metric as it was sent: path, value as text, whole seconds since the epoch."""

    path: str
    value: str
    second: int


class Carbon(Listening):
    """Carbon's port. Bytes that arrive without a pause of `quiet` seconds are one flush, however many connections carry it."""

    def __init__(
        self, *, pickled: bool = False, options: str = "", port: int = 0, quiet: float = QUIET, buffer: int = Server.BUFFER
    ) -> None:
        self._pickled, self._quiet = pickled, quiet
        scheme = "graphite+pickle" if pickled else "graphite"
        super().__init__(scheme, ("127.0.0.1", port), socket.SOCK_STREAM, options, buffer)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self.server.port

    def points(self) -> dict[tuple[str, int], float]:
        """Return the value of each path and second that arrived so far."""
        return self._points(self.server.inbox.parts())

    def _points(self, parts: list[bytes]) -> dict[tuple[str, int], float]:
        rows = (row for part in parts for row in parse(part, pickled=self._pickled))
        return {(row.path, row.second): float(row.value) for row in rows}

    def lacks(self, flush: Flush) -> list[str]:
        """Wait for the flush's points."""
        wanted = {(path, flush.window.timestamp): value for path, value in finite_points(flush).items()}
        return self.server.inbox.wait(lambda parts: differences(wanted, self._points(parts)))

    def flushes(self, *, complete: bool = True) -> list[bytes]:
        """Return the flushes so far; `complete` leaves out one that may still go on."""
        groups: list[list[Arrival]] = []
        for arrival in self.server.inbox.arrivals():
            if groups and arrival.time - groups[-1][-1].time < self._quiet:
                groups[-1].append(arrival)
            else:
                groups.append([arrival])
        if complete and groups and time.monotonic() - groups[-1][-1].time < self._quiet:
            groups.pop()
        return [_by_connection(group) for group in groups]

    def rows(self) -> list[Row]:
        """Return the rows of all flushes so far, one that goes on too."""
        return parse(b"".join(self.flushes(complete=False)), pickled=self._pickled)

    def wait(self, count: int, patience: float = PATIENCE, told: Callable[[], str] = str) -> None:
        """Wait for that many flushes. Raise TimeoutError, with what is `told` then, when they do not come."""
        until(lambda: len(self.flushes()) >= count, f"flush {count} reaches the fake carbon", patience, told)


def _by_connection(group: list[Arrival]) -> bytes:
    """Join what each connection brought, the connections in order of their first bytes."""
    parts: dict[int, list[bytes]] = {}
    for arrival in group:
        parts.setdefault(arrival.part, []).append(arrival.data)
    return b"".join(data for part in parts.values() for data in part)


def parse(data: bytes, *, pickled: bool = False) -> list[Row]:
    """Return the rows of whole lines or frames, in order."""
    return _pickled_rows(data) if pickled else _text_rows(data)


def _text_rows(data: bytes) -> list[Row]:
    rows = []
    for line in filter(None, data[: data.rfind(b"\n") + 1].decode("utf-8", "backslashreplace").split("\n")):
        path, value, second = line.rsplit(" ", 2)
        rows.append(Row(path, value, int(second)))
    return rows


def _pickled_rows(data: bytes) -> list[Row]:
    rows, begin = [], 0
    while len(data) >= begin + LENGTH:
        end = begin + LENGTH + int.from_bytes(data[begin : begin + LENGTH], "big")
        if end > len(data):
            break
        metrics = unpickled(data[begin + LENGTH : end])
        rows += [Row(path.encode("latin-1").decode(), str(value), int(second)) for path, (second, value) in metrics]
        begin = end
    return rows


def unpickled(body: bytes) -> list[tuple[str, tuple[int, str]]]:
    """Return what a frame without its length holds."""
    rows: list[tuple[str, tuple[int, str]]] = pickle.loads(body, encoding="latin1")  # noqa: S301 from the daemon that we started
    return rows
