"""Datagram sockets and the threads that read them into a kernel.

Rules:

* A receiver owns its socket and closes it; `stop` first reads what it holds at that moment, however much senders add. What
  cannot be counted in `LONGEST` seconds is read and told of as dropped.
* What the operating system dropped for want of buffer (``SO_RXQ_OVFL``, a counter that wraps at 32 bits) is passed on.
* The receive buffer is asked for with ``SO_RCVBUFFORCE``, which needs ``CAP_NET_ADMIN``, then with ``SO_RCVBUF``.

Source: socket(7), udp(7), unix(7).
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import stat
import struct
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from nilometer.ingest._reference.guard import Gate
from nilometer.ingest.guard import OPEN, Guard
from nilometer.ingest.kernel import understood
from nilometer.ingest.sockets import shown

if TYPE_CHECKING:
    from collections.abc import Callable

SO_RCVBUFFORCE, SO_RXQ_OVFL, SO_MEMINFO = 33, 40, 55  # asm-generic/socket.h; the socket module has no names for them
DATAGRAM_BYTES = 1 << 20
"""Room for one datagram; a Unix datagram can be larger than UDP's 64 KiB."""
LEAST_CHARGE = 512
"""What the system takes from a receive buffer for one datagram, besides its bytes, at least."""
LONGEST = 5.0
"""Seconds for which a receiver that is stopped goes on to count."""
COUNTER, MEMORY = struct.Struct("=I"), struct.Struct("=9I")
CONTROL_BYTES = socket.CMSG_SPACE(COUNTER.size)


class Feeds(Protocol):
    """What a receiver needs of a kernel."""

    def feed_datagram(self, data: bytes, source: str, dialect: str, *, cut: bool) -> None:
        """Count the lines of a datagram, perhaps one whose end is missing."""

    def count_drops(self, number: int) -> None:
        """Count datagrams that the operating system dropped."""


def udp_socket(host: str, port: int, buffer_bytes: int) -> socket.socket:
    """Return a bound UDP socket. An empty host or ``::`` is every address, IPv6 and IPv4. Raise OSError."""
    failed = OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
    for family, address in _addresses(host, port):
        opened = None
        try:
            opened = socket.socket(family, socket.SOCK_DGRAM)
            if address[0] == "::":
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            _prepare(opened, buffer_bytes)
            opened.bind(address)
        except OSError as error:
            failed = error
            if opened is not None:
                opened.close()
        else:
            return opened
    raise failed


def _addresses(host: str, port: int) -> list[tuple[int, Any]]:
    """Return families and addresses in the order in which they are tried: a name's IPv4 addresses first."""
    if host in {"", "::"}:
        return [(socket.AF_INET6, ("::", port)), (socket.AF_INET, ("0.0.0.0", port))]  # noqa: S104 as asked for
    found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    return sorted(((family, address) for family, _, _, _, address in found), key=lambda each: each[0] == socket.AF_INET6)


def unix_socket(path: str, buffer_bytes: int) -> socket.socket:
    """Return a Unix datagram socket bound to `path`; a dead socket's file is replaced. Raise OSError."""
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        _prepare(opened, buffer_bytes)
        _remove_dead(path)
        opened.bind(path)
    except OSError:
        opened.close()
        raise
    return opened


def _remove_dead(path: str) -> None:
    """Remove the file of a socket that nobody reads any more."""
    file = Path(path)
    if not file.exists() or not stat.S_ISSOCK(file.stat().st_mode):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            file.unlink(missing_ok=True)


def _prepare(opened: socket.socket, buffer_bytes: int) -> None:
    opened.setblocking(False)  # noqa: FBT003 the socket module's own signature
    opened.setsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL, 1)
    if buffer_bytes > 0:
        try:
            opened.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, buffer_bytes)
        except PermissionError:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)


class DatagramReceiver:
    """Reads datagrams from a socket, in a thread of its own, until it is stopped."""

    def __init__(self, kernel: Feeds, opened: socket.socket, dialect: str, guard: Guard = OPEN) -> None:
        name = opened.getsockname()
        self._path = name if opened.family == socket.AF_UNIX else None
        self.address: str = name if self._path else shown(name)
        self.buffer_bytes = opened.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        self._socket, self._stopped, self._wake = opened, False, os.eventfd(0)
        self._gate = Gate(guard)
        self._reader = _Reader(kernel, opened, dialect, self._path, self._gate)
        self._thread = threading.Thread(target=self._run, name=f"receive {self.address}", daemon=True)
        self._thread.start()

    def refused(self) -> list[tuple[str, int, str]]:
        """Return why and how often datagrams were refused since the last call, and one sender for each reason."""
        return self._gate.refused()

    def rekey(self, key: bytes) -> None:
        """Check signatures with another key, where there was one."""
        self._gate.rekey(key)

    def stop(self) -> None:
        """Read what the socket still holds, then close it. Stopping twice does nothing."""
        if self._stopped:
            return
        self._stopped = True
        os.eventfd_write(self._wake, 1)
        self._thread.join()
        self._socket.close()
        os.close(self._wake)
        if self._path:
            Path(self._path).unlink(missing_ok=True)

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        while not self._stopped:
            poll.poll()
            self._reader.read(lambda: self._stopped)
        self._reader.finish(self.buffer_bytes)


class Receiving(Feeds):
    """The half of a kernel that reads datagrams, in Python.

    One thread reads a socket, however many are asked for: in Python a second one would only wait for the first.
    """

    def receive_udp(  # noqa: PLR0913 the contract's
        self,
        host: str,
        port: int,
        *,
        buffer_bytes: int,
        threads: int,  # noqa: ARG002 the contract's
        dialect: str,
        guard: Guard = OPEN,
    ) -> DatagramReceiver:
        """Bind a UDP socket and read what `guard` lets in. Raise OSError, ValueError for an unknown dialect."""
        understood(dialect)
        return DatagramReceiver(self, udp_socket(host, port, buffer_bytes), dialect, guard)

    def receive_unix(self, path: str, *, buffer_bytes: int, dialect: str, guard: Guard = OPEN) -> DatagramReceiver:
        """Bind a Unix datagram socket and read what `guard` lets in. Raise OSError, ValueError for an unknown dialect."""
        understood(dialect)
        return DatagramReceiver(self, unix_socket(path, buffer_bytes), dialect, guard)


class _Datagram(NamedTuple):
    """A datagram, who sent it, from which host, and whether its end is missing because the buffer was too short."""

    data: bytes
    source: str
    host: str
    cut: bool


class _Reader:
    """One socket's side: its buffer, and how many drops it has told of."""

    def __init__(self, kernel: Feeds, opened: socket.socket, dialect: str, path: str | None, gate: Gate) -> None:
        self._kernel, self._socket, self._dialect, self._path, self._gate = kernel, opened, dialect, path, gate
        self._buffer = bytearray(DATAGRAM_BYTES)
        self._drops = 0

    def read(self, stopped: Callable[[], bool]) -> None:
        """Count datagrams until there are none or it is stopped."""
        with contextlib.suppress(BlockingIOError):
            while not stopped():
                self._count(self._receive())

    def finish(self, buffer_bytes: int) -> None:
        """Count the datagrams that wait now, and no others; those that are left after `LONGEST` seconds are dropped."""
        end, left = time.monotonic() + LONGEST, self._waiting(buffer_bytes)
        with contextlib.suppress(BlockingIOError):
            while left > 0:
                datagram = self._receive()
                left -= len(datagram.data) + LEAST_CHARGE
                if time.monotonic() < end:
                    self._count(datagram)
                else:
                    self._kernel.count_drops(1)

    def _waiting(self, buffer_bytes: int) -> int:
        """Return the bytes of the receive buffer in use; of a Unix socket all, since what waits is charged to its senders."""
        if self._path:
            return buffer_bytes
        return int(MEMORY.unpack(self._socket.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, MEMORY.size))[0])

    def _receive(self) -> _Datagram:
        """Read one datagram. Raise BlockingIOError when there is none."""
        size, control, flags, sender = self._socket.recvmsg_into([self._buffer], CONTROL_BYTES)
        for level, kind, data in control:
            if level == socket.SOL_SOCKET and kind == SO_RXQ_OVFL:
                self._told_drops(COUNTER.unpack_from(data)[0])
        host = "" if self._path else sender[0]
        data, cut = bytes(memoryview(self._buffer)[:size]), bool(flags & socket.MSG_TRUNC)
        return _Datagram(data, self._source(sender), host, cut)

    def _count(self, datagram: _Datagram) -> None:
        data = self._gate.admit(datagram.data, datagram.host, datagram.source)
        if data is not None:
            self._kernel.feed_datagram(data, datagram.source, self._dialect, cut=datagram.cut)

    def _told_drops(self, total: int) -> None:
        new = (total - self._drops) & 0xFFFFFFFF
        self._drops = total
        if new:
            self._kernel.count_drops(new)

    def _source(self, sender: Any) -> str:  # noqa: ANN401 as the socket module has it
        return sender or self._path if self._path else shown(sender)
