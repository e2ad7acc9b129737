"""Listeners from URLs: ``udp://``, ``tcp://``, ``unix://`` (stream) and ``unixgram://`` (datagrams).

Rules:

* What cannot be bound is a `ConfigError` that names the URL and the cure, before anything runs.
* ``udp://:8125`` is every address, of IPv4 and IPv6. A host name is bound at each of its addresses.
* Two servers never share a UDP port by accident: the port is tried without SO_REUSEPORT first.
* The file of a Unix socket is replaced when nobody listens there, and removed at stop when it is still ours.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from nilometer.core.errors import ConfigError, UnknownScheme, UrlError, did_you_mean
from nilometer.core.quantity import Duration, Size
from nilometer.ingest.kernel import DIALECTS, NILOMETER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nilometer.core.losses import Losses
    from nilometer.core.url import Url
    from nilometer.ingest.kernel import Kernel
    from nilometer.ingest.streams import Streams

PORT = 8125
BUFFER = Size(16 << 20)
NEVER = Duration(0)
UDP, TCP, UNIX, UNIXGRAM = "udp", "tcp", "unix", "unixgram"
MOST_THREADS = 64
LONGEST_PATH = 107
"""Bytes in the path of a Unix socket, the zero byte at its end apart; see unix(7)."""
CURES = {
    errno.EADDRINUSE: "something listens there already; stop it, or name another port",
    errno.EACCES: "not allowed; use a port above 1023 or a directory of your own, or run with the right to",
    errno.EPERM: "not allowed; use a port above 1023 or a directory of your own, or run with the right to",
    errno.EADDRNOTAVAIL: "this machine has no such address; name one of its own, or none for all",
    errno.ENOENT: "the directory does not exist; create it",
    errno.EAFNOSUPPORT: "this machine has no IPv6; name an IPv4 address such as 0.0.0.0",
}


@dataclass(frozen=True, slots=True)
class UdpOptions:
    """Options of ``udp://``: receiver threads, the receive buffer to ask the system for, what lines mean."""

    threads: int = 1
    buffer: Size = BUFFER
    dialect: str = NILOMETER


@dataclass(frozen=True, slots=True)
class TcpOptions:
    """Options of ``tcp://``: what lines mean, and after how long without a byte a connection is closed (0: never)."""

    dialect: str = NILOMETER
    idle: Duration = NEVER


@dataclass(frozen=True, slots=True)
class UnixOptions:
    """Options of ``unix://``: as of ``tcp://``, and the mode of the socket's file as octal digits."""

    dialect: str = NILOMETER
    idle: Duration = NEVER
    mode: str = ""


@dataclass(frozen=True, slots=True)
class UnixgramOptions:
    """Options of ``unixgram://``: receive buffer, what lines mean, the mode of the socket's file as octal digits."""

    buffer: Size = BUFFER
    dialect: str = NILOMETER
    mode: str = ""


OPTIONS: dict[str, type[UdpOptions | TcpOptions | UnixOptions | UnixgramOptions]] = {
    UDP: UdpOptions,
    TCP: TcpOptions,
    UNIX: UnixOptions,
    UNIXGRAM: UnixgramOptions,
}
"""The schemes of listeners and their options."""


class Part(Protocol):
    """One bound socket of a listener."""

    @property
    def address(self) -> str:
        """Where it listens."""

    def stop(self) -> None:
        """Read what it holds, then close it."""


@dataclass(slots=True)
class Listener:
    """What one URL stands for: its sockets. `buffers` are the receive buffers that the system granted, in bytes."""

    url: Url
    parts: list[Part] = field(default_factory=list)
    buffers: list[int] = field(default_factory=list)
    clean: Callable[[], None] = lambda: None

    @property
    def addresses(self) -> list[str]:
        """Where it listens, with real ports."""
        return [f"{self.url.scheme}://{part.address}" for part in self.parts]

    def stop(self) -> None:
        """Read what the sockets hold, then close them."""
        for part in self.parts:
            part.stop()
        self.parts.clear()
        self.clean()


class Listeners:
    """Opens listeners for one kernel."""

    def __init__(self, kernel: Kernel, losses: Losses, *, max_line: int, connections: int) -> None:
        self._kernel, self._losses = kernel, losses
        self._max_line, self._connections = max_line, connections
        self._streams: Streams | None = None
        self._open = {UDP: self._udp, TCP: self._tcp, UNIX: self._unix, UNIXGRAM: self._unixgram}

    @property
    def connections(self) -> int:
        """How many stream connections are open."""
        return self._streams.connections if self._streams else 0

    def limit(self, *, max_line: int, connections: int) -> None:
        """Use other limits for connections to come."""
        self._max_line, self._connections = max_line, connections
        if self._streams is not None:
            self._streams.max_line, self._streams.most = max_line, connections

    def open(self, url: Url) -> Listener:
        """Bind what the URL names and begin to read. Raise `ConfigError` when that cannot be."""
        check(url)
        listener = Listener(url)
        try:
            self._open[url.scheme](url, listener)
        except OSError as error:
            listener.stop()
            number = error.errno or 0
            reason, cure = os.strerror(number) if number > 0 else error.strerror or error, CURES.get(number, "")
            message = f"{url}: cannot listen: {reason}{'; ' + cure if cure else ''}"
            raise ConfigError(message) from error
        except ConfigError:
            listener.stop()
            raise
        return listener

    def close(self) -> None:
        """End the loop of the stream listeners, which are stopped by then."""
        if self._streams is not None:
            self._streams.stop()
            self._streams = None

    def _udp(self, url: Url, listener: Listener) -> None:
        options = url.options(UdpOptions)
        for family, host in _addresses(url):
            port = PORT if url.port is None else url.port
            _try_udp(family, host, port)
            receiver = self._kernel.receive_udp(
                host, port, buffer_bytes=options.buffer, threads=options.threads, dialect=options.dialect
            )
            listener.parts.append(receiver)
            listener.buffers.append(receiver.buffer_bytes)

    def _unixgram(self, url: Url, listener: Listener) -> None:
        options = url.options(UnixgramOptions)
        with _unix_file(url, socket.SOCK_DGRAM, options.mode, listener) as path:
            receiver = self._kernel.receive_unix(path, buffer_bytes=options.buffer, dialect=options.dialect)
            listener.parts.append(receiver)
            listener.buffers.append(receiver.buffer_bytes)

    def _tcp(self, url: Url, listener: Listener) -> None:
        options = url.options(TcpOptions)
        for family, host in _addresses(url):
            sock = _tcp_socket(family, host, PORT if url.port is None else url.port)
            name, port = sock.getsockname()[:2]
            address = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
            self._serve(listener, sock, address, options.dialect, options.idle)

    def _unix(self, url: Url, listener: Listener) -> None:
        options = url.options(UnixOptions)
        with _unix_file(url, socket.SOCK_STREAM, options.mode, listener) as path:
            sock = socket.socket(socket.AF_UNIX)
            try:
                sock.bind(path)
            except OSError:
                sock.close()
                raise
            self._serve(listener, sock, path, options.dialect, options.idle)

    def _serve(self, listener: Listener, sock: socket.socket, address: str, dialect: str, idle: float) -> None:
        from nilometer.ingest.streams import Streams  # noqa: PLC0415 asyncio costs a server without streams its start

        if self._streams is None:
            self._streams = Streams(self._kernel, self._losses, max_line=self._max_line, most=self._connections)
        listener.parts.append(self._streams.serve(sock, address, dialect, idle))


def check(url: Url) -> None:
    """Raise `UrlError` for what is wrong with a listener's URL, without binding anything."""
    if url.scheme not in OPTIONS:
        known = ", ".join(f"{scheme}://" for scheme in OPTIONS)
        message = f"{url}: no listener answers to {url.scheme}://{did_you_mean(url.scheme, OPTIONS)}; known are {known}"
        raise UnknownScheme(message)
    options = url.options(OPTIONS[url.scheme])
    if options.dialect not in DIALECTS:
        _refuse(url, f"option dialect: {options.dialect!r} is none of {', '.join(DIALECTS)}")
    if isinstance(options, UdpOptions) and not 1 <= options.threads <= MOST_THREADS:
        _refuse(url, f"option threads: {options.threads} is not between 1 and {MOST_THREADS}")
    if url.user is not None:
        _refuse(url, "a listener asks for neither user nor password")
    if isinstance(options, UnixOptions | UnixgramOptions):
        _check_unix(url, options.mode)
    elif len(url.hosts) > 1 or url.path.strip("/"):
        _refuse(url, f"a listener has one host and no path; write {url.scheme}://host:{PORT}")


def _check_unix(url: Url, mode: str) -> None:
    if any(str(host) for host in url.hosts) or not url.path.startswith("/"):
        _refuse(url, f"names no absolute path; write {url.scheme}:///run/nilometer.sock")
    if len(os.fsencode(url.path)) > LONGEST_PATH:
        _refuse(url, f"its path is longer than {LONGEST_PATH} bytes, which the system does not take for a socket")
    if mode and not (mode.isascii() and mode.isdigit() and set(mode) <= set("01234567") and int(mode, 8) <= 0o777):  # noqa: PLR2004 all permission bits
        _refuse(url, f"option mode: {mode!r} is not octal digits such as 660")


def _refuse(url: Url, reason: str) -> None:
    message = f"{url}: {reason}"
    raise UrlError(message)


def _addresses(url: Url) -> Sequence[tuple[socket.AddressFamily, str]]:
    """Return every address that the URL's host has; of port 0 only the first, since each would get a port of its own."""
    if not url.host:
        six = _has_ipv6()
        return [(socket.AF_INET6, "::") if six else (socket.AF_INET, "0.0.0.0")]  # noqa: S104 no host means every address
    found = socket.getaddrinfo(url.host, None, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE)
    addresses = list(dict.fromkeys((family, str(where[0])) for family, _, _, _, where in found))
    return addresses[:1] if url.port == 0 else addresses


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
            sock.bind(("::", 0))
    except OSError:
        return False
    return True


def _try_udp(family: socket.AddressFamily, host: str, port: int) -> None:
    """Raise OSError when the port is taken, even by a socket that shares its port."""
    if port:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.bind((host, port))


def _tcp_socket(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, host != "::")
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock


@contextlib.contextmanager
def _unix_file(url: Url, kind: socket.SocketKind, mode: str, listener: Listener) -> Iterator[str]:
    """Make way for the socket's file; afterwards set its mode and arrange for its removal."""
    path = Path(url.path)
    _make_way(url, path, kind)
    yield str(path)
    if mode:
        path.chmod(int(mode, 8))
    made = path.stat()

    def remove() -> None:
        with contextlib.suppress(OSError):
            now = path.stat()
            if (now.st_dev, now.st_ino) == (made.st_dev, made.st_ino):
                path.unlink()

    listener.clean = remove


def _make_way(url: Url, path: Path, kind: socket.SocketKind) -> None:
    """Remove the file that a server left behind. Raise `ConfigError` when it is in use or is no socket."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        message = f"{url}: cannot listen: {path} exists and is no socket; remove it or name another path"
        raise ConfigError(message)
    with socket.socket(socket.AF_UNIX, kind) as probe:
        reply = probe.connect_ex(str(path))
    if reply != errno.ECONNREFUSED:
        message = (
            f"{url}: cannot listen: {os.strerror(reply) if reply else 'something listens there already'}; name another path"
        )
        raise ConfigError(message)
    path.unlink()
