"""Where packets are forwarded to, by URL: ``udp://host:port`` and ``tcp://host:port``."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nilometer.core.errors import UnknownScheme, did_you_mean
from nilometer.core.options import at_least, one_host, one_of, option, refuse
from nilometer.ingest.relay.ring import Node

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nilometer.core.url import Url

UDP, TCP = "udp", "tcp"
PORT = 8125
HIGHEST: Final = 65535
FAMILIES = {"": 0, "ipv4": int(socket.AF_INET), "ipv6": int(socket.AF_INET6)}
MOST = 100
"""Targets at most: each has threads of its own."""


@dataclass(frozen=True, slots=True)
class TargetOptions:
    """Options of a target."""

    admin: int = option(0, "the port where its management interface answers `health`; 0 does not ask")
    weight: float = option(1.0, "its share of the ring, against the others' weights")
    family: str = option("", "the addresses to take of a name, `ipv4` or `ipv6`; IPv4 where it has one when empty")


@dataclass(frozen=True, slots=True)
class Target:
    """Where to forward to. `family`: 0 takes an IPv4 address where the name has one."""

    stream: bool
    host: str
    port: int
    admin: int = 0
    weight: float = 1.0
    family: int = 0

    @property
    def name(self) -> str:
        """``host:port``, as the ring has it."""
        return f"{self.host}:{self.port}"

    def __str__(self) -> str:
        """Return it as a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{TCP if self.stream else UDP}://{host}:{self.port}"

    @property
    def node(self) -> Node:
        """Its place on the ring."""
        return Node(self.name, self.weight)

    def address(self) -> str:
        """Return where datagrams go, ``host:port`` in numbers. Raise OSError when the name is not known."""
        found = socket.getaddrinfo(self.host, self.port, family=self.family, type=socket.SOCK_DGRAM)
        family, _, _, _, (host, *rest) = min(found, key=lambda each: each[0] != socket.AF_INET)
        if family != socket.AF_INET6:
            return f"{host!s}:{self.port}"
        _, zone = (int(part) for part in rest[1:])
        return f"[{str(host).partition('%')[0]}{f'%{zone}' if zone else ''}]:{self.port}"


def target(url: Url) -> Target:
    """Return what a URL names. Raise `UrlError` for what cannot be forwarded to."""
    if url.scheme not in (UDP, TCP):
        message = (
            f"{url}: nothing is forwarded to {url.scheme}://{did_you_mean(url.scheme, (UDP, TCP))}; known are udp:// and tcp://"
        )
        raise UnknownScheme(message)
    options = url.options(TargetOptions)
    host, port = one_host(url, PORT)
    if not 0 <= options.admin <= HIGHEST:
        raise refuse(url, f"option admin: {options.admin} is no port")
    at_least(url, "weight", options.weight, 0.01)
    one_of(url, "family", options.family, FAMILIES)
    return Target(url.scheme == TCP, host, port, options.admin, options.weight, FAMILIES[options.family])


def targets(urls: Iterable[Url]) -> tuple[Target, ...]:
    """Return what the URLs name, each once. Raise `UrlError` for a wrong one, or for more than `MOST`."""
    found: dict[str, Target] = {}
    for url in urls:
        made = target(url)
        found.setdefault(str(made), made)
        if len(found) > MOST:
            raise refuse(url, f"more than {MOST} targets")
    return tuple(found.values())
