"""What may be asked of a running server: its series, who talks most, its losses and sinks, its health, its settings.

Rules:

* Any thread may ask. To look changes nothing; `delete` and `set_health` are the only ones that do.
* What is returned is bounded: by what the caller asks for, and by `MOST_SERIES` and `MOST_LISTED`.
* Health is a word for load balancers: whatever it says, the server receives and flushes.
"""

from __future__ import annotations

import contextlib
import fnmatch
import re
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nilometer.core.event_status import EventsStatus
from nilometer.core.record import Kind
from nilometer.core.settings import to_toml
from nilometer.core.trace_status import TracesStatus
from nilometer.ingest.admin.problems import View, problems

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nilometer.core.losses import Losses
    from nilometer.core.pipe import Status
    from nilometer.core.settings import Settings
    from nilometer.core.statistics import StatisticsStatus
    from nilometer.ingest.admin.recent import Recent
    from nilometer.ingest.inspection import Peeked, Top, Totals
    from nilometer.ingest.kernel import Kernel
    from nilometer.ingest.listeners import Listener
    from nilometer.ingest.relay.relay import TargetStatus
    from nilometer.ingest.statsd.mode import StatsdMode

MOST_SERIES = 100_000
"""Counters or gauges in one answer, and series that one command deletes."""
MOST_LISTED = 1000
"""Timers or sets in one answer: each comes with its samples or members."""
FOLDER = ".*"


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a `Control` looks. `standing`: the server's own series in the open window; `connections`: those of streams.

    `written`: the end of the last window that was flushed; `orphans`: spools of no sink;
    `collecting`: what is wrong with what is collected, in words.
    """

    kernel: Kernel
    losses: Losses
    settings: Callable[[], Settings]
    sinks: Callable[[], list[Status]]
    standing: Callable[[Kind, Totals], Mapping[str, float]]
    connections: Callable[[], int]
    relay: Callable[[], list[TargetStatus]] = list
    statsd: Callable[[], StatsdMode | None] = lambda: None
    listeners: Callable[[], list[Listener]] = list
    written: Callable[[], float] = time.time
    orphans: Callable[[], list[str]] = list
    recent: Recent | None = None
    events: Callable[[], EventsStatus] = EventsStatus
    statistics: Callable[[], StatisticsStatus | None] = lambda: None
    collecting: Callable[[], list[str]] = list
    traces: Callable[[], TracesStatus] = TracesStatus


class Control:
    """Answers questions about one server. `healthy` is what is said first."""

    def __init__(self, sources: Sources, *, healthy: bool = True) -> None:
        self._sources = sources
        self._healthy = healthy
        self.started = time.time()

    @property
    def statsd(self) -> StatsdMode | None:
        """What statsd's file asks for, None when the server does not stand in for statsd."""
        return self._sources.statsd()

    @property
    def healthy(self) -> bool:
        """What is said about the server's health."""
        return self._healthy

    def set_health(self, *, healthy: bool) -> None:
        """Say something else from now on."""
        self._healthy = healthy

    @property
    def uptime(self) -> float:
        """Seconds since the start."""
        return max(time.time() - self.started, 0.0)

    def settings(self) -> Settings:
        """Return the settings in force."""
        return self._sources.settings()

    def settings_text(self) -> str:
        """Return the settings in force as TOML, each with its origin; secrets in URLs are masked."""
        return to_toml(self._sources.settings())

    def sinks(self) -> list[Status]:
        """Return how each sink is doing."""
        return self._sources.sinks()

    def relay(self) -> list[TargetStatus]:
        """Return how each server that packets are forwarded to is doing."""
        return self._sources.relay()

    def events(self) -> EventsStatus:
        """Return how taking events in is doing."""
        return self._sources.events()

    def traces(self) -> TracesStatus:
        """Return how taking spans in is doing."""
        return self._sources.traces()

    def statistics(self) -> StatisticsStatus | None:
        """Return how statistics of buses are doing, None where none are kept."""
        return self._sources.statistics()

    @property
    def kernel(self) -> str:
        """The name of the kernel in use."""
        return self._sources.kernel.name

    def listeners(self) -> list[Listener]:
        """Return what is listened to."""
        return self._sources.listeners()

    @property
    def written(self) -> float:
        """The end of the last window that was flushed, in seconds since the epoch."""
        return self._sources.written()

    def problems(self) -> list[str]:
        """Return what is wrong now, in words, the gravest first."""
        sources, settings = self._sources, self.settings()
        free = {}
        with contextlib.suppress(OSError):
            free["free"] = shutil.disk_usage(settings.server.state).free
        view = View(
            now=time.time(),
            written=self.written,
            settings=settings,
            kernel=self.kernel,
            healthy=self.healthy,
            listeners=self.listeners(),
            sinks=self.sinks(),
            relay=self.relay(),
            lost=sources.recent.lost() if sources.recent is not None else {},
            jumped=sources.recent.jumped() if sources.recent is not None else 0.0,
            series=sum(self.peek(kind, 1).count for kind in Kind),
            connections=self.connections(),
            orphans=sources.orphans(),
            events=self.events(),
            statistics=self.statistics(),
            traces=self.traces(),
            collecting=sources.collecting(),
            **free,
        )
        return problems(view)

    def totals(self) -> Totals:
        """Return what was counted since the start."""
        return self._sources.kernel.totals()

    def losses(self) -> dict[str, int]:
        """Return the losses since the start, by ``stage.reason``; zeros included."""
        return {f"{stage}.{reason}": number for (stage, reason), number in self._sources.losses.totals().items()}

    def connections(self) -> int:
        """Return how many stream connections are open."""
        return self._sources.connections()

    def top(self, most: int) -> Top:
        """Return who sends the most."""
        return self._sources.kernel.top(most)

    def standing(self, kind: Kind) -> Mapping[str, float]:
        """Return the server's own series in the open window; only in statsd's place it has such among the clients'."""
        return self._sources.standing(kind, self._sources.kernel.totals())

    def peek(self, kind: Kind, most: int) -> Peeked:
        """Return the first `most` series of a kind, no more than the bound."""
        return self._sources.kernel.peek(kind, min(most, bound(kind)))

    def series(self, kind: Kind, glob: str, most: int) -> dict[str, Any]:
        """Return the first `most` series of a kind whose keys fit a shell-style glob (``*`` crosses dots), for JSON.

        `count` is how many there are of the kind, `looked_at` among how many of them the glob was tried.
        """
        fits = re.compile(fnmatch.translate(glob)).match
        peeked = self.peek(kind, bound(kind) if glob != "*" else most)
        found = [entry for entry in _entries(peeked) if fits(entry["key"])]
        return {"kind": kind, "count": peeked.count, "looked_at": len(peeked.keys), "series": found[: min(most, bound(kind))]}

    def delete(self, kind: Kind, name: str) -> list[str]:
        """Delete the series of that key, or, for ``folder.*``, all below it, at most `MOST_SERIES`. Return their keys."""
        kernel = self._sources.kernel
        found = [name]
        if name.endswith(FOLDER):
            found += kernel.keys(kind, name.removesuffix("*"), MOST_SERIES)
        found = list(dict.fromkeys(found))
        return [key for key, there in zip(found, kernel.delete(kind, found), strict=True) if there]


def bound(kind: Kind) -> int:
    """Return how many series of a kind one answer may hold."""
    return MOST_LISTED if kind in (Kind.TIMER, Kind.SET) else MOST_SERIES


def _entries(peeked: Peeked) -> Iterator[dict[str, Any]]:
    """Yield each series as JSON shows it: lists are cut at the bound of `Peeked`, their `count` is whole."""
    if peeked.kind is Kind.TIMER:
        for key, count, samples in zip(peeked.keys, peeked.values, peeked.samples, strict=True):
            yield {"key": key, "count": int(count), "samples": samples}
    elif peeked.kind is Kind.SET:
        for key, count, members in zip(peeked.keys, peeked.values, peeked.members, strict=True):
            yield {"key": key, "count": int(count), "members": members}
    else:
        for key, value in zip(peeked.keys, peeked.values, strict=True):
            yield {"key": key, "value": value}
