"""Slow requests of late, by series: so that a metric leads to a trace.

Rules:

* Bounded: `most` series, those that were seen longest ago go first; `EACH` requests of a series, the slowest of the last `AGE`
  seconds.
* A trace that is not kept is forgotten.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.clock import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nilometer.core.clock import Clock
    from nilometer.core.traces.span import Span

EACH, AGE = 5, 3600.0


class Exemplar(NamedTuple):
    """A request: its `duration` and `start` in ns, its trace and span; `seen` in seconds."""

    duration: int
    start: int
    trace: str
    span: str
    seen: float


class Exemplars:
    """What is remembered of each series. Any thread may call."""

    def __init__(self, most: int, clock: Clock = SYSTEM) -> None:
        self.most = most
        self._clock, self._lock = clock, threading.Lock()
        self._series: OrderedDict[str, list[Exemplar]] = OrderedDict()
        self._traces: dict[str, set[str]] = {}

    def note(self, series: str, span: Span) -> None:
        """Remember a request, when it is among the slowest of its series."""
        if self.most <= 0:
            return
        now = self._clock.monotonic()
        with self._lock:
            before = self._series.pop(series, [])
            young = [each for each in before if now - each.seen < AGE]
            found = sorted([*young, Exemplar(span.duration, span.start, span.trace, span.id, now)], reverse=True)[:EACH]
            self._put(series, found)
            for gone in set(before) - set(found):
                self._unlink(gone.trace, series)
            while len(self._series) > self.most:
                name, old = self._series.popitem(last=False)
                for each in old:
                    self._unlink(each.trace, name)

    def _put(self, series: str, found: list[Exemplar]) -> None:
        self._series[series] = found
        for each in found:
            self._traces.setdefault(each.trace, set()).add(series)

    def _unlink(self, trace: str, series: str) -> None:
        known = self._traces.get(trace)
        if known is not None and not any(each.trace == trace for each in self._series.get(series, ())):
            known.discard(series)
            if not known:
                del self._traces[trace]

    def forget(self, traces: Iterable[str]) -> None:
        """Forget traces that are not kept."""
        with self._lock:
            for trace in traces:
                for series in self._traces.pop(trace, ()):
                    self._series[series] = [each for each in self._series.get(series, ()) if each.trace != trace]

    def of(self, path: str) -> dict[str, list[Exemplar]]:
        """Return what is remembered of the series that a path is made of: ``stats.timers.NAME.upper`` leads to NAME."""
        now, dotted = self._clock.monotonic(), f".{path}."
        with self._lock:
            fitting = [name for name in self._series if f".{name}." in dotted]
            name = max(fitting, key=len, default="")
            found = [each for each in self._series.get(name, ()) if now - each.seen < AGE]
        return {name: found} if found else {}

    def all(self, most: int) -> dict[str, list[Exemplar]]:
        """Return what is remembered of up to `most` series, those seen last first."""
        now = self._clock.monotonic()
        with self._lock:
            names = list(reversed(self._series))[:most]
            found = {name: [each for each in self._series[name] if now - each.seen < AGE] for name in names}
        return {name: each for name, each in found.items() if each}
