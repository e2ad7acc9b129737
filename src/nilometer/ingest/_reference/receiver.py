"""Datagram sockets and the threads that read them into a kernel.

Rules:

* A receiver owns its sockets and closes them; `stop` first reads what they still hold.
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
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

SO_RCVBUFFORCE, SO_RXQ_OVFL = 33, 40  # asm-generic/socket.h; the socket module has no names for them
DATAGRAM_BYTES = 1 << 19
"""Room for one datagram; a Unix datagram can be larger than UDP's 64 KiB."""
COUNTER = struct.Struct("=I")
CONTROL_BYTES = socket.CMSG_SPACE(COUNTER.size)
V4_MAPPED = "::ffff:"


class Feeds(Protocol):
    """What a receiver needs of a kernel."""

    def feed(self, data: bytes, source: str = ..., dialect: str = ..., *, packets: int = ...) -> None:
        """Count whole lines."""

    def count_drops(self, number: int) -> None:
        """Count datagrams that the operating system dropped."""


def udp_sockets(host: str, port: int, buffer_bytes: int, threads: int) -> list[socket.socket]:
    """Return bound UDP sockets that share one port. An empty host is every address, IPv6 and IPv4. Raise OSError."""
    sockets: list[socket.socket] = []
    try:
        for _ in range(max(threads, 1)):
            sockets.append(_udp(host, port, buffer_bytes, shared=threads > 1))
            port = sockets[0].getsockname()[1]
    except OSError:
        _close(sockets)
        raise
    return sockets


def _udp(host: str, port: int, buffer_bytes: int, *, shared: bool) -> socket.socket:
    if not host:
        try:
            return _bound(socket.AF_INET6, ("::", port), buffer_bytes, shared=shared)
        except OSError as error:
            if error.errno not in {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}:
                raise
            host = "0.0.0.0"  # noqa: S104 an empty host is every address, and this machine has no IPv6
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE)[0]
    return _bound(family, address, buffer_bytes, shared=shared)


def _bound(family: int, address: Any, buffer_bytes: int, *, shared: bool) -> socket.socket:  # noqa: ANN401 as the socket module has it
    opened = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if address[0] == "::" else 1)
        if shared:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        _prepare(opened, buffer_bytes)
        opened.bind(address)
    except OSError:
        opened.close()
        raise
    return opened


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


def _close(sockets: Iterable[socket.socket]) -> None:
    for opened in sockets:
        opened.close()


class DatagramReceiver:
    """Reads datagrams from its sockets, a thread each, until it is stopped."""

    def __init__(self, kernel: Feeds, sockets: list[socket.socket], dialect: str) -> None:
        self._kernel, self._sockets, self._dialect = kernel, sockets, dialect
        name = sockets[0].getsockname()
        self._path = name if sockets[0].family == socket.AF_UNIX else None
        self.address: str = name if self._path else f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"
        self.buffer_bytes = sockets[0].getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        self._stopped = False
        self._wake = os.eventfd(0)
        self._threads = [threading.Thread(target=self._run, args=(each,), name=f"receive {self.address}") for each in sockets]
        for thread in self._threads:
            thread.daemon = True
            thread.start()

    def stop(self) -> None:
        """Read what the sockets still hold, then close them. Stopping twice does nothing."""
        if self._stopped:
            return
        self._stopped = True
        os.eventfd_write(self._wake, 1)
        for thread in self._threads:
            thread.join()
        _close(self._sockets)
        os.close(self._wake)
        if self._path:
            Path(self._path).unlink(missing_ok=True)

    def _run(self, opened: socket.socket) -> None:
        reader = _Reader(self._kernel, opened, self._dialect, self._path)
        poll = select.poll()
        poll.register(opened, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        while not self._stopped:
            poll.poll()
            reader.drain(self.buffer_bytes)
        reader.drain(self.buffer_bytes)


class _Reader:
    """One socket's side: its buffer, and how many drops it has told of."""

    def __init__(self, kernel: Feeds, opened: socket.socket, dialect: str, path: str | None) -> None:
        self._kernel, self._socket, self._dialect, self._path = kernel, opened, dialect, path
        self._buffer = bytearray(DATAGRAM_BYTES)
        self._drops = 0

    def drain(self, most: int) -> None:
        """Read until the socket is empty, or `most` bytes have come: no more were waiting."""
        read = 0
        with contextlib.suppress(BlockingIOError):
            while read <= most:
                read += self._receive() + 1

    def _receive(self) -> int:
        size, control, _, sender = self._socket.recvmsg_into([self._buffer], CONTROL_BYTES)
        for level, kind, data in control:
            if level == socket.SOL_SOCKET and kind == SO_RXQ_OVFL:
                self._told_drops(COUNTER.unpack_from(data)[0])
        self._kernel.feed(bytes(memoryview(self._buffer)[:size]), self._source(sender), self._dialect)
        return size

    def _told_drops(self, total: int) -> None:
        new = (total - self._drops) & 0xFFFFFFFF
        self._drops = total
        if new:
            self._kernel.count_drops(new)

    def _source(self, sender: Any) -> str:  # noqa: ANN401 as the socket module has it
        if self._path:
            return sender or self._path
        host, port = sender[0].removeprefix(V4_MAPPED), sender[1]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
