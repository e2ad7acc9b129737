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
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from nilometer.cli import interfaces, logs
from nilometer.cli.relaying import Relaying, forwarding
from nilometer.cli.sinks import Sinks, readable, with_history
from nilometer.cli.state import StateDirectory
from nilometer.core import quantity
from nilometer.core import url as urls
from nilometer.core.clock import SYSTEM
from nilometer.core.errors import NilometerError, StoreError
from nilometer.core.losses import Losses
from nilometer.core.quantity import Size
from nilometer.ingest import _kernel, carryover, selfmetrics
from nilometer.ingest.admin.control import Control, Sources
from nilometer.ingest.admin.problems import small_buffer
from nilometer.ingest.admin.recent import Recent
from nilometer.ingest.aggregate import rules, static_tags
from nilometer.ingest.badlines import BadLineLog
from nilometer.ingest.carryover import Carryover
from nilometer.ingest.flush import Flusher, Parts
from nilometer.ingest.keyflush import KeyFlusher
from nilometer.ingest.listener_urls import check
from nilometer.ingest.listeners import Listeners
from nilometer.ingest.losslog import LossLog
from nilometer.ingest.messagelog import MessageLog
from nilometer.ingest.notices import Notices
from nilometer.ingest.overflowlog import OverflowLog
from nilometer.ingest.schedule import schedule
from nilometer.web.parts import Parts as WebParts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nilometer.cli.sinks import Prepared
    from nilometer.core.settings import Settings
    from nilometer.core.url import Url
    from nilometer.ingest.kernel import Kernel, Tally
    from nilometer.ingest.listeners import Listener
    from nilometer.ingest.selfmetrics import SelfMetrics
    from nilometer.ingest.statsd.mode import StatsdMode

LOG = logging.getLogger(__name__)
FIXED = (
    *("server.state", "self.prefix", "self.names", "admin.listen", "web.listen", "web.origins"),
    *("keyflush.interval", "keyflush.percent", "keyflush.log"),
)
"""Settings that take a restart."""
SAVE_EVERY = 60.0
"""Seconds between two savings of the gauges while the server runs."""
REFERENCE = f"THE REFERENCE KERNEL IS IN USE: correct, but many times slower; for the native one: {_kernel.INSTALL}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to serve: settings and, on statsd's own configuration file, what else it asks for and what to warn of."""

    settings: Settings
    statsd: StatsdMode | None = None
    warnings: tuple[str, ...] = ()

    def sinks(self, store: Path) -> Sequence[Url]:
        """Return the sinks; where the settings name none, the embedded store, or nothing as statsd does."""
        sinks = self.settings.server.sinks
        if not sinks and self.statsd is None:
            sinks = (urls.parse(f"sqlite:///{quote(str(store))}"),)
        return [with_history(url, self.settings) for url in sinks]


class Server:
    """One server. `start`, then `tend` a few times a second, `reload` on demand, `stop`."""

    def __init__(self, plan: Plan, kernel: Kernel) -> None:
        self._keys = _key_flusher(plan.settings)
        self._plan, self._kernel = plan, kernel if self._keys is None else self._keys.around(kernel)
        self._losses = Losses()
        self._relaying = Relaying(kernel, self._losses)
        self._messages = MessageLog(kernel, statsd=plan.statsd is not None)
        self._cleanup = contextlib.ExitStack()
        self._listening: dict[str, Listener] = {}

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
        self._state = StateDirectory(settings.server.state)
        cleanup.callback(self._state.close)
        self._sinks = Sinks(self._state.spools, self._losses)
        cleanup.callback(lambda: self._sinks.close(self._plan.settings.stop.deadline))
        self._sinks.change(self._sinks.prepare(self._plan.sinks(self._state.store)), settings)
        left = carryover.restore(self._state.carryover)
        self._kernel.configure(aggregation)
        if settings.gauges.keep:
            self._kernel.restore_gauges(list(left.gauges), list(left.gauges.values()))
        self._relaying.change(forwarded, 0)
        cleanup.callback(lambda: self._relaying.close(0))
        self._messages.change(wanted=settings.log.messages)
        cleanup.callback(lambda: self._messages.change(wanted=False))
        limits = settings.limits
        self._listeners = Listeners(self._kernel, self._losses, max_line=limits.line, connections=limits.connections)
        cleanup.callback(self._listeners.close)
        cleanup.callback(self._stop_listening)
        for url in dict.fromkeys(settings.server.listen):
            self._listen(url)
        self._bad_lines = BadLineLog(self._kernel, SYSTEM, statsd=self._plan.statsd is not None)
        self._loss_log, self._overflow_log = LossLog(), OverflowLog(self._kernel, SYSTEM)
        self._notices = Notices(self._kernel, self._losses, SYSTEM, self._sinks.deliver_events)
        metrics = self._metrics()
        self._recent = Recent(self._losses)
        self._flusher = self._new_flusher(metrics, left.written)
        self._renew_interfaces = interfaces.start(settings, self._parts(metrics), cleanup)
        self._saved = self._flusher.written
        if self._keys is not None:
            self._keys.start()
            cleanup.callback(self._keys.stop)
        self._flusher.start()
        self._report()

    def _parts(self, metrics: SelfMetrics) -> WebParts:
        series = lambda: readable(self._plan.sinks(self._state.store))  # noqa: E731 a line says it
        return WebParts(self._control(metrics), series, self._sinks.watch)

    def _control(self, metrics: SelfMetrics) -> Control:
        statsd = self._plan.statsd
        sources = Sources(
            kernel=self._kernel,
            losses=self._losses,
            settings=lambda: self._plan.settings,
            sinks=self._sinks.statuses,
            standing=metrics.standing,
            connections=lambda: self._listeners.connections,
            relay=self._relaying.statuses,
            statsd=lambda: self._plan.statsd,
            listeners=lambda: list(self._listening.values()),
            written=lambda: self._flusher.written,
            orphans=lambda: [str(self._state.spools / name) for name in self._sinks.orphans()],
            recent=self._recent,
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
            buffers=self._buffers,
            connections=lambda: self._listeners.connections,
            skipped=lambda: self._listeners.skipped,
            tags=lambda: static_tags(self._plan.settings),
            relay=self._relaying.statuses,
        )

    def _buffers(self) -> dict[str, int]:
        """Return the smallest receive buffer that each listener was granted, in bytes."""
        return {str(one.url): min(one.buffers) for one in list(self._listening.values()) if one.buffers}

    def _report(self) -> None:
        """Say where the server listens and where to look."""
        self._warn()
        for listener in self._listening.values():
            granted = f", receive buffer {_size(min(listener.buffers))}" if listener.buffers else ""
            LOG.info("listening on %s%s", ", ".join(listener.addresses), granted)
            hint = small_buffer(listener)
            if hint:
                LOG.warning("%s", hint)
        for url in self._plan.sinks(self._state.store):
            LOG.info("every %s to %s", quantity.written(self._plan.settings.flush.interval), url)
        for target in self._relaying.statuses():
            LOG.info("what comes in is forwarded to %s", target.name)
        for name in self._sinks.orphans():
            LOG.warning(
                "%s holds flushes for a sink that is not configured; add the sink, or remove it", self._state.spools / name
            )
        LOG.info("server is up")

    def _warn(self) -> None:
        if self._kernel.name == "reference":
            LOG.warning(REFERENCE)
        for warning in self._plan.warnings:
            LOG.warning("%s", warning)
        if not self._listening:
            LOG.warning("nothing is listened to: the settings name no listener")
        if not self._plan.sinks(self._state.store):
            LOG.warning("nothing is stored or sent: statsd's file names no graphiteHost and no console")

    def _listen(self, url: Url) -> Listener:
        listener = self._listeners.open(url)
        self._listening[url.reveal()] = listener
        return listener

    def _stop_listening(self) -> None:
        """Stop all listeners at a time: each waits for its threads."""
        threads = [threading.Thread(target=_stop, args=(listener,)) for listener in self._listening.values()]
        self._listening.clear()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

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
        self._count_refused()
        if self._flusher.written - self._saved >= SAVE_EVERY:
            self._save()

    def _count_refused(self) -> None:
        for listener in list(self._listening.values()):
            listener.count_refused(self._listeners.refusals)

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
        renewed = [self._renew_interfaces(), *(listener.renew() for listener in self._listening.values())]
        prepared = self._sinks.prepare(plan.sinks(self._state.store))
        try:
            self._change_listeners(new.server.listen, old.server.listen)
        except NilometerError:
            prepared.close()
            raise
        self._plan = plan
        for use in renewed:
            use()
        self._change_sinks(prepared, new)
        self._relaying.change(forwarded, new.stop.deadline)
        self._kernel.configure(aggregation)
        self._listeners.limit(max_line=new.limits.line, connections=new.limits.connections)
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

    def _change_listeners(self, wanted: Sequence[Url], before: Sequence[Url]) -> None:
        """Close what is gone, then open what is new; open the old ones again when that fails."""
        texts = {url.reveal(): url for url in wanted}
        for text in [text for text in self._listening if text not in texts]:
            listener = self._listening.pop(text)
            listener.stop()
            listener.count_refused(self._listeners.refusals)
            LOG.info("no longer listening on %s", listener.url)
        try:
            for text in [text for text in texts if text not in self._listening]:
                LOG.info("listening on %s", ", ".join(self._listen(texts[text]).addresses))
        except NilometerError:
            self._restore_listeners({url.reveal(): url for url in before})
            raise

    def _restore_listeners(self, before: dict[str, Url]) -> None:
        for text in [text for text in self._listening if text not in before]:
            self._listening.pop(text).stop()
        for text, url in before.items():
            if text not in self._listening:
                try:
                    self._listen(url)
                except NilometerError:
                    LOG.exception("%s cannot be listened on again", url)

    def stop(self) -> None:
        """Read the sockets empty, flush, and give the sinks their time."""
        LOG.info("stopping")
        with self._cleanup:
            listening = list(self._listening.values())
            self._stop_listening()
            for listener in listening:
                listener.count_refused(self._listeners.refusals)
            self._relaying.close(self._plan.settings.stop.deadline)
            self._notices.drain()
            self._flusher.stop()
            self._save()
        LOG.info("stopped")


def _key_flusher(settings: Settings) -> KeyFlusher | None:
    return KeyFlusher(settings.keyflush, sanitize=settings.names.sanitize) if settings.keyflush.interval > 0 else None


def _stop(listener: Listener) -> None:
    try:
        listener.stop()
    except Exception:  # what was received must be flushed, whatever one socket does
        LOG.exception("%s could not be stopped", listener.url)


def _size(count: int) -> str:
    return quantity.written(Size(count))
