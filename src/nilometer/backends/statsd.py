"""StatsD: flushes repeated to another StatsD server, line by line, over UDP, TCP or a Unix socket.

A flush holds aggregates; what can be made samples again, is, and the rest goes as gauges:

* A counter's ``count`` goes as a counter (``name:15|c``); zero adds nothing and is not sent. Rates are the receiver's to take.
* A gauge goes as a gauge; one below zero as two lines, ``name:0|g`` and ``name:-5|g``, for a sign would mean a change.
* A timer's statistics and a set's count go as gauges below the name (``name.mean:2.5|g``), unless ``derived=false``:
  percentiles of percentiles cannot be told, so the receiver only keeps them.
* NaN and infinite values have no place on this wire and are left out, and so is a line that exceeds a datagram; both are
  counted once the flush is written.

An event goes as the counters that `core.event_types.lines` makes of it.

Rules of delivery: counters are not idempotent. So a flush goes out in numbered parts (datagrams of at most `mtu` bytes, or
pieces of a stream); a flush that is written again goes on after the last part that was taken, and one of the last few
flushes that were written whole is not sent again. A datagram is taken when the system did not refuse it, a stream's piece
when the peer's system acknowledged it; the one piece that was under way when a stream broke is sent again.

Format: https://github.com/statsd/statsd/blob/master/docs/metric_types.md
"""

from __future__ import annotations

import socket
import zlib
from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nilometer.backends._parts.datagrams import Datagrams
from nilometer.backends._parts.statsd_lines import Lines, pack
from nilometer.backends._parts.stream import Stream
from nilometer.core import statsd_target
from nilometer.core.event_types import EVERY, Registry
from nilometer.core.event_types import Lines as EventLines
from nilometer.core.options import at_least, one_of, option
from nilometer.core.quantity import Duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nilometer.core.record import Event, Flush, Window
    from nilometer.core.url import Url

SCHEMES = statsd_target.SCHEMES
URL_EXAMPLES = (
    "statsd://localhost:8125",
    "statsd://central.example?prefix=edge1.&mtu=8932",
    "statsd+tcp://central.example:8125",
    "statsd+unix:///run/statsd.sock",
    "statsd+unixgram:///run/statsd.sock",
)
EXTRA = ""
TAGS = DOGSTATSD, GRAPHITE = ("dogstatsd", "graphite")
PIECE = 1 << 16
"""Bytes of lines that a stream carries between two acknowledgements."""
LONGEST = 65_507
"""Bytes in a UDP datagram over IPv4, at most."""
NOT_FINITE, TOO_LONG = ("sink", "not_finite"), ("sink", "too_long")
REMEMBERED = 16
"""Flushes written last that are known again."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is repeated, and how it is packed."""

    prefix: str = option("", "put before every name, as in `edge1.`")
    tags: str = option(DOGSTATSD, "how tags go: `dogstatsd` (`name:1|c|#tag:value`) or `graphite` (`name;tag=value:1|c`)")
    derived: bool = option(default=True, text="send timers' statistics and sets' counts, as gauges")
    mtu: int = option(1432, "most bytes in a datagram; one longer line goes alone (streams have no such limit)")
    timeout: Duration = option(Duration(5), "longest time to connect, and for each 256 KiB")  # noqa: RUF009 declares a field


class Statsd:
    """Repeats flushes as StatsD lines, each part once. `size`: bytes in a part; longer lines than `longest` are left out."""

    def __init__(self, channel: Stream | Datagrams, peer: str, lines: Lines, size: int, longest: int | None) -> None:
        self._channel, self._peer = channel, peer
        self._lines, self._size, self._longest = lines, size, longest
        self._end = b"\n" if isinstance(channel, Stream) else b""
        self._written: deque[Mark] = deque(maxlen=REMEMBERED)
        self._under_way: tuple[Mark, int] | None = None
        self._left_out: Counter[Loss] = Counter()
        self.use(Registry(EVERY))

    def write(self, flush: Flush) -> None:
        """Send the parts that were not taken yet. Raise `Unavailable`."""
        left_out: Counter[Loss] = Counter()
        parts = list(pack(self._pieces(flush, left_out), self._size))
        if self._send(_mark(flush.window, parts), parts):
            self._left_out += left_out

    def write_events(self, events: Sequence[Event]) -> None:
        """Send the counters of events; parts that were taken before are not sent again. Raise `Unavailable`."""
        lines = (line.encode() for event in events for line in self._event_lines(event))
        parts = list(pack(lines, self._size))
        self._send(_mark(tuple(event.id for event in events), parts), parts)

    def use(self, types: Registry) -> None:
        """Know the types of this registry from now on."""
        self._event_lines = EventLines(types, prefix=self._lines.prefix, tags=DOGSTATSD if self._lines.dogstatsd else GRAPHITE)

    def _send(self, mark: Mark, parts: Sequence[bytes]) -> bool:
        """Send the parts that were not taken yet. Return whether they are new. Raise `Unavailable`."""
        if mark in self._written:
            return False
        first = self._under_way[1] if self._under_way is not None and self._under_way[0] == mark else 0
        for number in range(first, len(parts)):
            self._under_way = mark, number
            self._channel.send(parts[number] + self._end)
        self._under_way = None
        self._written.append(mark)
        return True

    def _pieces(self, flush: Flush, left_out: Counter[Loss]) -> Iterator[bytes]:
        for piece in self._lines(flush, lambda: left_out.update([NOT_FINITE])):
            if self._longest is None or len(piece) <= self._longest:
                yield piece
            else:
                left_out[TOO_LONG] += 1

    def left_out(self) -> Mapping[Loss, int]:
        """Return how many values of written flushes were left out since the last call, by stage and reason."""
        left_out, self._left_out = self._left_out, Counter()
        return left_out

    def check(self) -> str:
        """Say what is known about the other side. Raise `Unavailable`."""
        if isinstance(self._channel, Datagrams):
            return f"statsd: {self._peer} {self._channel.check()}"
        self._channel.connect()
        return f"statsd: {self._peer} accepts connections"

    def close(self) -> None:
        """Hang up."""
        self._channel.close()


Loss = tuple[str, str]
"""Stage and reason of a loss."""

Mark = tuple["Window | tuple[str, ...]", int]
"""What a flush is known by: its window, and a checksum of its lines. Events are known by their ids."""


def _mark(window: Window | tuple[str, ...], parts: Iterable[bytes]) -> Mark:
    checksum = 0
    for part in parts:
        checksum = zlib.crc32(part, checksum)
    return window, checksum


def open(url: Url) -> Statsd:  # noqa: A001 each backend has this name
    """Open a URL of one of `SCHEMES`. Raise `UrlError` for a wrong part."""
    options = url.options(Options)
    one_of(url, "tags", options.tags, TAGS)
    at_least(url, "mtu", options.mtu, 1)
    at_least(url, "timeout", options.timeout, 0.001)
    peer = statsd_target.target(url)
    lines = Lines(options.prefix, options.tags == DOGSTATSD, options.derived)
    if not peer.stream:
        datagrams = Datagrams(lambda: _datagram_socket(peer, options.timeout), str(url))
        return Statsd(datagrams, str(peer), lines, options.mtu, LONGEST)
    stream = Stream(lambda: _stream_socket(peer, options.timeout), str(url), options.timeout)
    return Statsd(stream, str(peer), lines, PIECE, None)


def _stream_socket(peer: statsd_target.Target, timeout: float) -> socket.socket:
    if not peer.path:
        return socket.create_connection((peer.host, peer.port), timeout)
    return _connected(socket.AF_UNIX, socket.SOCK_STREAM, peer.path, timeout)


def _datagram_socket(peer: statsd_target.Target, timeout: float) -> socket.socket:
    """Return a connected datagram socket; a name that has addresses of both families is taken by its IPv4 one."""
    if peer.path:
        return _connected(socket.AF_UNIX, socket.SOCK_DGRAM, peer.path, timeout)
    found = socket.getaddrinfo(peer.host, peer.port, type=socket.SOCK_DGRAM)
    family, *_, address = min(found, key=lambda each: each[0] != socket.AF_INET)
    return _connected(family, socket.SOCK_DGRAM, address, timeout)


def _connected(family: int, kind: int, address: tuple[str | int | bytes, ...] | str, timeout: float) -> socket.socket:
    connected = socket.socket(family, kind)
    try:
        connected.settimeout(timeout)
        connected.connect(address)
    except BaseException:
        connected.close()
        raise
    return connected
