"""Who may send to a listener: networks, and keys for signed datagrams.

Rules:

* No networks: everybody may send. An IPv4 sender that reaches an IPv6 socket is an IPv4 sender.
* With a key, only signed datagrams are taken, each once, at most `window` seconds early or late by our clock.
* A key is read from a file, never from a URL, and shown nowhere.

Format of a signed datagram, that of brubeck's sampler ``statsd-secure`` (integers little endian)::

    | HMAC-SHA256 of all that follows, 32 bytes | seconds since the epoch, 8 bytes | nonce, 4 bytes | lines |
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import itertools
import os
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nilometer.core.errors import ConfigError
from nilometer.core.options import refuse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nilometer.core.url import Url

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
SIGNATURE = 32
STAMP = struct.Struct("<QI")
"""Time and nonce."""
OVERHEAD = SIGNATURE + STAMP.size
"""Bytes that signing adds to a datagram."""
SHORTEST_KEY, LONGEST_KEY = 16, 4096


@dataclass(frozen=True, slots=True)
class Guard:
    """What a datagram must be to be let in. `window` in seconds, of which `remembered` signatures are kept, at most."""

    networks: tuple[Network, ...] = ()
    key: bytes = field(default=b"", repr=False)
    window: int = 10
    remembered: int = 1_000_000

    @property
    def is_open(self) -> bool:
        """Whether it lets everything in."""
        return not self.networks and not self.key


OPEN = Guard()


def networks(url: Url, text: str) -> tuple[Network, ...]:
    """Return the networks of an option, joined by commas. Raise `UrlError` for what is none."""
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",")) if text else ()
    except ValueError as error:
        raise refuse(url, f"option allow: {error}; write networks such as 10.0.0.0/8,2001:db8::/32") from error


def holds(allowed: Iterable[Network], host: str) -> bool:
    """Return whether an address as text belongs to one of the networks."""
    address = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in allowed)


def read_key(path: str) -> bytes:
    """Return the key in a file: its first line. Raise `ConfigError` when it cannot be read, or is no good key."""
    try:
        with Path(path).open("rb") as file:
            key = file.read(LONGEST_KEY + 1).partition(b"\n")[0].rstrip(b"\r")
    except OSError as error:
        message = f"hmac_key_file {path}: {error.strerror or error}"
        raise ConfigError(message) from error
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        message = f"hmac_key_file {path}: a key has {SHORTEST_KEY} to {LONGEST_KEY} bytes; make one with: openssl rand -hex 32"
        raise ConfigError(message)
    return key


class Signer:
    """Signs datagrams with a key."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._nonces = itertools.count(int.from_bytes(os.urandom(4), "little"))

    def sign(self, lines: bytes, now: float) -> bytes:
        """Return lines as a signed datagram. `now`: seconds since the epoch."""
        rest = STAMP.pack(int(now), next(self._nonces) & 0xFFFFFFFF) + lines
        return digest(self._key, rest) + rest


def digest(key: bytes, data: bytes) -> bytes:
    """Return the signature of data."""
    return hmac.digest(key, data, hashlib.sha256)
