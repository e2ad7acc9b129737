"""What the server measures about itself, as ordinary series beside the clients' own.

`METRICS` is the whole list; docs/reference/metrics.md repeats it and a test compares the two. Names stand below the setting
``self.prefix``. ``<sink>``, ``<listener>``, ``<target>``, ``<source>``, ``<bus>`` and ``<archive>`` are URLs without their
options, with ``_`` for what a name cannot hold; ``<ident>`` is that of a statistic.

On statsd's own configuration file the server reports what statsd reports, and nothing else: see `StatsdMetrics`.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from array import array
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from nilometer.core.event_status import EventsStatus
from nilometer.core.losses import LOSSES
from nilometer.core.record import Block, Kind, block
from nilometer.core.trace_status import TracesStatus
from nilometer.ingest import eventmetrics, statisticsmetrics, tracemetrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nilometer.core.losses import Losses
    from nilometer.core.pipe import Status
    from nilometer.core.record import Window
    from nilometer.core.statistics import StatisticsStatus
    from nilometer.ingest.inspection import Totals
    from nilometer.ingest.kernel import Tally
    from nilometer.ingest.relay.relay import TargetStatus

SKIPPED = "skipped"
"""Stands among the totals, for bytes that belong to the counter ``bytes``."""
STATM = Path("/proc/self/statm")


class Metric(NamedTuple):
    """One line of the list: name below the prefix, kind, unit, and what it tells."""

    name: str
    kind: Kind
    unit: str
    help: str


COUNTER, GAUGE = Kind.COUNTER, Kind.GAUGE
METRICS = (
    Metric("lines", COUNTER, "lines", "lines received that are not empty, bad ones included"),
    Metric("bad_lines", COUNTER, "values", "values that were refused; a line of several values can count several times"),
    Metric("packets", COUNTER, "packets", "datagrams, and reads from a stream that hold a newline"),
    Metric("bytes", COUNTER, "bytes", "bytes of all lines received"),
    Metric("kernel_drops", COUNTER, "datagrams", "datagrams that the operating system dropped before we saw them"),
    *(Metric(loss.metric, COUNTER, "losses", loss.help) for loss in LOSSES),
    Metric("series", GAUGE, "series", "series of clients in the flush"),
    Metric("flush.duration", GAUGE, "ms", "time that the aggregation of the window took"),
    Metric("flush.lateness", GAUGE, "ms", "time from the planned end of the window to its flush"),
    Metric("flush.pause", GAUGE, "ms", "longest time for which ingest stood still for the flush"),
    Metric("listener.<listener>.buffer", GAUGE, "bytes", "receive buffer that the operating system granted"),
    Metric("connections", GAUGE, "connections", "stream connections that are open"),
    Metric("sink.<sink>.age", GAUGE, "s", "time since the sink took a flush; from the first one on"),
    Metric("sink.<sink>.failing", GAUGE, "0 or 1", "1 while the last write to the sink failed"),
    Metric("sink.<sink>.written", COUNTER, "flushes", "flushes that the sink took"),
    Metric("sink.<sink>.dropped", COUNTER, "flushes", "flushes for the sink that were lost"),
    Metric("sink.<sink>.spool.flushes", GAUGE, "flushes", "flushes that wait on disk for the sink"),
    Metric("sink.<sink>.spool.size", GAUGE, "bytes", "what they take on disk"),
    Metric("relay.<target>.packets", COUNTER, "packets", "packets that were forwarded to the target; on a ring, lines"),
    Metric("relay.<target>.bytes", COUNTER, "bytes", "what they hold"),
    Metric("relay.<target>.lost", COUNTER, "packets", "packets that did not reach the target"),
    Metric("relay.<target>.queue", GAUGE, "bytes", "what waits for a tcp:// target"),
    Metric("relay.<target>.up", GAUGE, "0 or 1", "1 while packets go to the target"),
    *(
        Metric(name, Kind(kind), unit, text)
        for name, kind, unit, text in (*eventmetrics.METRICS, *statisticsmetrics.METRICS, *tracemetrics.METRICS)
    ),
    Metric("process.memory", GAUGE, "bytes", "resident memory of the server"),
    Metric("process.cpu", COUNTER, "ms", "processor time that the server used, in all its threads"),
    Metric("process.uptime", GAUGE, "s", "time since the server started"),
)


class Moment(NamedTuple):
    """What a flush knows about itself: its window, the kernel's tally, what rates divide by (s), durations in ms."""

    window: Window
    tally: Tally
    seconds: float
    duration_ms: float
    late_ms: float


class SelfMetrics(Protocol):
    """Blocks to put before and after the clients' blocks of a flush."""

    def blocks(self, moment: Moment) -> tuple[list[Block], list[Block]]:
        """Return the blocks that go first and those that go last."""

    def standing(self, kind: Kind, totals: Totals) -> Mapping[str, float]:
        """Return those of the open window that stand among the clients' series, after `totals` since the start."""


class OwnMetrics:
    """Reports `METRICS` below a prefix. All that can be called is called at every flush.

    `tags`: names and values that the names end with, asked for too.
    `skipped`: bytes received since the start that the kernel's tally does not know.
    """

    def __init__(  # noqa: PLR0913 what it reports on
        self,
        prefix: str,
        losses: Losses,
        *,
        sinks: Callable[[], Iterable[Status]],
        buffers: Callable[[], Mapping[str, int]],
        connections: Callable[[], int],
        skipped: Callable[[], int],
        tags: Callable[[], Iterable[tuple[str, str]]] = tuple,
        relay: Callable[[], Iterable[TargetStatus]] = tuple,
        events: Callable[[], EventsStatus] = EventsStatus,
        statistics: Callable[[], StatisticsStatus | None] = lambda: None,
        traces: Callable[[], TracesStatus] = TracesStatus,
    ) -> None:
        self._prefix, self._losses = prefix, losses
        self._sinks, self._buffers, self._connections, self._skipped = sinks, buffers, connections, skipped
        self._tags, self._relay, self._events, self._statistics = tags, relay, events, statistics
        self._traces = traces
        self._started = time.monotonic()
        self._before: dict[str, float] = {}

    def blocks(self, moment: Moment) -> tuple[list[Block], list[Block]]:
        """Return counters and gauges, to go last."""
        statuses, targets, events, statistics = list(self._sinks()), list(self._relay()), self._events(), self._statistics()
        traces = self._traces()
        taken = tracemetrics.totals(traces, label)
        taken |= eventmetrics.totals(events, label) | (statisticsmetrics.totals(statistics, label) if statistics else {})
        grown = self._grown(statuses, targets, taken)
        counters = {**_tally(moment.tally, grown.pop(SKIPPED)), **grown}
        gauges = {**self._gauges(moment), **_sinks(statuses, moment.window.end)}
        for target in targets:
            name = f"relay.{label(target.name)}"
            gauges |= {f"{name}.queue": target.queue, f"{name}.up": float(target.up)}
        gauges |= tracemetrics.gauges(traces, label)
        gauges |= eventmetrics.gauges(events, label) | (statisticsmetrics.gauges(statistics, label) if statistics else {})
        return [], [
            counter_block(self._named(counters), moment.seconds),
            block(Kind.GAUGE, {"value": gauges.values()}, self._named(gauges)),
        ]

    def standing(self, kind: Kind, totals: Totals) -> Mapping[str, float]:
        """Return none: a window's figures are made when it ends."""
        del kind, totals
        return {}

    def _named(self, values: Mapping[str, float]) -> dict[str, float]:
        before = f"{self._prefix}." if self._prefix else ""
        after = "".join(f";{name}={value}" for name, value in self._tags())
        return {before + name + after: value for name, value in values.items()}

    def _grown(
        self, statuses: Iterable[Status], targets: Iterable[TargetStatus], taken: Mapping[str, float]
    ) -> dict[str, float]:
        """Return by how much each total grew since the flush before; `taken`: totals of what is taken in."""
        totals: dict[str, float] = {f"lost.{stage}.{reason}": n for (stage, reason), n in self._losses.totals().items()}
        for status in statuses:
            name = f"sink.{label(status.name)}"
            totals |= {f"{name}.written": status.written, f"{name}.dropped": status.dropped}
        for target in targets:
            name = f"relay.{label(target.name)}"
            totals |= {f"{name}.packets": target.sent, f"{name}.bytes": target.bytes, f"{name}.lost": target.lost}
        totals |= taken
        totals[SKIPPED] = self._skipped()
        totals["process.cpu"] = round(time.process_time() * 1000)
        grown = {name: max(total - self._before.get(name, 0), 0) for name, total in totals.items()}
        self._before = totals
        return grown

    def _gauges(self, moment: Moment) -> dict[str, float]:
        return {
            "series": moment.tally.series,
            "flush.duration": moment.duration_ms,
            "flush.lateness": moment.late_ms,
            "flush.pause": moment.tally.pause_ns / 1e6,
            **{f"listener.{label(name)}.buffer": size for name, size in self._buffers().items()},
            "connections": self._connections(),
            **_memory(),
            "process.uptime": round(time.monotonic() - self._started, 3),
        }


def _tally(tally: Tally, skipped: float) -> dict[str, float]:
    return {
        "lines": tally.lines,
        "bad_lines": tally.bad_lines,
        "packets": tally.packets,
        "bytes": tally.bytes + skipped,
        "kernel_drops": tally.kernel_drops,
    }


def _sinks(statuses: Iterable[Status], now: float) -> dict[str, float]:
    gauges: dict[str, float] = {}
    for status in statuses:
        name = f"sink.{label(status.name)}"
        if status.last_success is not None:
            gauges[f"{name}.age"] = round(max(now - status.last_success, 0), 3)
        gauges[f"{name}.failing"] = float(bool(status.last_error))
        gauges[f"{name}.spool.flushes"] = status.spool_items
        gauges[f"{name}.spool.size"] = status.spool_bytes
    return gauges


def _memory() -> dict[str, float]:
    """Return the resident memory, nothing where the system has no /proc."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return {"process.memory": int(STATM.read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")}
    return {}


def label(url: str) -> str:
    """Return a URL without its options as one part of a name: ``graphite://db:2003?x=1`` is ``graphite_db_2003``."""
    return re.sub(r"[^A-Za-z0-9-]+", "_", url.partition("?")[0]).strip("_")


def counter_block(values: Mapping[str, float], seconds: float) -> Block:
    """Return counters with their rates, per second over `seconds`."""
    return block(Kind.COUNTER, {"rate": array("d", [v / seconds for v in values.values()]), "count": values.values()}, values)


STATSD_COUNTERS = {"bad_lines_seen": "bad_lines", "packets_received": "packets", "metrics_received": "lines"}
"""statsd's counters and the fields of a tally that they tell, in their order."""


class StatsdMetrics:
    """Reports what statsd reports about itself.

    Three counters before all others, and from the second flush on the gauge ``timestamp_lag``: by how many seconds the
    flush's timestamp missed the interval since the one before. Source: statsd's ``stats.js``.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._last: int | None = None
        self._lag: float | None = None
        self._flushed = Counter[str]()

    def blocks(self, moment: Moment) -> tuple[list[Block], list[Block]]:
        """Return the counters to go first and the gauge to go last."""
        counters = {f"{self._prefix}.{name}": getattr(moment.tally, field) for name, field in STATSD_COUNTERS.items()}
        self._flushed.update({field: getattr(moment.tally, field) for field in STATSD_COUNTERS.values()})
        self._measure_lag(moment.window)
        lag = [block(Kind.GAUGE, {"value": gauges.values()}, gauges)] if (gauges := self._gauges()) else []
        return [counter_block(counters, moment.seconds)], lag

    def standing(self, kind: Kind, totals: Totals) -> Mapping[str, float]:
        """Return the counters of the open window, and the gauge as of the last flush."""
        if kind is Kind.COUNTER:
            counted = {name: getattr(totals, field) - self._flushed[field] for name, field in STATSD_COUNTERS.items()}
            return {f"{self._prefix}.{name}": float(max(number, 0)) for name, number in counted.items()}
        return self._gauges() if kind is Kind.GAUGE else {}

    def _gauges(self) -> dict[str, float]:
        return {} if self._lag is None else {f"{self._prefix}.timestamp_lag": self._lag}

    def _measure_lag(self, window: Window) -> None:
        last, self._last = self._last, window.timestamp
        if last is not None:
            self._lag = window.timestamp - last - window.interval
