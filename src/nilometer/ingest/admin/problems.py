"""What is wrong now, in words: each problem names the culprit and the cure.

Rules:

* Pure: what is looked at stands in a `View`. Nothing is a problem that the settings ask for.
* Losses are those of the last minutes; what ended is no problem any more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nilometer.core import quantity
from nilometer.core.event_status import EventsStatus
from nilometer.core.losses import KNOWN
from nilometer.core.settings import Settings
from nilometer.core.trace_status import TracesStatus
from nilometer.ingest import _kernel
from nilometer.ingest.admin import intake
from nilometer.ingest.admin.words import size, span
from nilometer.ingest.losslog import TOLD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nilometer.core.pipe import Status
    from nilometer.core.statistics import StatisticsStatus
    from nilometer.ingest.listeners import Listener
    from nilometer.ingest.relay.relay import TargetStatus

ENOUGH = 4 << 20
"""A receive buffer of fewer bytes loses datagrams when the machine is busy for some milliseconds."""
NEARLY = 0.9
"""The part of a limit from which on it is nearly reached."""
FILLING = 0.5
"""The part of a spool from which on it is worth a word."""
LEAST_FREE = 512 << 20
"""Bytes that the disk of the state directory should have."""
JUMP = 2.0
LATE = 60.0
"""For how many seconds a sink, or the flush, may be late."""
HELPS = {told.field: told.why.partition("; ")[2] for told in TOLD}
CURES = {
    "kernel.bad_line": "nilometer top shows who sends them; what is wrong with one: echo 'LINE' | nilometer parse",
    "kernel.name_limit": HELPS["name_over_limit"],
    "kernel.tag_limit": HELPS["tags_over_limit"],
    "kernel.series_limit": HELPS["series_over_limit"],
    "kernel.key_limit": HELPS["keys_over_limit"],
    "kernel.prefix_limit": HELPS["prefix_over_limit"],
    "kernel.source_limit": HELPS["source_over_limit"],
    "kernel.sample_limit": HELPS["samples_over_limit"],
    "kernel.set_member_limit": HELPS["members_over_limit"],
    "kernel.timed_limit": "send fewer values with a timestamp of their own",
    "event.limit": "send fewer events at a time",
    "event.no_sink": "keep them, with events.store, or add a sink that takes events, such as console:// or elasticsearch://",
    "event.bad_message": "the log shows what came, and from where; look who sends it",
    "event.unknown_type": "keep such events, with events.unknown = keep, or look who sends them",
    "event.sink": "that sink is away or too slow; the log names it",
    "event.rejected": "the log names the sink and its reason",
    "event.size": "bring back what should take them, or raise spool.size",
    "event.age": "bring back what should take them, or raise spool.age",
    "event.corrupt": "look after the disk of server.state",
    "event.disk": "make room on the disk of server.state, or mend it",
    "span.sink": "that sink is away or too slow; the log names it",
    "span.rejected": "the log names the sink and its reason",
    "span.size": "bring back what should take them, or raise spool.size",
    "span.age": "bring back what should take them, or raise spool.age",
    "span.corrupt": "look after the disk of server.state",
    "span.disk": "make room on the disk of server.state, or mend it",
    "collect.source": "the log names the source and its reason; try it: nilometer tables URL",
    "collect.table": "the log names the tables; try it: nilometer tables URL",
    "statistics.archive": "ask the archive for that time by hand, later: nilometer statistics backfill --from TIME --to TIME",
    "statistics.expired": "mend the plugin that stopped, or raise statistics.retention",
    "collect.late": "raise tables.every, or see which of tables.sources is slow",
    "socket.kernel_drop": HELPS["kernel_drops"],
    "listener.address": "name their network in the listener's option allow, or stop them",
    "listener.signature": "sign with the key of hmac_key_file",
    "listener.time": "set the senders' clocks, or widen the listener's hmac_window",
    "listener.replayed": "look who sends again what came before",
    "listener.full": "raise the listener's hmac_remembered",
    "listener.tls": "the log says what was wrong with which client",
    "stream.unfinished_line": "clients should end each line before they close",
    "stream.connection_limit": "raise limits.connections, or set the listener's option idle",
    "relay.queue": "raise relay.queue, or see which server of the relay is slow",
    "relay.refused": "start what should listen there, or send shorter datagrams",
    "relay.away": "bring that server back, or take it out of relay.to",
    "relay.no_target": "bring one of the servers of relay.to back",
    "spool.size": "bring the sink back, or raise spool.size",
    "spool.age": "bring the sink back, or raise spool.age",
    "spool.corrupt": "look after the disk of server.state",
    "store.damaged": "look after the disk of the store; its log tells which hours are damaged",
    "spool.disk": "make room on the disk of server.state, or mend it",
    "sink.refused": "the log names the sink and its reason",
    "sink.rejected": "the log names the sink and its reason",
    "sink.out_of_range": "send smaller values, or take a sink that holds such",
    "sink.not_finite": "look who sends values that are not finite",
    "sink.too_long": "send shorter names, or use a sink over TCP",
}
"""What helps against each loss, by ``stage.reason``; those that are missing are what somebody asked for."""


@dataclass(frozen=True, slots=True)
class View:
    """What is looked at. Times are seconds since the epoch; `written` is the end of the last window that was flushed.

    `lost` and `jumped` are those of `Recent`, `orphans` the spools of no sink; `free` is in bytes.
    `collecting`: what is wrong with sources of tables and with health checks.
    """

    now: float
    written: float
    settings: Settings = field(default_factory=Settings)
    kernel: str = "native"
    healthy: bool = True
    listeners: Sequence[Listener] = ()
    sinks: Sequence[Status] = ()
    relay: Sequence[TargetStatus] = ()
    lost: Mapping[str, int] = field(default_factory=dict)
    jumped: float = 0.0
    series: int = 0
    connections: int = 0
    orphans: Sequence[str] = ()
    free: int = 1 << 40
    events: EventsStatus = field(default_factory=EventsStatus)
    statistics: StatisticsStatus | None = None
    collecting: Sequence[str] = ()
    traces: TracesStatus = field(default_factory=TracesStatus)


def problems(view: View) -> list[str]:
    """Return the problems, the gravest first."""
    parts = (_flush, _sinks, _taking_in, _collecting, _losses, _limits, _disk, _relay, _clock)
    return [problem for part in (*parts, _kernel_in_use, _listening, _health) for problem in part(view)]


def small_buffer(listener: Listener) -> str:
    """Return what is wrong with the receive buffer that a listener was granted, or the empty string."""
    if not listener.buffers or min(listener.buffers) >= ENOUGH:
        return ""
    granted = size(min(listener.buffers))
    return (
        f"{listener.url}: the receive buffer is only {granted}, so bursts are lost; "
        "allow more with: sysctl -w net.core.rmem_max=16777216"
    )


def _flush(view: View) -> Iterator[str]:
    late = view.now - view.written - view.settings.flush.interval
    if late > max(view.settings.flush.interval, LATE):
        yield f"no flush for {span(view.now - view.written)}: the machine is too busy, or a fault; see the log"


def _sinks(view: View) -> Iterator[str]:
    for sink in view.sinks:
        waits = f"{sink.spool_items:,} flushes wait in its spool" if sink.spool_items else "nothing is lost so far"
        if sink.failing_since is not None:
            since = span(view.now - sink.failing_since)
            reason = sink.last_error.removeprefix(f"{sink.name}: ")
            yield f"{sink.name}: away for {since}: {reason}; {waits}; try it: nilometer check {sink.name}"
        elif sink.last_error:
            yield f"{sink.name}: refused a flush, which is lost: {sink.last_error}"
        elif sink.spool_items:
            yield f"{sink.name}: behind: {waits} and are written in order; if that stays, it is too slow"
        yield from _spool(sink, view)
    for name in view.orphans:
        yield f"{name} holds flushes for a sink that is not configured; add the sink, or remove it"


def _spool(sink: Status, view: View) -> Iterator[str]:
    spool = view.settings.spool
    if sink.spool_bytes >= FILLING * spool.size:
        full = f"{sink.spool_bytes / spool.size:.0%} of {size(spool.size)}"
        yield f"{sink.name}: its spool is filling, {full}; then the oldest flushes go: bring it back, or raise spool.size"
    if sink.failing_since is not None and view.now - sink.failing_since >= FILLING * spool.age:
        yield f"{sink.name}: flushes older than {quantity.written(spool.age)} will go; bring it back, or raise spool.age"


def _taking_in(view: View) -> Iterator[str]:
    yield from intake.of_events(view.events, view.now)
    yield from intake.of_statistics(view.statistics, view.now)
    yield from intake.of_traces(view.traces, view.now)


def _collecting(view: View) -> Iterator[str]:
    yield from view.collecting


def _losses(view: View) -> Iterator[str]:
    for name, number in view.lost.items():
        if name in CURES:
            stage, _, reason = name.partition(".")
            what = KNOWN[stage, reason].help.partition(";")[0]
            yield f"in the last minutes: {number:,} {what}: {CURES[name]}"


def _limits(view: View) -> Iterator[str]:
    limits = view.settings.limits
    for name, now, most in (("series", view.series, limits.series), ("connections", view.connections, limits.connections)):
        if now >= NEARLY * most:
            yield f"limits.{name} is nearly reached: {now:,} of {most:,}; raise it"
    waiting, most = view.traces.waiting, view.settings.traces.queue
    if waiting >= NEARLY * most:
        yield f"{waiting:,} of {most:,} spans wait: soon no more are taken; keep fewer, see what is slow, or raise traces.queue"
    down, most = view.traces.written_down, view.settings.spool.size
    if down >= NEARLY * most:
        yield f"spans that are not stored take {size(down)} of {size(most)}: soon no more are taken; raise spool.size"


def _disk(view: View) -> Iterator[str]:
    if view.free < LEAST_FREE:
        yield f"{view.settings.server.state}: the disk has only {size(view.free)} left; make room"


def _relay(view: View) -> Iterator[str]:
    for target in view.relay:
        if not target.up:
            yield f"{target.name}: nothing is forwarded there: {target.error or 'it does not answer'}; bring it back"


def _clock(view: View) -> Iterator[str]:
    if abs(view.jumped) >= JUMP:
        way = "ahead" if view.jumped > 0 else "back"
        yield f"the system's clock was set {way} by {span(abs(view.jumped))}: points around that are wrong; keep it with NTP"


def _kernel_in_use(view: View) -> Iterator[str]:
    if view.kernel == "reference":
        yield f"the reference kernel is in use: correct, but many times slower; for the native one: {_kernel.INSTALL}"


def _listening(view: View) -> Iterator[str]:
    if not view.listeners and view.statistics is None:  # statistics may be all that a server is for
        yield "nothing is listened to: name a listener in server.listen"
    yield from filter(None, map(small_buffer, view.listeners))


def _health(view: View) -> Iterator[str]:
    if not view.healthy:
        yield 'somebody has said that the server is down; say otherwise: PUT /api/v1/health {"health": "up"}'
