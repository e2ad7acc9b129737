"""Clients that are made as those of the package ``statsd`` are: changing the import is enough.

What differs: lines wait for each other up to half a second, over UDP too; a host's name is asked for in the background; nothing
raises for the network but `TCPStatsClient.connect`, as there; `tags` may be given to every method.

Source: https://statsd.readthedocs.io/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from nilometer.core.quantity import Duration
from nilometer.core.statsd_target import Target
from nilometer.emit.client.client import StatsD
from nilometer.emit.client.options import Options

if TYPE_CHECKING:
    from nilometer.emit.client.outbox import StreamOutbox
    from nilometer.emit.client.stream import Stream

TIMEOUT = 5.0


class StatsClient(StatsD):
    """A client over UDP."""

    def __init__(
        self,
        host: str = "localhost",
        port: int = 8125,
        prefix: str | None = None,
        maxudpsize: int = 512,
        ipv6: bool = False,  # noqa: FBT001, FBT002 the signature that users of statsd know
    ) -> None:
        target = Target(host, port, "", stream=False, family="ipv6" if ipv6 else "ipv4")
        self._begin(target, Options(mtu=maxudpsize), prefix)


class _StreamClient(StatsD):
    @property
    def _stream(self) -> Stream:
        return cast("StreamOutbox", self._outbox).stream

    def connect(self) -> None:
        """Connect now; without this, the first line does. Raises OSError."""
        self._stream.connect()

    def reconnect(self) -> None:
        """Hang up, and connect anew. Raises OSError."""
        self._stream.connect()


class TCPStatsClient(_StreamClient):
    """A client over TCP."""

    def __init__(
        self,
        host: str = "localhost",
        port: int = 8125,
        prefix: str | None = None,
        timeout: float | None = None,
        ipv6: bool = False,  # noqa: FBT001, FBT002 likewise
    ) -> None:
        target = Target(host, port, "", stream=True, family="ipv6" if ipv6 else "ipv4")
        self._begin(target, Options(timeout=Duration(timeout or TIMEOUT)), prefix)


class UnixSocketStatsClient(_StreamClient):
    """A client over a Unix stream socket."""

    def __init__(self, socket_path: str, prefix: str | None = None, timeout: float | None = None) -> None:
        self._begin(Target("", 0, socket_path, stream=True), Options(timeout=Duration(timeout or TIMEOUT)), prefix)
