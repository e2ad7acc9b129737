"""The other side of a backend, for contract tests: it knows what it was sent, and may go away, come back or stall.

Whoever writes a backend writes its peer, or takes one from here, and runs the suite in `contract` over it.
"""

from __future__ import annotations

import json
import logging
import math
import os
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar
from unittest import mock

from nilometer.backends import console, memory, registry
from nilometer.core import url as urls
from nilometer.core.naming import Naming
from nilometer.core.record import Flush, Kind, Window
from nilometer.core.wire import render
from nilometer.core.wire.key import clean, split
from nilometer.ingest._reference import ReferenceKernel
from nilometer.ingest.kernel import STATSD
from nilometer.testing._server import Inbox, Server

if TYPE_CHECKING:
    import socket

Key = TypeVar("Key")
NAMING = Naming()


class Peer(Protocol):
    """What a backend writes to. `url` reaches it, with ``timeout=1s`` where the backend has that option."""

    url: str

    def lacks(self, flush: Flush) -> list[str]:
        """Wait for the flush. Return a line for each value that did not arrive, or did not count exactly once."""

    def close(self) -> None:
        """End whatever runs. Closing twice does nothing."""


Runs = Mapping[str, Sequence[tuple[float, float]]]
"""By series: values, ascending, and how many samples there were of each."""


class SketchPeer(Peer, Protocol):
    """One that takes sketches."""

    def sketches(self, flush: Flush) -> Runs:
        """Return what arrived of the flush's sketches."""


class StallingPeer(Peer, Protocol):
    """One that may stop to read."""

    def stall(self) -> None:
        """Read nothing more, but go on accepting."""

    def resume(self) -> None:
        """Read again."""


class RemotePeer(Peer, Protocol):
    """One that may be away."""

    def leave(self) -> None:
        """Close everything: nobody answers at the address any more."""

    def come_back(self) -> None:
        """Answer at the same address again."""


def differences(wanted: Mapping[Key, object], found: Mapping[Key, object]) -> list[str]:
    """Return a line for each key whose value is not the one that is wanted."""
    return [f"{key}: wanted {value}, found {found.get(key)}" for key, value in wanted.items() if found.get(key) != value]


def finite_points(flush: Flush) -> dict[str, float]:
    """Return path and value of every finite point of the flush."""
    return {path: value for path, value in render.points(flush, NAMING).items() if math.isfinite(value)}


class Forgetful:
    """The peer of a backend that keeps nothing."""

    def __init__(self, url: str) -> None:
        self.url = url

    def lacks(self, flush: Flush) -> list[str]:  # noqa: ARG002 nothing is kept, so there is nothing to compare
        """Return no line."""
        return []

    def close(self) -> None:
        """Nothing runs."""


class Keeper:
    """A backend that is its own peer: what it was given is read back through the same URL."""

    def __init__(self, url: str) -> None:
        self.url = url

    def lacks(self, flush: Flush) -> list[str]:
        """Read the flush's points back and compare."""
        wanted, second = finite_points(flush), flush.window.timestamp
        reader = registry.open(self.url, registry.SERIES)
        try:
            found = {series.path: [*series.times, *series.values] for series in reader.read(list(wanted), second, second)}
        finally:
            reader.close()
        return differences({path: [second, value] for path, value in wanted.items()}, found)

    def sketches(self, flush: Flush) -> Runs:
        """Read the sketches back that are kept in this process."""
        reader, second = memory.open(urls.parse(self.url)), flush.window.timestamp
        keys = [key for block in flush.blocks for key in block.keys()]  # noqa: SIM118 a method, of no dictionary
        found = {key: reader.sketches(key, second, second) for key in keys}
        return {key: list(sketch.runs()) for key, held in found.items() for _, sketch in held}

    def close(self) -> None:
        """Nothing runs."""


class Listening:
    """A peer behind a socket; what it lacks is the business of those that derive from it."""

    def __init__(
        self,
        scheme: str,
        address: tuple[str, int] | str,
        kind: socket.SocketKind,
        options: str = "",
        buffer: int = Server.BUFFER,
    ) -> None:
        self.server = Server(address, kind, buffer)
        place = address if isinstance(address, str) else f"127.0.0.1:{self.server.port}"
        self.url = f"{scheme}://{place}?timeout=1s{options}"

    def stall(self) -> None:
        """Read nothing more, but go on accepting."""
        self.server.inbox.stall()

    def resume(self) -> None:
        """Read again."""
        self.server.inbox.resume()

    def leave(self) -> None:
        """Close everything."""
        self.server.leave()

    def come_back(self) -> None:
        """Answer at the same address again."""
        self.server.come_back()

    def close(self) -> None:
        """End the server."""
        self.server.leave()


class FakeStatsd(Listening):
    """A StatsD server, with the reference kernel in it: what counts twice is seen."""

    def lacks(self, flush: Flush) -> list[str]:
        """Wait until the counters' sums and the gauges' values are those of the flush."""
        wanted = repeated(flush)
        return self.server.inbox.wait(lambda parts: differences(wanted, _aggregated(parts)))


def repeated(flush: Flush) -> dict[str, float]:
    """Return the counters and gauges that a StatsD server holds after it was sent the flush."""
    wanted: dict[str, float] = {}
    for kind, key, statistic, value in flush.rows():
        name, tags = split(clean(key))
        if kind is Kind.COUNTER and statistic == "count" and value:
            wanted[f"counter {name}{tags}"] = value
        elif kind is not Kind.COUNTER and math.isfinite(value):
            wanted[f"gauge {name}{'' if kind is Kind.GAUGE else '.' + statistic}{tags}"] = value
    return wanted


def _aggregated(parts: list[bytes]) -> dict[str, float]:
    kernel = ReferenceKernel()
    for part in parts:
        kernel.feed(part, "peer", STATSD)
    flush = Flush(Window(0.0, 1.0, 1.0), kernel.flush(1.0).blocks)
    return {f"{kind} {key}": value for kind, key, statistic, value in flush.rows() if statistic != "rate"}


class Terminal:
    """Standard output, read through a pipe for as long as the peer lives; the backend writes it as JSON."""

    def __init__(self, url: str) -> None:
        self.url, self.inbox = url, Inbox()
        reading, writing = os.pipe()
        self._output = os.fdopen(writing, "w", encoding="utf-8")
        self._patch = mock.patch.object(console, "output", return_value=self._output)
        self._patch.start()
        self._thread = threading.Thread(target=self._read, args=(reading,), daemon=True)
        self._thread.start()

    def _read(self, reading: int) -> None:
        part = self.inbox.new()
        while data := os.read(reading, 1 << 16):
            self.inbox.add(part, data)
            self.inbox.wait_to_read()
        os.close(reading)

    def lacks(self, flush: Flush) -> list[str]:
        """Wait for the flush's line."""
        wanted = _by_series(flush)
        return self.inbox.wait(
            lambda parts: differences(wanted, _shown(parts[0], flush.window.timestamp)) if parts else ["all"]
        )

    def stall(self) -> None:
        """Read nothing more."""
        self.inbox.stall()

    def resume(self) -> None:
        """Read again."""
        self.inbox.resume()

    def close(self) -> None:
        """Give standard output back."""
        if not self._output.closed:
            self._patch.stop()
            self.inbox.resume()
            self._output.close()
            self._thread.join()


def _by_series(flush: Flush) -> dict[str, dict[str, float]]:
    series: dict[str, dict[str, float]] = {}
    for kind, key, statistic, value in flush.rows():
        if math.isfinite(value):
            series.setdefault(f"{kind} {key}", {})[statistic] = value
    return series


def _shown(data: bytes, second: int) -> dict[str, dict[str, float]]:
    """Return the series that whole lines of JSON tell of one second."""
    found: dict[str, dict[str, float]] = {}
    for line in data.decode("utf-8", "replace").split("\n"):
        if line.startswith(f'{{"timestamp": {second},') and line.endswith("]}"):
            for series in json.loads(line)["series"]:
                found[f"{series.pop('kind')} {series.pop('key')}"] = {k: v for k, v in series.items() if not isinstance(v, str)}
    return found


class Logbook(logging.Handler):
    """A handler of the logger that the backend logs to, a line for each series."""

    def __init__(self, url: str, logger: str = "nilometer.backends.log") -> None:
        super().__init__()
        self.url, self._messages = url, list[str]()
        self._logger = logging.getLogger(logger)
        self._logger.addHandler(self)
        self._logger.setLevel(logging.INFO)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a message."""
        self._messages.append(record.getMessage())

    def lacks(self, flush: Flush) -> list[str]:
        """Look for each series' line."""
        found: dict[str, dict[str, float]] = {}
        for message in self._messages:
            kind, key, *values = message.split(" ")
            found[f"{kind} {key}"] = {name: float(number) for name, _, number in (each.partition("=") for each in values)}
        return differences(_by_series(flush), found)

    def close(self) -> None:
        """Take the handler away."""
        self._logger.removeHandler(self)
        super().close()
