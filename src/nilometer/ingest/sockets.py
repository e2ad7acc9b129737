"""The sockets that listeners stand on: the addresses of a host, TCP sockets, the files of Unix sockets.

Rules:

* No host means every address, of IPv4 and IPv6. A host name has each of its addresses.
* The zone of an IPv6 address (``fe80::1%eth0``) goes along with it: without one a link's own address means nothing.
* The file of a Unix socket is replaced when nobody listens there, and removed at stop when it is still ours.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nilometer.core.url import Url

EVERY_SIX, EVERY_FOUR = "::", "0.0.0.0"  # noqa: S104 no host means every address
V4_MAPPED = "::ffff:"


class Address(NamedTuple):
    """A numeric address that can be bound; `zone` is the number of the link that it belongs to, 0 for all others."""

    family: socket.AddressFamily
    host: str
    zone: int = 0

    def at(self, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
        """Return the address with a port, as the socket module takes it."""
        return (self.host, port, 0, self.zone) if self.family is socket.AF_INET6 else (self.host, port)

    @property
    def text(self) -> str:
        """The address with its zone, as the name service reads it."""
        return f"{self.host}%{self.zone}" if self.zone else self.host


def addresses(url: Url) -> Sequence[Address]:
    """Return every address that the URL's host has; of port 0 only the first, since each would get a port of its own."""
    if not url.host:
        return [Address(socket.AF_INET6, EVERY_SIX) if _has_ipv6() else Address(socket.AF_INET, EVERY_FOUR)]
    found = socket.getaddrinfo(url.host, None, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE)
    each = list(dict.fromkeys(_address(family, where) for family, _, _, _, where in found))
    return each[:1] if url.port == 0 else each


def _address(family: socket.AddressFamily, where: tuple[str | int | bytes, ...]) -> Address:
    return Address(family, str(where[0]), int(where[3]) if family is socket.AF_INET6 else 0)


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
            sock.bind((EVERY_SIX, 0))
    except OSError:
        return False
    return True


def try_udp(address: Address, port: int) -> None:
    """Raise OSError when the port is taken, even by a socket that shares its port."""
    if port:
        with socket.socket(address.family, socket.SOCK_DGRAM) as sock:
            sock.bind(address.at(port))


def tcp_socket(address: Address, port: int) -> socket.socket:
    """Return a bound TCP socket. Raise OSError.

    It names its protocol: only then asyncio turns Nagle's algorithm off, which would hold back half an answer for 40 ms.
    """
    sock = socket.socket(address.family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if address.family is socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, address.host != EVERY_SIX)
        sock.bind(address.at(port))
    except OSError:
        sock.close()
        raise
    return sock


def shown(name: tuple[str, int] | tuple[str, int, int, int]) -> str:
    """Return an address of the socket module as ``host:port``, an IPv4 one inside IPv6 as IPv4, a zone by its number."""
    host = name[0].removeprefix(V4_MAPPED)
    zone = f"%{name[3]}" if len(name) > 3 and name[3] and "%" not in host else ""  # noqa: PLR2004 an IPv6 address has four parts
    return f"[{host}{zone}]:{name[1]}" if ":" in host else f"{host}:{name[1]}"


@contextlib.contextmanager
def unix_file(url: Url, kind: socket.SocketKind, mode: str, owner: Callable[[Callable[[], None]], None]) -> Iterator[str]:
    """Make way for the socket's file; afterwards set its mode and give `owner` the function that removes it."""
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

    owner(remove)


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
