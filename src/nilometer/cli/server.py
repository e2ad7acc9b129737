"""The server: listeners feed a kernel, the flusher empties it into the sinks. Built from settings, changed by a reload.

Rules:

* `start` either brings everything up or leaves nothing behind.
* `reload` refuses what is wrong as a whole: the old settings go on. What cannot change while the server runs is named.
* `stop` loses nothing that was received: sockets are read empty, the window is flushed, sinks write until the deadline, the
  rest waits in their spools.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from nilometer.cli import interfaces, logs
from nilometer.cli.announce import Started, announce
from nilometer.cli.collecting import serving as collecting
from nilometer.cli.eventing import Eventing
from nilometer.cli.listening import Listening
from nilometer.cli.relaying import Relaying, forwarding
from nilometer.cli.sinks import Sinks, readable
from nilometer.cli.state import StateDirectory
from nilometer.cli.statistics import serving as statistics
from nilometer.cli.tracing import Tracing
from nilometer.cli.usage.serving import Auditing
from nilometer.core.clock import SYSTEM
from nilometer.core.errors import StoreError
from nilometer.core.losses import Losses
from nilometer.ingest import carryover, selfmetrics
from nilometer.ingest.admin.control import Control, Sources
from nilometer.ingest.admin.recent import Recent
from nilometer.ingest.aggregate import rules, static_tags
from nilometer.ingest.badlines import BadLineLog
from nilometer.ingest.carryover import Carryover
from nilometer.ingest.flush import Flusher, Parts
from nilometer.ingest.keyflush import KeyFlusher
from nilometer.ingest.listener_urls import check
from nilometer.ingest.losslog import LossLog
from nilometer.ingest.messagelog import MessageLog
from nilometer.ingest.notices import Notices
from nilometer.ingest.overflowlog import OverflowLog
from nilometer.ingest.schedule import schedule
from nilometer.web.parts import Parts as WebParts

if TYPE_CHECKING:
    from pathlib import Path

    from nilometer.cli.plan import Plan
    from nilometer.cli.sinks import Prepared
    from nilometer.core.settings import Settings
    from nilometer.ingest.kernel import Kernel, Tally
    from nilometer.ingest.selfmetrics import SelfMetrics

LOG = logging.getLogger(__name__)
FIXED = (
    *("server.state", "self.prefix", "self.names", "admin.listen", "web.listen", "web.origins"),
    *("keyflush.interval", "keyflush.percent", "keyflush.log", "events.store", "events.queue"),
    *("traces.store", "traces.queue"),
    *statistics.FIXED,
)
"""Settings that take a restart."""
ALONE = "statistics"
"""In the state directory: what a server of statistics alone keeps."""
SAVE_EVERY = 60.0
"""Seconds between two savings of the gauges while the server runs."""


class Server:
    """One server. `start`, then `tend` a few times a second, `reload` on demand, `stop`."""

    def __init__(self, plan: Plan, kernel: Kernel) -> None:
        self._keys = _key_flusher(plan.settings)
        self._plan, self._kernel = plan, kernel if self._keys is None else self._keys.around(kernel)
        self._losses = Losses()
        self._relaying = Relaying(kernel, self._losses)
        self._messages = MessageLog(kernel, statsd=plan.statsd is not None)
        self._listening = Listening(self._kernel, self._losses, plan.settings.limits)
        self._cleanup = contextlib.ExitStack()

    def start(self) -> None:
        """Bring everything up. Raise `NilometerError` when something is wrong; nothing runs then."""
        with self._cleanup:
            self._start()
            self._cleanup = self._cleanup.pop_all()

    def _start(self) -> None:
        settings, cleanup = self._plan.settings, self._cleanup
        aggregation = rules(settings)
        for url in settings.server.listen:
            check(url)
        forwarded = forwarding(settings)
        interfaces.check(settings)
        collected = collecting.prepare(settings)
        self._state = StateDirectory(settings.server.state, ALONE if self._plan.alone else "")
        cleanup.callback(self._state.close)
        self._sinks = Sinks(self._state.spools, self._losses)
        cleanup.callback(lambda: self._sinks.close(self._plan.settings.stop.deadline))
        self._sinks.change(self._sinks.prepare(self._plan.sinks(self._state.store)), settings)
        self._events = Eventing(self._plan, self._state.path, self._sinks, self._losses, self._feed)
        cleanup.callback(self._events.close)
        self._traces = Tracing(self._plan, self._state.path, self._losses, lambda lines: self._feed(lines, "spans"))
        cleanup.callback(self._traces.close)
        self._statistics = statistics.ServingStatistics(settings.server.state.absolute(), self._losses, alone=self._plan.alone)
        cleanup.callback(self._statistics.close)
        left = carryover.restore(self._state.carryover)
        self._kernel.configure(aggregation)
        if settings.gauges.keep:
            self._kernel.restore_gauges(list(left.gauges), list(left.gauges.values()))
        self._relaying.change(forwarded, 0)
        cleanup.callback(lambda: self._relaying.close(0))
        self._messages.change(wanted=settings.log.messages)
        cleanup.callback(lambda: self._messages.change(wanted=False))
        cleanup.callback(self._listening.close)
        cleanup.callback(self._listening.stop)
        self._listening.begin(settings.server.listen)
        self._bad_lines = BadLineLog(self._kernel, SYSTEM, statsd=self._plan.statsd is not None)
        self._loss_log, self._overflow_log = LossLog(), OverflowLog(self._kernel, SYSTEM)
        self._notices = Notices(self._kernel, self._losses, SYSTEM, self._events.notice)
        metrics = self._metrics()
        self._recent = Recent(self._losses)
        self._flusher = self._new_flusher(metrics, left.written)
        self._start_taking(settings)
        self._renew_interfaces = interfaces.start(settings, self._parts(metrics), cleanup)
        self._saved = self._flusher.written
        if self._keys is not None:
            self._keys.start()
            cleanup.callback(self._keys.stop)
        self._flusher.start()
        self._collecting.change(collected, 0)
        self._auditing.change(settings, 0)
        announce(self._started())

    def _start_taking(self, settings: Settings) -> None:
        """Begin to take what does not come as lines: events, spans, what statistics count, what is collected."""
        cleanup = self._cleanup
        self._events.start(self._events.prepare(settings))
        cleanup.callback(lambda: self._events.stop(0))
        self._traces.start(self._traces.prepare(settings))
        cleanup.callback(lambda: self._traces.stop(0))
        self._statistics.change(self._statistics.prepare(settings), 0)
        cleanup.callback(lambda: self._statistics.stop(0))
        self._collecting = collecting.Collecting(lambda lines: self._feed(lines, "collected"), self._losses)
        cleanup.callback(lambda: self._collecting.stop(0))
        self._auditing = Auditing(self._events.tell, lambda: self._events.url, self._losses)
        cleanup.callback(lambda: self._auditing.stop(0))

    def _parts(self, metrics: SelfMetrics) -> WebParts:
        series = lambda: readable(self._plan.sinks(self._state.store))  # noqa: E731 a line says it
        return WebParts(
            self._control(metrics),
            series,
            self._sinks.watch,
            event_store=lambda: self._events.url,
            watch_events=self._events.watchers.watch,
            take_events=self._events.offer if self._events.wanted else None,
            trace_store=lambda: self._traces.url,
            take_spans=self._traces.offer,
            exemplars=self._traces.exemplars,
            statistics=lambda: self._statistics.service,
            alone=self._plan.alone,
        )

    def _control(self, metrics: SelfMetrics) -> Control:
        statsd = self._plan.statsd
        sources = Sources(
            kernel=self._kernel,
            losses=self._losses,
            settings=lambda: self._plan.settings,
            sinks=self._sinks.statuses,
            standing=metrics.standing,
            connections=lambda: self._listening.connections,
            relay=self._relaying.statuses,
            statsd=lambda: self._plan.statsd,
            listeners=self._listening.listeners,
            written=lambda: self._flusher.written,
            orphans=lambda: list(map(str, self._orphans())),
            recent=self._recent,
            events=self._events.status,
            statistics=self._statistics.status,
            traces=self._traces.status,
            collecting=lambda: [*self._collecting.problems(), *self._auditing.problems()],
        )
        return Control(sources, healthy=statsd is None or statsd.healthy)

    def _new_flusher(self, metrics: SelfMetrics, written: float) -> Flusher:
        flush, statsd = self._plan.settings.flush, self._plan.statsd
        parts = Parts(
            kernel=self._kernel,
            losses=self._losses,
            metrics=metrics,
            deliver=self._sinks.deliver,
            counted=self._counted,
            nominal=statsd is not None,
        )
        return Flusher(parts, schedule(flush.interval, flush.align, SYSTEM.time()), SYSTEM, written)

    def _counted(self, tally: Tally) -> None:
        self._bad_lines.counted(tally)
        self._overflow_log.drain()
        self._loss_log.counted(tally)

    def _metrics(self) -> SelfMetrics:
        own = self._plan.settings.self
        if own.names == "statsd":
            return selfmetrics.StatsdMetrics(own.prefix)
        return selfmetrics.OwnMetrics(
            own.prefix,
            self._losses,
            sinks=self._sinks.statuses,
            buffers=self._listening.buffers,
            connections=lambda: self._listening.connections,
            skipped=lambda: self._listening.skipped,
            tags=lambda: static_tags(self._plan.settings),
            relay=self._relaying.statuses,
            events=self._events.status,
            statistics=self._statistics.status,
            traces=self._traces.status,
        )

    def _feed(self, lines: bytes, source: str = "events") -> None:
        """Count lines that events, or what was collected, have become."""
        self._kernel.feed(lines, source, packets=0)

    def _orphans(self) -> list[Path]:
        return [self._state.spools / name for name in self._sinks.orphans()]

    def _started(self) -> Started:
        return Started(
            plan=self._plan,
            kernel=self._kernel.name,
            listeners=self._listening.listeners(),
            sinks=self._plan.sinks(self._state.store),
            forwarded=[target.name for target in self._relaying.statuses()],
            orphans=self._orphans(),
        )

    @property
    def watches(self) -> bool:
        """Whether statsd's file is to be read again when it changes."""
        return self._plan.statsd is not None and self._plan.statsd.reload

    def tend(self) -> None:
        """Show bad lines and refused keys, and save the gauges now and then. Call it a few times a second."""
        self._bad_lines.drain()
        self._overflow_log.drain()
        self._relaying.tend()
        self._notices.drain()
        self._recent.note()
        self._listening.count_refused()
        if self._flusher.written - self._saved >= SAVE_EVERY:
            self._save()

    def _save(self) -> None:
        self._saved = self._flusher.written
        gauges = dict(zip(*self._kernel.gauges(), strict=True)) if self._plan.settings.gauges.keep else {}
        try:
            carryover.save(self._state.carryover, Carryover(self._saved, gauges))
        except StoreError as error:
            LOG.warning("%s", error)

    def reload(self, plan: Plan) -> None:
        """Use other settings. Raise `NilometerError` when they cannot be used; the old ones go on then."""
        old, new = self._plan.settings, plan.settings
        aggregation = rules(new)
        for url in new.server.listen:
            check(url)
        forwarded = forwarding(new)
        renewed = [self._renew_interfaces(), *self._listening.renew()]
        prepared = self._sinks.prepare(plan.sinks(self._state.store))
        with contextlib.ExitStack() as undo:
            undo.callback(prepared.close)
            sources = self._events.prepare(new)
            undo.callback(sources.close)
            tracing = self._traces.prepare(new)
            undo.callback(tracing.close)
            keeping = self._statistics.prepare(new)
            undo.callback(keeping.close)
            collected = collecting.prepare(new)
            undo.callback(collected.close)
            self._auditing.change(new, new.stop.deadline)
            self._listening.change(new.server.listen, old.server.listen)
            undo.pop_all()
        self._plan = plan
        self._collecting.change(collected, new.stop.deadline)
        for use in renewed:
            use()
        self._change_sinks(prepared, new)
        self._events.change(sources, new)
        self._traces.change(tracing, new)
        self._statistics.change(keeping, new.stop.deadline)
        self._relaying.change(forwarded, new.stop.deadline)
        self._kernel.configure(aggregation)
        self._listening.limit(new.limits)
        if (new.flush.interval, new.flush.align) != (old.flush.interval, old.flush.align):
            self._flusher.reschedule(schedule(new.flush.interval, new.flush.align, SYSTEM.time()))
        logs.configure(new.log, plan.statsd)
        self._messages.change(wanted=new.log.messages)
        for name in FIXED:
            if old.value(name) != new.value(name):
                LOG.warning("%s cannot change while the server runs; restart it for %s", name, new.value(name))
        for warning in plan.warnings:
            LOG.warning("%s", warning)
        LOG.info("settings reloaded")

    def _change_sinks(self, prepared: Prepared, settings: Settings) -> None:
        try:
            self._sinks.change(prepared, settings)
        except StoreError as error:
            LOG.error("a sink is not in use: %s", error)  # noqa: TRY400 the reason is the message

    def stop(self) -> None:
        """Read the sockets empty, flush, and give the sinks their time."""
        LOG.info("stopping")
        with self._cleanup:
            self._listening.stop()
            self._relaying.close(self._plan.settings.stop.deadline)
            self._notices.drain()
            self._auditing.stop(self._plan.settings.stop.deadline)
            self._events.stop(self._plan.settings.stop.deadline)
            self._traces.stop(self._plan.settings.stop.deadline)
            self._statistics.stop(self._plan.settings.stop.deadline)
            self._collecting.stop(self._plan.settings.stop.deadline)
            self._flusher.stop()
            self._save()
        LOG.info("stopped")


def _key_flusher(settings: Settings) -> KeyFlusher | None:
    return KeyFlusher(settings.keyflush, sanitize=settings.names.sanitize) if settings.keyflush.interval > 0 else None
