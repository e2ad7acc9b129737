"""Graphite: flushes to carbon as lines of text (``graphite``, port 2003) or as pickles (``graphite+pickle``, port 2004).

Rules:

* Connections are opened when first needed and kept; see `_parts.stream` for when a write counts as written.
* A flush is written whole or the whole of it again: a point written twice is one point in Graphite.
* Carbon never says what it has read. So the last `resend` flushes are written again, in order, on the connection that
  follows a lost one: the lost one may have died with them unread.
* One URL is one carbon. Several carbons are several sinks, so that one can be away without holding up the others.

Format: carbon's plaintext and pickle protocols, https://graphite.readthedocs.io/en/stable/feeding-carbon.html
"""

from __future__ import annotations

import itertools
import socket
import ssl
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nilometer.backends._parts.graphite_stats import Stats
from nilometer.backends._parts.stream import Stream
from nilometer.backends._parts.tls import CA, CERT, KEY, VERIFY, tls_context
from nilometer.core.errors import Unavailable
from nilometer.core.naming_options import NamingOptions
from nilometer.core.options import at_least, one_host, option
from nilometer.core.quantity import Duration
from nilometer.core.wire import render

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nilometer.core.naming import Naming
    from nilometer.core.record import Flush
    from nilometer.core.url import Url

SCHEMES = ("graphite", "graphite+pickle")
URL_EXAMPLES = (
    "graphite://localhost",
    "graphite://carbon.example:2003?connections=4&prefix=eu",
    "graphite+pickle://localhost:2004?namespace=legacy",
    "graphite://carbon.example?tls=true&ca=/etc/nilometer/ca.pem",
)
EXTRA = ""
PICKLE = "graphite+pickle"
PORTS = {"graphite": 2003, PICKLE: 2004}


@dataclass(frozen=True, slots=True)
class Options(NamingOptions):
    """How to reach carbon, and how series become paths."""

    timeout: Duration = option(Duration(5), "longest time to connect, and for each 256 KiB")  # noqa: RUF009 declares a field
    connections: int = option(1, "connections that share the points of a flush, each a part of its own")
    resend: int = option(1, "flushes written last that are written again after a lost connection")
    tls: bool = option(default=False, text="speak TLS")
    ca: str = option("", CA)
    cert: str = option("", CERT)
    key: str = option("", KEY)
    verify: bool = option(default=True, text=VERIFY)
    statsd_stats: str = option("", "name under which to send statsd's own figures about the sink; none when empty")


class Graphite:
    """Writes flushes to one carbon over one or more kept connections."""

    def __init__(self, streams: Sequence[Stream], layout: Layout, stats: Stats | None, resend: int) -> None:
        self._streams, self._layout, self._stats = tuple(streams), layout, stats
        self._recent: deque[Flush] = deque(maxlen=resend)
        self._pool = ThreadPoolExecutor(len(streams), "graphite") if len(streams) > 1 else None

    def write(self, flush: Flush) -> None:
        """Write the flush, after those that a lost connection may have taken along. Raise `Unavailable`."""
        parts = self._parts(flush)
        began = time.perf_counter()
        try:
            if not all(stream.alive() for stream in self._streams):
                for earlier in self._recent:
                    self._send(self._layout(earlier, len(self._streams)))
            self._send(parts)
        except Unavailable:
            if self._stats is not None:
                self._stats.failed()
            raise
        if self._stats is not None:
            self._stats.written((time.perf_counter() - began) * 1000, sum(map(len, parts)))
        self._recent.append(flush)

    def _parts(self, flush: Flush) -> list[bytes]:
        """Return what each connection is to carry."""
        began = time.perf_counter()
        parts = self._layout(flush, len(self._streams))
        if self._stats is not None:
            own = self._stats.flush(flush, (time.perf_counter() - began) * 1000)
            parts[-1] += b"".join(self._layout(own, 1, self._stats.naming))
        return parts

    def _send(self, parts: Sequence[bytes]) -> None:
        """Send each part over its connection, all at once; when one fails, wait for the others, then raise `Unavailable`."""
        if self._pool is None:
            self._streams[0].send(parts[0])
            return
        futures = [self._pool.submit(stream.send, part) for stream, part in zip(self._streams, parts, strict=True)]
        wait(futures)
        for future in futures:
            future.result()

    def figures(self) -> dict[str, float]:
        """Return statsd's figures about the backend, none when they are not kept."""
        return {} if self._stats is None else self._stats.figures()

    def check(self) -> str:
        """Connect and name the peer. Raise `Unavailable`."""
        connections = [stream.connect() for stream in self._streams]
        host, port = connections[0].getpeername()[:2]
        secure = f", {connections[0].version()}" if isinstance(connections[0], ssl.SSLSocket) else ""
        return f"graphite: carbon accepts at {host} port {port}, connections: {len(connections)}{secure}"

    def close(self) -> None:
        """Hang up."""
        for stream in self._streams:
            stream.close()
        if self._pool is not None:
            self._pool.shutdown()


@dataclass(frozen=True, slots=True)
class Layout:
    """A flush as bytes for carbon: text or pickles, in as many parts as there are connections."""

    naming: Naming
    pickle: bool

    def __call__(self, flush: Flush, shares: int, naming: Naming | None = None) -> list[bytes]:
        """Return `shares` parts of about equal size, in order, none of which cuts a line or a pickle."""
        if self.pickle:
            frames = list(render.pickles(flush, naming or self.naming))
            cuts = [len(frames) * share // shares for share in range(shares + 1)]
            return [b"".join(frames[start:end]) for start, end in itertools.pairwise(cuts)]
        text = render.lines(flush, naming or self.naming)
        cuts = [text.find(b"\n", len(text) * share // shares) + 1 for share in range(1, shares)]
        return [text[start:end] for start, end in itertools.pairwise([0, *cuts, len(text)])]


def open(url: Url) -> Graphite:  # noqa: A001 each backend has this name
    """Open ``graphite://HOST`` or ``graphite+pickle://HOST``. Raise `UrlError` for a wrong part, a certificate file too."""
    host, port = one_host(url, PORTS[url.scheme])
    options = url.options(Options)
    at_least(url, "timeout", options.timeout, 0.001)
    at_least(url, "connections", options.connections, 1)
    at_least(url, "resend", options.resend, 0)
    naming = options.naming(url)
    stats = Stats(options.statsd_stats, naming) if options.statsd_stats else None
    dial = _dialer(host, port, options.timeout, tls_context(url, options, wanted=options.tls, cure="add tls=true"))
    streams = [Stream(dial, str(url), options.timeout) for _ in range(options.connections)]
    return Graphite(streams, Layout(naming, url.scheme == PICKLE), stats, options.resend)


def _dialer(host: str, port: int, timeout: float, tls: ssl.SSLContext | None) -> Callable[[], socket.socket]:
    def dial() -> socket.socket:
        plain = socket.create_connection((host, port), timeout)
        try:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            return plain if tls is None else tls.wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise

    return dial
