"""Traces in a server: where spans come from, what becomes of them, the store that keeps them. Built of the settings.

Rules:

* A store that the settings name must be one that can be opened. The one that nobody named is opened with its first span.
* Who has no spans does not pay for them: threads, spools and the journal begin with the first span, or with what was left.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nilometer.backends import registry
from nilometer.cli.span_workers import SpanWorkers
from nilometer.cli.state import in_state
from nilometer.core.errors import InputError, StoreError, Unavailable
from nilometer.core.intake.keeper import Keeper, Kept
from nilometer.core.intake.sources import Sources
from nilometer.core.intake.spans import Full
from nilometer.core.retention import Retention
from nilometer.core.trace_status import TracesStatus
from nilometer.core.traces.rules import Chosen, Measured
from nilometer.core.traces.span import NANO
from nilometer.core.wire import messages, osprofiler
from nilometer.traces.exemplars import Exemplars
from nilometer.traces.journal import Journal
from nilometer.traces.keeping import Bounds, Keeping
from nilometer.traces.later import Later
from nilometer.traces.measuring import Measuring
from nilometer.traces.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nilometer.cli.plan import Plan
    from nilometer.cli.span_workers import Prepared as PreparedSinks
    from nilometer.core.capability import MessageSource, TraceStore
    from nilometer.core.intake.sources import Prepared as PreparedSources
    from nilometer.core.losses import Losses
    from nilometer.core.record import Event, Message
    from nilometer.core.settings import Settings
    from nilometer.core.traces.span import Span
    from nilometer.core.url import Url

LOG = logging.getLogger(__name__)
NONE, SQLITE = "none", "sqlite"
FILE, SPOOLS, JOURNAL = "traces.db", "spool-traces", "journal-traces"
"""In the state directory: the store that nobody named, the spools of store and sinks, what is not stored yet."""
PROFILER = "profiler."
NOWHERE = "no store keeps traces, and no sink takes them; name one in traces.store or traces.sinks"


def store_url(plan: Plan, state: Path) -> Url | None:
    """Return the URL of the store of traces, None for none: in statsd's place, and alone, only one that is named."""
    url = plan.settings.traces.store
    if url.scheme == NONE or ((plan.alone or plan.statsd is not None) and not _named(plan)):
        return None
    return in_state(url, state / FILE)


def _named(plan: Plan) -> bool:
    return plan.settings.origin("traces.store") != "default"


class Prepared(NamedTuple):
    """Sources and sinks that other settings need, opened."""

    sources: PreparedSources
    sinks: PreparedSinks

    def close(self) -> None:
        """Let go what was opened for nothing."""
        self.sources.close()
        self.sinks.close()


class Tracing:
    """All about traces in one server. `feed` takes lines for the kernel."""

    def __init__(self, plan: Plan, state: Path, losses: Losses, feed: Callable[[bytes], None]) -> None:
        self._settings, self._state, self._losses = plan.settings, state, losses
        self._queue = plan.settings.traces.queue
        self.url = store_url(plan, state)
        self.store = None if self.url is None else _opened(self.url, named=_named(plan))
        self.exemplars = Exemplars(plan.settings.traces.exemplars)
        self._measuring = Measuring((), feed, self.exemplars)
        self._measure(plan.settings)
        self._workers = SpanWorkers(state / SPOOLS, losses, self._queue)
        self._sources = Sources(Keeper("traces", self._put, losses, nouns="spans"), decode, losses, open_source=_open_source)
        self._retention: Retention | None = None
        self._keeping: Keeping | None = None
        self._ends = False
        self._lock = threading.Lock()

    def prepare(self, settings: Settings) -> Prepared:
        """Open the sources and sinks that are new; none of them connects. Raise `ConfigError` for a wrong URL."""
        sources = self._sources.prepare(settings.traces.sources)
        try:
            return Prepared(sources, self._workers.prepare(settings.traces.sinks))
        except Exception:
            sources.close()
            raise

    def start(self, prepared: Prepared) -> None:
        """Begin to take spans; those that the last run left at once."""
        self._workers.change(prepared.sinks, self._settings)
        if self.store is not None:
            drop = self.store.drop_traces
            self._retention = Retention("traces", drop, lambda: self._settings.traces.retention, self._holds_any)
            self._retention.start()
        if any((self._state / JOURNAL).glob("*.spans")):
            self._take_left()
        self._sources.change(prepared.sources, 0)

    def _take_left(self) -> None:
        """Take in what the last run left, where anybody keeps it; else it stays there."""
        if self.store is None and not self._workers.all():
            LOG.warning("%s holds spans, and nobody keeps any now; name a store in traces.store", self._state / JOURNAL)
            return
        with contextlib.suppress(Unavailable):  # it is told with the next span
            self._kept()

    def change(self, prepared: Prepared, settings: Settings) -> None:
        """Use other settings from now on."""
        self._settings = settings
        self._measure(settings)
        gone = self._workers.change(prepared.sinks, settings)
        with self._lock:
            if self._keeping is not None:
                self._keeping.use(self._bounds(), self._workers.all(), settings.spool.size)
        self._workers.close(gone, settings.stop.deadline)
        self._sources.change(prepared.sources, settings.stop.deadline)

    def _measure(self, settings: Settings) -> None:
        self._measuring.rules = tuple(map(Measured.read, settings.traces.metrics))
        self._measuring.leads = tuple(map(Measured.read, settings.traces.leads))
        self.exemplars.most = settings.traces.exemplars

    def _bounds(self) -> Bounds:
        wanted = self._settings.traces
        rules = tuple(map(Chosen.read, wanted.sampling))
        policy = Policy(wanted.ratio, wanted.rate, wanted.errors, int(wanted.slower * NANO), rules)
        return Bounds(policy, wanted.wait, wanted.undecided, self._queue)

    def _kept(self) -> Keeping:
        """Return what keeps spans, begun when it is first asked for. Raise `Full`, or `Unavailable`."""
        with self._lock:
            if self._ends:
                message = "the server ends; try again soon"
                raise Full(message)
            if self._keeping is None:
                self._keeping = self._begun()
            return self._keeping

    def _begun(self) -> Keeping:
        try:
            journal = Journal(self._state / JOURNAL, self._settings.spool.size, self._losses)
        except StoreError as error:
            raise Unavailable(str(error)) from error
        if self.store is not None and self.url is not None:
            self._workers.keep(self.url, self.store, self._settings)
        told, dropped = (self._measuring.tell,), self.exemplars.forget
        keeping = Keeping(journal, self._workers.all(), self._bounds(), told=told, dropped=dropped)
        keeping.start()
        return keeping

    def _holds_any(self) -> bool:
        """Return whether the store may hold traces: a file that is not there holds none, and is not made for nothing."""
        return self.url is None or self.url.scheme != SQLITE or Path(self.url.path[1:]).exists()

    def _put(self, events: list[Event]) -> Kept:
        """Keep what notifications tell of."""
        self.offer(osprofiler.spans(event.payload for event in events).spans)
        return Kept(events, 0)

    def offer(self, spans: Sequence[Span]) -> None:
        """Take spans over, all or none. Raise `Full` or `Unavailable`."""
        if self.store is None and not self._workers.all() and not self._measuring.rules:
            raise Unavailable(NOWHERE)
        self._kept().offer(spans)

    def status(self) -> TracesStatus:
        """Return how each way in, sampling, the store and each sink is doing."""
        keeping, ways = self._keeping, tuple(self._sources.statuses())
        store, sinks = self._workers.statuses()
        if keeping is None:
            return TracesStatus(ways, store, sinks)
        return TracesStatus(
            ways,
            store,
            sinks,
            taken=keeping.taken,
            kept=keeping.kept,
            sampled=keeping.sampled,
            refused=keeping.refused,
            waiting=keeping.waiting,
            undecided=keeping.undecided,
            early=keeping.early,
            written_down=keeping.written_down,
            traces=keeping.decided,
        )

    def stop(self, deadline: float) -> None:
        """Take no more; store what can be stored within so many seconds. The rest is on disk."""
        self._sources.close(deadline)
        with self._lock:
            keeping, self._ends = self._keeping, True
        if keeping is not None:
            keeping.end()
        self._workers.close(self._workers.all(), deadline)
        if keeping is not None:
            keeping.close()

    def close(self) -> None:
        """Let the store go; nobody asks it any more."""
        if self._retention is not None:
            self._retention.close()
        if self.store is not None:
            self.store.close()


def decode(message: Message) -> Event:
    """Return the event that carries a notification of OSProfiler. Raise `InputError` for any other."""
    event = messages.decode(message)
    if not event.type.startswith(PROFILER):
        wrong = f"it is of the type {event.type[:60]!r}, not {PROFILER}*, as OSProfiler's are"
        raise InputError(wrong)
    osprofiler.half(event.payload)
    return event


def _open_source(url: Url) -> MessageSource:
    return registry.open(url, registry.MESSAGES)


def _opened(url: Url, *, named: bool) -> TraceStore:
    """Open the store now when somebody named it, so that what is wrong is told; else with its first span. Raise `UrlError`."""
    return registry.open(url, registry.TRACES) if named else Later(url)
