"""What is kept in this process: all that is written to ``memory://NAME`` every other opener of that name can read back.

Rules:

* A name's series live as long as the process, or until `forget`; closing a backend leaves them.
* A point is one path at one second; writing it again replaces it.
* Sketches are kept beside the points, by series; each counts as a point for every eight bytes.
* Bounded: beyond `points` points the oldest seconds are dropped, like from a ring; beyond `EVENTS` events the first ones,
  beyond `SPANS` spans the first traces.
"""

from __future__ import annotations

import fnmatch
import math
import threading
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nilometer.backends._parts.held_events import HeldEvents
from nilometer.backends._parts.held_traces import HeldTraces
from nilometer.core.capability import Series
from nilometer.core.naming import Naming
from nilometer.core.options import at_least, no_login, option, refuse
from nilometer.core.sketch import Sketch
from nilometer.core.wire import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.event_query import By, Count, EventQuery, Found
    from nilometer.core.record import Event, Flush
    from nilometer.core.traces.query import FoundTraces, TraceQuery
    from nilometer.core.traces.span import Span
    from nilometer.core.url import Url

SCHEMES = ("memory",)
URL_EXAMPLES = ("memory://", "memory://demo?points=100000")
EXTRA = ""
NAMING = Naming()
EVENTS = 10_000
"""Events kept under a name; older ones are dropped."""
SPANS = 100_000
"""Spans kept under a name; older traces are dropped."""


@dataclass(frozen=True, slots=True)
class Options:
    """How much is kept."""

    points: int = option(1_000_000, "points kept over all paths; the oldest seconds are dropped first")


@dataclass(slots=True)
class Second:
    """What is held of one second: points by path, and encoded sketches by series."""

    points: dict[str, float] = field(default_factory=dict)
    sketches: dict[str, bytes] = field(default_factory=dict)
    size: int = 0

    def add(self, points: dict[str, float], sketches: dict[str, bytes]) -> int:
        """Put these in, in place of those of the same names. Return how many points more they take."""
        before = self.size
        self.points.update(points)
        self.sketches.update(sketches)
        self.size = len(self.points) + sum(-(-len(data) // 8) for data in self.sketches.values())
        return self.size - before


class Ring:
    """What one name holds, by second. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds: dict[int, Second] = {}
        self.events = HeldEvents(EVENTS)
        self.traces = HeldTraces(SPANS)
        self._count = 0

    def add(self, second: int, points: dict[str, float], sketches: dict[str, bytes], most: int) -> None:
        """Store points and sketches of one second; drop the oldest seconds beyond `most` points, never this one."""
        with self._lock:
            self._count += self._seconds.setdefault(second, Second()).add(points, sketches)
            for old in sorted(self._seconds):
                if self._count <= most or old == second:
                    break
                self._count -= self._seconds.pop(old).size

    def seconds(self) -> list[tuple[int, dict[str, float]]]:
        """Return the seconds in order, each with its points."""
        with self._lock:
            return [(second, dict(held.points)) for second, held in sorted(self._seconds.items())]

    def sketches(self, series: str) -> list[tuple[int, bytes]]:
        """Return the sketches of one series, encoded, in order of the seconds."""
        with self._lock:
            held = [(second, held.sketches.get(series)) for second, held in sorted(self._seconds.items())]
        return [(second, data) for second, data in held if data]

    def __len__(self) -> int:
        """Return how many points are held."""
        return self._count


_rings: dict[str, Ring] = {}
_rings_lock = threading.Lock()


def _ring(name: str) -> Ring:
    with _rings_lock:
        return _rings.setdefault(name, Ring())


def forget(name: str = "") -> None:
    """Drop everything that a name holds, for openers to come."""
    with _rings_lock:
        _rings.pop(name, None)


class Memory:
    """A named ring of points; reader and sink in one."""

    instant = True

    def __init__(self, name: str, ring: Ring, most: int) -> None:
        self._name, self._ring, self._most = name, ring, most

    def write(self, flush: Flush) -> None:
        """Store the flush's points and sketches at its second."""
        points = render.points(flush, NAMING)
        sketched = [block for block in flush.blocks if block.sketches]
        sketches = {key: data for block in sketched for key, data in zip(block.keys(), block.sketches, strict=True) if data}
        self._ring.add(points.timestamp, dict(points.items()), sketches, self._most)

    def write_events(self, events: Sequence[Event]) -> None:
        """Keep the events, the last `EVENTS` of them."""
        self._ring.events.add(events)

    def events(self) -> list[Event]:
        """Return the events kept, in order of arrival."""
        return self._ring.events.all()

    def find_events(self, query: EventQuery, limit: int = 100, cursor: str = "") -> Found:
        """Return up to `limit` events, newest first, from `cursor` on. Raise `InputError` for a cursor that is none."""
        return self._ring.events.find(query, limit, cursor)

    def count_events(self, query: EventQuery, step: float, by: By, most: int = 10) -> list[Count]:
        """Count events in slots of `step` seconds, for the `most` frequent keys."""
        return self._ring.events.count(query, step, by, most)

    def known_events(self, ids: Sequence[str]) -> set[str]:
        """Return those of the ids under which an event is kept."""
        return self._ring.events.known(ids)

    def drop_events(self, before: float) -> int:
        """Delete what is older than `before`. Return how many events that were."""
        return self._ring.events.drop(before)

    def clear_events(self) -> None:
        """Forget the events."""
        self._ring.events.drop(math.inf)

    def write_spans(self, spans: Sequence[Span]) -> None:
        """Keep the spans, some `SPANS` of them."""
        self._ring.traces.add(spans)

    def read_trace(self, trace: str, most: int = 100_000) -> list[Span]:
        """Return up to `most` spans of one trace, in order of start."""
        return self._ring.traces.read(trace, most)

    def find_traces(self, query: TraceQuery, limit: int = 100, cursor: str = "") -> FoundTraces:
        """Return up to `limit` traces, newest first, from `cursor` on. Raise `InputError` for a cursor that is none."""
        return self._ring.traces.find(query, limit, cursor)

    def delete_trace(self, trace: str) -> bool:
        """Delete a trace. Return whether there was one."""
        return self._ring.traces.delete(trace)

    def drop_traces(self, before: float) -> int:
        """Delete traces all of whose spans started before a time. Return how many that were."""
        return self._ring.traces.drop(before)

    def find(self, pattern: str = "*", limit: int = 10_000, after: str = "") -> list[str]:
        """Return the first `limit` paths after `after` that match the glob, sorted."""
        paths = {path for _, points in self._ring.seconds() for path in points if path > after}
        return sorted(fnmatch.filter(paths, pattern))[:limit]

    def read(self, paths: Sequence[str], start: float, end: float) -> list[Series]:
        """Return each path's points between `start` and `end`, both included."""
        span = [(second, points) for second, points in self._ring.seconds() if start <= second <= end]
        return [self._series(path, span) for path in paths]

    def sketches(self, series: str, start: float, end: float) -> list[tuple[int, Sketch]]:
        """Return time and sketch of a timer's windows that end between `start` and `end`, both included."""
        return [(second, Sketch.decode(data)) for second, data in self._ring.sketches(series) if start <= second <= end]

    @staticmethod
    def _series(path: str, span: Sequence[tuple[int, dict[str, float]]]) -> Series:
        found = [(second, points[path]) for second, points in span if path in points]
        return Series(path, array("q", (second for second, _ in found)), array("d", (value for _, value in found)))

    def check(self) -> str:
        """Say how much is held."""
        return f"memory: {self._name or 'the unnamed ring'} holds {len(self._ring)} points of at most {self._most}"

    def close(self) -> None:
        """Leave what was written to other openers."""


def open(url: Url) -> Memory:  # noqa: A001 each backend has this name
    """Open ``memory://NAME``. Raise `UrlError` for a wrong option."""
    options = url.options(Options)
    at_least(url, "points", options.points, 1)
    no_login(url)
    if len(url.hosts) > 1 or url.port is not None or url.path.strip("/"):
        raise refuse(url, "takes a name alone, as in memory://demo")
    return Memory(url.host, _ring(url.host), options.points)
