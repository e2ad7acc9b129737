"""A router in Python: the rules are in `nilometer.ingest.relay.router`."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections import deque
from typing import TYPE_CHECKING

from nilometer.ingest.relay import ring
from nilometer.ingest.relay.router import Counts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

CHARGE, FRAME, LONGEST, PARCEL = 16, 1432, 65_507, 65_536
"""Bytes: what a packet takes of the queue besides its own; a datagram of a stream's lines; any; a parcel for a stream."""


def pieces(data: bytes, most: int) -> Iterator[bytes]:
    """Cut data behind newlines into pieces of at most `most` bytes; a longer line is a piece of its own."""
    while len(data) > most:
        at = data.rfind(b"\n", 0, most) + 1 or data.find(b"\n") + 1 or len(data)
        yield data[:at]
        data = data[at:]
        if not data:
            return
    yield data


class Target:
    """Where packets go, and what became of them."""

    def __init__(self, *, stream: bool, bound: int) -> None:
        self._bound, self._stream = bound, stream
        self._socket: socket.socket | None = None
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._filled = threading.Condition()
        self._closed = False
        self._counts = Counts(0, 0, 0, 0)

    @property
    def counts(self) -> Counts:
        with self._filled:
            return self._counts

    def point(self, address: str | None) -> None:
        fresh = None if address is None or self._stream else _connected(address)
        with self._filled:
            old, self._socket = self._socket, fresh
        if old is not None:
            old.close()

    def send(self, packet: bytes) -> None:
        with self._filled:
            if self._stream:
                self._put(packet + b"\n")
            elif self._socket is None:
                self._count(dropped=1)
            else:
                for piece in pieces(packet, LONGEST):
                    self._send(self._socket, piece)

    def _put(self, packet: bytes) -> None:
        if self._size + len(packet) > self._bound:
            self._count(dropped=1)
            return
        self._waiting.append(packet)
        self._size += len(packet)
        self._count(sent=1, size=len(packet))
        self._filled.notify()

    def _send(self, link: socket.socket, piece: bytes) -> None:
        """Send a datagram; the first try may only tell of an earlier one that was refused, which is counted then."""
        try:
            try:
                link.send(piece)
            except ConnectionRefusedError:
                self._count(sent=-1 if self._counts.sent else 0, refused=1)
                link.send(piece)
        except OSError:
            self._count(refused=1)
        else:
            self._count(sent=1, size=len(piece))

    def _count(self, sent: int = 0, size: int = 0, refused: int = 0, dropped: int = 0) -> None:
        before = self._counts
        self._counts = Counts(before.sent + sent, before.bytes + size, before.refused + refused, before.dropped + dropped)

    def take(self, seconds: float) -> tuple[bytes, int] | None:
        with self._filled:
            self._filled.wait_for(lambda: self._waiting or self._closed, seconds)
            if not self._waiting:
                return None if self._closed else (b"", 0)
            parts: list[bytes] = []
            size = 0
            while self._waiting and size < PARCEL:
                parts.append(self._waiting.popleft())
                size += len(parts[-1])
            self._size -= size
            return b"".join(parts), len(parts)

    def close(self) -> None:
        with self._filled:
            self._closed = True
            self._filled.notify_all()
        self.point(None)


class ReferenceRouter:
    """Repeats packets, by a thread of its own."""

    def __init__(self, streams: Sequence[bool], *, ring: bool, queue_bytes: int, detach: Callable[[], None]) -> None:
        self._targets = [Target(stream=stream, bound=queue_bytes) for stream in streams]
        self._by_ring, self._bound, self._detach = ring, queue_bytes, detach
        self._points: Sequence[tuple[int, int]] = ()
        self._filled = threading.Condition()
        self._packets: deque[bytes] = deque()
        self._size, self._full, self._unrouted = 0, 0, 0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="nilometer-relay", daemon=True)
        self._thread.start()

    def offer(self, packet: bytes) -> None:
        """Take a datagram; never waits."""
        self._offer([packet])

    def offer_lines(self, lines: bytes) -> None:
        """Take whole lines of a stream, as many as there are."""
        self._offer(pieces(lines, FRAME))

    def _offer(self, packets: Iterable[bytes]) -> None:
        with self._filled:
            for packet in packets:
                charge = len(packet) + CHARGE
                if self._closed or self._size + charge > self._bound:
                    self._full += 1
                else:
                    self._packets.append(packet)
                    self._size += charge
            self._filled.notify()

    def _run(self) -> None:
        while True:
            with self._filled:
                self._filled.wait_for(lambda: self._packets or self._closed)
                if not self._packets:
                    return
                packets, self._packets, self._size = self._packets, deque(), 0
            for packet in packets:
                self._forward(packet)

    def _forward(self, packet: bytes) -> None:
        if not self._by_ring:
            for target in self._targets:
                target.send(packet)
            return
        for line in filter(None, packet.split(b"\n")):
            number = ring.target(self._points, line)
            if number is None:
                self._unrouted += 1
            else:
                self._targets[number].send(line)

    def point(self, target: int, address: str | None) -> None:
        """Name the address of a datagram target. Raise ValueError when it is no address, OSError when there is no way to it."""
        self._targets[target].point(address)

    def route(self, points: Sequence[tuple[int, int]]) -> None:
        """Use another ring from now on."""
        self._points = sorted(points, key=lambda point: point[0])

    def take(self, target: int, seconds: float) -> tuple[bytes, int] | None:
        """Wait for something to write to a stream target."""
        return self._targets[target].take(seconds)

    def counts(self) -> list[Counts]:
        """Return what became of each target's packets."""
        return [target.counts for target in self._targets]

    def lost(self) -> tuple[int, int]:
        """Return how many packets the queue had no room for, and how many lines had no target."""
        return self._full, self._unrouted

    def stop(self) -> None:
        """Send what the queue holds, and take nothing more."""
        self._detach()
        with self._filled:
            self._closed = True
            self._filled.notify()
        self._thread.join()
        for target in self._targets:
            target.close()


def _connected(address: str) -> socket.socket:
    """Return a datagram socket that is connected to ``host:port``. Raise ValueError, OSError."""
    host, _, port = address.rpartition(":")
    where = ipaddress.ip_address(host.strip("[]"))
    link = socket.socket(socket.AF_INET if where.version == 4 else socket.AF_INET6, socket.SOCK_DGRAM)  # noqa: PLR2004 IPv4
    try:
        link.connect((str(where), int(port)))
    except OSError:
        link.close()
        raise
    return link
