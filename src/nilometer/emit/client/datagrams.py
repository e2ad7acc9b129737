"""A datagram socket that never waits: UDP or Unix, opened when it is needed, opened anew when it breaks.

Rules:

* `send` takes a datagram, keeps it for later, or says that it is lost; it never blocks and never raises.
* What the system has no room for now is kept, up to `KEPT` datagrams, and goes out before the next one.
* A host's name is resolved by `open` alone, which may wait: whoever calls it does so in a thread of its own.
* A connected UDP socket tells of the datagram before that nobody listens; then that one is lost, and this one is sent again.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nilometer.core.statsd_target import Target
    from nilometer.emit.client.losses import Losses

KEPT = 64
"""Datagrams that wait for room in the system's buffers."""
LOOK_AGAIN_SECONDS = 60.0
"""How long an answer to a host's name is believed."""
SEND_BUFFER = 1 << 20


class Datagrams:
    """Datagrams to one target. `lines` counts what a datagram holds, for the losses."""

    def __init__(self, target: Target, losses: Losses) -> None:
        self._target, self._losses = target, losses
        self._socket: socket.socket | None = None
        self._kept: deque[tuple[bytes, int]] = deque()
        self._before = 0
        self._resolved = 0.0
        self.literal = bool(target.path) or _is_address(target.host)

    def ready(self) -> bool:
        """Return whether datagrams can go out now, without waiting for a name."""
        return self._socket is not None or (self.literal and self.open())

    def stale(self) -> bool:
        """Return whether a host's name should be asked for again."""
        return not self.literal and monotonic() - self._resolved > LOOK_AGAIN_SECONDS

    def open(self) -> bool:
        """Open a socket, or a new one; may wait for a name. Returns whether there is one."""
        self._resolved = monotonic()
        try:
            opened = _connected(self._target)
        except (OSError, UnicodeError):
            return self._socket is not None
        before, self._socket = self._socket, opened
        if before is not None:
            before.close()
        return True

    def send(self, data: bytes, lines: int) -> None:
        """Send a datagram, or keep it until the system has room."""
        if (self._kept and not self.retry()) or not self._sent(data, lines):
            self._keep(data, lines)

    def retry(self) -> bool:
        """Send what was kept; returns whether nothing is left of it."""
        while self._kept:
            if not self._sent(*self._kept[0]):
                return False
            self._kept.popleft()
        return True

    def give_up(self) -> None:
        """Count what is still kept as lost."""
        while self._kept:
            self._losses.count("network", self._kept.popleft()[1])

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def forked(self) -> None:
        """Forget the parent's datagrams and its socket, which stays open in the parent."""
        self._kept.clear()
        self.close()

    def _keep(self, data: bytes, lines: int) -> None:
        self._kept.append((data, lines))
        if len(self._kept) > KEPT:
            self._losses.count("network", self._kept.popleft()[1])

    def _sent(self, data: bytes, lines: int) -> bool:
        """Send now. False: the system has no room, try later. What is lost is counted and done with."""
        for _ in range(2):
            if self._socket is None and not (self.literal and self.open()):
                return False
            assert self._socket is not None  # noqa: S101 opened above
            try:
                self._socket.send(data)
            except (BlockingIOError, InterruptedError):
                return False
            except ConnectionRefusedError:
                if self._target.path:  # nobody is bound to the path any more
                    self.close()
                self._losses.count("refused", self._before if not self._target.path else 0)
                self._before = 0
                continue
            except OSError:
                self.close()
                continue
            self._before = lines
            return True
        self._losses.count("network" if self._target.path else "refused", lines)
        return True


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


FAMILIES = {"": socket.AF_UNSPEC, "ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}


def _connected(target: Target) -> socket.socket:
    """Return a connected socket that never waits; a name with addresses of both families is taken by its IPv4 one."""
    if target.path:
        return _connect(socket.AF_UNIX, target.path)
    found = socket.getaddrinfo(target.host, target.port, FAMILIES[target.family], socket.SOCK_DGRAM)
    family, *_, address = min(found, key=lambda each: each[0] != socket.AF_INET)
    return _connect(family, address)


def _connect(family: int, address: tuple[str | int | bytes, ...] | str) -> socket.socket:
    connected = socket.socket(family, socket.SOCK_DGRAM)
    try:
        connected.settimeout(0)
        with contextlib.suppress(OSError):
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        connected.connect(address)
    except BaseException:
        connected.close()
        raise
    return connected
