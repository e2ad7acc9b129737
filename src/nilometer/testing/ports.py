"""Ports for servers of tests, below those that the system gives to connections: none is taken before its server listens."""

from __future__ import annotations

import itertools
import random
import socket
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LOWEST = 10_240
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def _highest() -> int:
    """Return the port below the first that the system itself gives away; the usual one where it does not say."""
    first = int(EPHEMERAL.read_text().split()[0]) if EPHEMERAL.exists() else 32_768
    return first - 1 if first > 2 * LOWEST else 32_767


# each process of tests goes round from a place of its own, and gives none twice in a round
_SPAN = range(LOWEST, _highest())
_NEXT: Iterator[int] = itertools.cycle([*_SPAN[(start := random.SystemRandom().randrange(len(_SPAN))) :], *_SPAN[:start]])


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Return a loopback port that nobody uses now, for streams or for datagrams."""
    for port in itertools.islice(_NEXT, len(_SPAN)):
        with socket.socket(socket.AF_INET, kind) as link:
            try:
                link.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    message = f"no port from {LOWEST} to {_SPAN[-1]} is free"
    raise OSError(message)


def free_ports(count: int) -> list[int]:
    """Return that many different ports for streams."""
    return [free_port() for _ in range(count)]
