"""The other end of a listener: sends lines to ``udp://``, ``tcp://``, ``tcp+tls://``, ``unix://`` and ``unixgram://`` URLs.

Rules:

* A URL that a server listens on is one that can be sent to, and no host means this machine. Its options are checked; those
  that tell how to sign and how to encrypt are used, the others ignored.
* Every error of a socket becomes `Unavailable`, naming the URL and what to look at.
* A refused datagram is noticed when the other system says so before the next one is sent; a lost one never is.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import time
from typing import TYPE_CHECKING, Protocol, cast

from nilometer.core.errors import Unavailable
from nilometer.core.options import refuse
from nilometer.ingest import listener_urls
from nilometer.ingest.guard import OVERHEAD, Signer, read_key

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Sequence

    from nilometer.core.url import Url

LOCAL = "127.0.0.1"
TIMEOUT = 5.0
"""Seconds that connecting, or one send, may take."""
ANY_ADDRESS = {"", "0.0.0.0", "::"}  # noqa: S104 what servers listen on, not where we listen
DATAGRAM, STREAM_CHUNK = 1432, 64 * 1024
"""Bytes that go best in one send: a datagram that fits one Ethernet frame with every header, a piece of a stream."""

BROKEN_OFF = "UNEXPECTED_EOF_WHILE_READING"
UNSECURED = "the server ended the TLS session; perhaps it asks for a client's certificate: name one with ?cert=FILE&key=FILE"

Address = tuple[socket.AddressFamily, "tuple[object, ...] | str"]


class Peer(Protocol):
    """A way to a listener. `limit` is how many bytes go best in one `send`."""

    @property
    def limit(self) -> int:
        """Bytes in one `send`; a single line may be longer."""

    def send(self, data: bytes) -> None:
        """Send whole lines. Raise OSError."""

    def refused(self, seconds: float) -> bool:
        """Wait for at most `seconds` and return whether the other side said that nobody listens."""

    def close(self) -> None:
        """Hand over what is on the way, then hang up. Raise OSError when the other side broke off."""


class Datagrams:
    """Sends datagrams to the first of several addresses that does not refuse them."""

    def __init__(self, addresses: Sequence[Address], signer: Signer | None = None) -> None:
        self._left, self._signer = list(addresses), signer
        self.limit = DATAGRAM - (OVERHEAD if signer else 0)
        self._sock: socket.socket | None = None

    def send(self, data: bytes) -> None:
        """Send one datagram, signed where there is a key; go on to the next address while they refuse."""
        if self._signer is not None:
            data = self._signer.sign(data, time.time())
        while True:
            sock = self._sock or self._next()
            try:
                _send_datagram(sock, data)
            except OSError:
                if not self._left:
                    raise
                self._drop()
            else:
                self._left.clear()
                return

    def _next(self) -> socket.socket:
        family, address = self._left.pop(0)
        self._sock = socket.socket(family, socket.SOCK_DGRAM)
        self._sock.settimeout(TIMEOUT)
        self._sock.connect(address)
        return self._sock

    def refused(self, seconds: float) -> bool:
        """Wait for a refusal; anything else that arrives is no refusal."""
        if self._sock is None:
            return False
        self._sock.settimeout(seconds)
        try:
            self._sock.recv(1)
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
        return False

    def _drop(self) -> None:
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def close(self) -> None:
        """Hang up."""
        self._drop()


def _send_datagram(sock: socket.socket, data: bytes) -> None:
    sock.send(data)
    error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error:
        raise OSError(error, errno.errorcode.get(error, "socket error"))


class Stream:
    """Sends lines over one connection."""

    limit = STREAM_CHUNK

    def __init__(self, sock: socket.socket, *, secured: bool = False) -> None:
        self._sock, self._secured = sock, secured

    def send(self, data: bytes) -> None:
        """Send all of the bytes."""
        self._sock.sendall(data)

    def refused(self, seconds: float) -> bool:
        """Return False: a connection that stands was accepted."""
        del seconds
        return False

    def close(self) -> None:
        """End in order and wait, for a while, until the other side has read everything and hangs up too."""
        with self._sock as sock:
            if self._secured:
                cast("ssl.SSLSocket", sock).unwrap().close()  # here a server says that it did not like the client's certificate
                return
            sock.shutdown(socket.SHUT_WR)
            with contextlib.suppress(TimeoutError):
                while sock.recv(4096):
                    pass


@contextlib.contextmanager
def reaching(url: Url) -> Iterator[None]:
    """Turn a socket's error into `Unavailable` with the URL and a cure."""
    try:
        yield
    except socket.gaierror as error:
        message = f"{url}: the host {url.host!r} is not known: {error.strerror}"
        raise Unavailable(message) from error
    except OSError as error:
        broken = getattr(error, "reason", "") == BROKEN_OFF or isinstance(error, BrokenPipeError | ConnectionResetError)
        message = f"{url}: {UNSECURED if broken and url.scheme == listener_urls.TCP_TLS else _reason(error)}"
        raise Unavailable(message) from error


def _reason(error: OSError) -> str:
    if error.errno == errno.ECONNREFUSED:
        return "nothing listens there; start a server with: nilometer serve"
    if error.errno == errno.ENOENT:
        return "there is no such socket; start a server with: nilometer serve"
    if error.errno == errno.EMSGSIZE:
        return "the line is too long for one datagram"
    if isinstance(error, TimeoutError):
        return f"no answer within {TIMEOUT:g} s"
    if refused := getattr(error, "verify_message", ""):
        return f"its certificate was refused: {refused}; name its authority with ?ca=FILE"
    return error.strerror or str(error)


def connect(url: Url) -> Peer:
    """Open the way to a listener. Raise `UrlError` for a wrong URL, `Unavailable` when nobody accepts."""
    listener_urls.check(url, sending=True)
    signer = _signer(url)
    with reaching(url):
        if url.scheme == listener_urls.UDP:
            return Datagrams(_addresses(url), signer)
        if url.scheme == listener_urls.UNIXGRAM:
            return Datagrams([(socket.AF_UNIX, url.path)], signer)
        return Stream(_dial(url), secured=url.scheme == listener_urls.TCP_TLS)


def _signer(url: Url) -> Signer | None:
    file = dict(url.query).get("hmac_key_file")
    return Signer(read_key(file)) if file else None


def _dial(url: Url) -> socket.socket:
    if url.scheme == listener_urls.TCP_TLS:
        return _dial_tls(url)
    if url.scheme == listener_urls.TCP:
        return socket.create_connection(target(url), TIMEOUT)
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.settimeout(TIMEOUT)
        sock.connect(url.path)
    except OSError:
        sock.close()
        raise
    return sock


def _dial_tls(url: Url) -> socket.socket:
    """Return a TLS session. Raise OSError, `UrlError` for files that cannot be used."""
    from nilometer.core.tls import client_context  # noqa: PLC0415 only who encrypts needs it

    context = client_context(url, url.options(listener_urls.TlsPeerOptions))
    host, port = target(url)
    plain = socket.create_connection((host, port), TIMEOUT)
    try:
        return context.wrap_socket(plain, server_hostname="localhost" if url.host in ANY_ADDRESS else url.host)
    except OSError:
        plain.close()
        raise


def target(url: Url) -> tuple[str, int]:
    """Return the host and port that reach a listener; one that listens everywhere is reached at this machine.

    Raise `UrlError` for port 0: a server that was given it listens on another one.
    """
    if url.port == 0:
        raise refuse(url, "port 0 stands for any free port; name the one that the server's log shows")
    return LOCAL if url.host in ANY_ADDRESS else url.host, url.port or listener_urls.PORT


def _addresses(url: Url) -> list[Address]:
    found = socket.getaddrinfo(*target(url), type=socket.SOCK_DGRAM)
    return [(family, address) for family, _, _, _, address in found]
