"""Listeners from URLs: ``udp://``, ``tcp://``, ``tcp+tls://``, ``unix://`` (stream) and ``unixgram://`` (datagrams).

Rules:

* What a URL may say is told in `listener_urls`, what it is bound to in `sockets`.
* What cannot be bound is a `ConfigError` that names the URL and the cure, before anything runs.
* ``udp://:8125`` is every address, of IPv4 and IPv6. A host name is bound at each of its addresses.
* Two servers never share a UDP port by accident: the port is tried without SO_REUSEPORT first.
"""

from __future__ import annotations

import errno
import os
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from nilometer.core.errors import ConfigError
from nilometer.ingest.entry import Entry
from nilometer.ingest.guard import networks
from nilometer.ingest.listener_urls import (
    PORT,
    TCP,
    TCP_TLS,
    UDP,
    UNIX,
    UNIXGRAM,
    DatagramOptions,
    StreamOptions,
    TcpOptions,
    TlsOptions,
    UdpOptions,
    UnixgramOptions,
    UnixOptions,
    check,
    guard,
)
from nilometer.ingest.refusals import Refusals
from nilometer.ingest.sockets import addresses, shown, tcp_socket, try_udp, unix_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.core.losses import Losses
    from nilometer.core.url import Url
    from nilometer.ingest.kernel import Kernel, Receiver
    from nilometer.ingest.streams import Streams

CURES = {
    errno.EADDRINUSE: "something listens there already; stop it, or name another port",
    errno.EACCES: "not allowed; use a port above 1023 or a directory of your own, or run with the right to",
    errno.EPERM: "not allowed; use a port above 1023 or a directory of your own, or run with the right to",
    errno.EADDRNOTAVAIL: "this machine has no such address; name one of its own, or none for all",
    errno.ENOENT: "the directory does not exist; create it",
    errno.EAFNOSUPPORT: "this machine has no IPv6; name an IPv4 address such as 0.0.0.0",
    socket.EAI_NONAME: "this machine knows no such name, or no link of such a zone",
}


def refused(url: Url, error: OSError) -> ConfigError:
    """Return the error that says why the system does not let us listen, and the cure."""
    number = error.errno or 0
    reason, cure = os.strerror(number) if number > 0 else error.strerror or error, CURES.get(number, "")
    return ConfigError(f"{url}: cannot listen: {reason}{'; ' + cure if cure else ''}")


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
    receivers: list[Receiver] = field(default_factory=list)
    renew: Callable[[], Callable[[], None]] = lambda: lambda: None
    """Reads the files that its options name; what it returns uses them. Raises `ConfigError`."""
    clean: Callable[[], None] = lambda: None

    @property
    def addresses(self) -> list[str]:
        """Where it listens, with real ports."""
        return [f"{self.url.scheme}://{part.address}" for part in self.parts]

    def cleaned_by(self, clean: Callable[[], None]) -> None:
        """Call `clean` once the sockets are closed."""
        self.clean = clean

    def read_by(self, receiver: Receiver) -> None:
        """Take over a socket of datagrams."""
        self.parts.append(receiver)
        self.receivers.append(receiver)
        self.buffers.append(receiver.buffer_bytes)

    def count_refused(self, refusals: Refusals) -> None:
        """Count what its receivers have refused since the last call."""
        for receiver in self.receivers:
            for reason, number, source in receiver.refused():
                refusals.count(str(self.url), reason, number, source)

    def stop(self) -> None:
        """Read what the sockets hold, then close them."""
        for part in self.parts:
            part.stop()
        self.parts.clear()
        self.clean()


def _rekey(listener: Listener, options: DatagramOptions) -> Callable[[], None]:
    """Read the key again. Return what makes the receivers use it."""
    key = guard(listener.url, options).key

    def use() -> None:
        for receiver in listener.receivers:
            receiver.rekey(key)

    return use


class Listeners:
    """Opens listeners for one kernel."""

    def __init__(self, kernel: Kernel, losses: Losses, *, max_line: int, connections: int) -> None:
        self._kernel, self._losses = kernel, losses
        self._max_line, self._connections = max_line, connections
        self._streams: Streams | None = None
        self.refusals = Refusals(losses)
        self._open = {UDP: self._udp, TCP: self._tcp, TCP_TLS: self._tls, UNIX: self._unix, UNIXGRAM: self._unixgram}

    @property
    def connections(self) -> int:
        """How many stream connections are open."""
        return self._streams.connections if self._streams else 0

    @property
    def skipped(self) -> int:
        """How many bytes of over-long lines from streams were received and not fed to the kernel, since the start."""
        return self._streams.skipped if self._streams else 0

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
            raise refused(url, error) from error
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
        guarded = guard(url, options)
        for address in addresses(url):
            port = PORT if url.port is None else url.port
            try_udp(address, port)
            listener.read_by(
                self._kernel.receive_udp(
                    address.text,
                    port,
                    buffer_bytes=options.buffer,
                    threads=options.threads,
                    dialect=options.reading,
                    guard=guarded,
                )
            )
        listener.renew = lambda: _rekey(listener, options)

    def _unixgram(self, url: Url, listener: Listener) -> None:
        options = url.options(UnixgramOptions)
        guarded = guard(url, options)
        with unix_file(url, socket.SOCK_DGRAM, options.mode, listener.cleaned_by) as path:
            receiver = self._kernel.receive_unix(path, buffer_bytes=options.buffer, dialect=options.reading, guard=guarded)
            listener.read_by(receiver)
        listener.renew = lambda: _rekey(listener, options)

    def _tcp(self, url: Url, listener: Listener) -> None:
        options = url.options(TcpOptions)
        self._tcp_sockets(url, listener, options, Entry(networks(url, options.allow)))

    def _tls(self, url: Url, listener: Listener) -> None:
        from nilometer.core.tls import server_context  # noqa: PLC0415 ssl costs a server without it its start

        options = url.options(TlsOptions)
        entry = Entry(networks(url, options.allow), server_context(url, options), options.handshake)
        self._tcp_sockets(url, listener, options, entry)

        def renew() -> Callable[[], None]:
            made = server_context(url, options)
            return lambda: setattr(entry, "tls", made)

        listener.renew = renew

    def _tcp_sockets(self, url: Url, listener: Listener, options: TcpOptions, entry: Entry) -> None:
        for address in addresses(url):
            sock = tcp_socket(address, PORT if url.port is None else url.port)
            self._serve(listener, sock, shown(sock.getsockname()), options, entry)

    def _unix(self, url: Url, listener: Listener) -> None:
        options = url.options(UnixOptions)
        with unix_file(url, socket.SOCK_STREAM, options.mode, listener.cleaned_by) as path:
            sock = socket.socket(socket.AF_UNIX)
            try:
                sock.bind(path)
            except OSError:
                sock.close()
                raise
            self._serve(listener, sock, path, options, Entry())

    def _serve(self, listener: Listener, sock: socket.socket, address: str, options: StreamOptions, entry: Entry) -> None:
        from nilometer.ingest.streams import Streams  # noqa: PLC0415 asyncio costs a server without streams its start

        if self._streams is None:
            self._streams = Streams(self._kernel, self._losses, max_line=self._max_line, most=self._connections)

        def refused(reason: str, source: str, why: str) -> None:
            self.refusals.count(str(listener.url), reason, 1, source, why)

        entry.refused = refused
        listener.parts.append(self._streams.serve(sock, address, options.reading, options.idle, entry))
