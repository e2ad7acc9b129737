"""Events in a server: where they come from, the store that keeps them, who hears of them. Built of the settings.

Rules:

* A store that the settings name must be one that can be opened. The one that nobody named is opened with its first event.
* Sinks hear of DogStatsD's events at once, of all others when the store has them: a bus brings those again until then.
"""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nilometer.backends import registry
from nilometer.cli.state import in_state
from nilometer.core.event_status import EventsStatus
from nilometer.core.event_types import EVERY, Lines, Registry
from nilometer.core.events import EVENTS, EventWorker
from nilometer.core.intake.keeper import Keeper
from nilometer.core.intake.sources import Sources
from nilometer.core.retention import Retention
from nilometer.core.spool import SpoolOf
from nilometer.core.wire import messages
from nilometer.events.admission import Admission
from nilometer.events.later import Later
from nilometer.events.moves import Moves
from nilometer.events.queued import QueuedWay
from nilometer.events.storing import put_into
from nilometer.events.watchers import Watchers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nilometer.cli.plan import Plan
    from nilometer.cli.sinks import Sinks
    from nilometer.core.capability import EventSink, EventStore, MessageSource
    from nilometer.core.events import EventSpool
    from nilometer.core.intake.keeper import Tell
    from nilometer.core.intake.sources import Prepared
    from nilometer.core.losses import Losses
    from nilometer.core.record import Event, Message
    from nilometer.core.settings import Settings
    from nilometer.core.url import Url

NONE, SQLITE = "none", "sqlite"
FILE, SPOOLS = "events.db", "spool-events"
"""In the state directory: the store that nobody named, and the spools of ways in."""
HTTP, DOGSTATSD, USAGE = "http", "dogstatsd", "usage"


def store_url(plan: Plan, state: Path) -> Url | None:
    """Return the URL of the store of events, None for none: in statsd's place only one that is named."""
    url = plan.settings.events.store
    if url.scheme == NONE or (plan.statsd is not None and not _named(plan)):
        return None
    return in_state(url, state / FILE)


def _named(plan: Plan) -> bool:
    return plan.settings.origin("events.store") != "default"


class Eventing:
    """All about events in one server. `feed` takes lines for the kernel; `watchers` hear of every event that is new."""

    def __init__(self, plan: Plan, state: Path, sinks: Sinks, losses: Losses, feed: Callable[[bytes], None]) -> None:
        types = Registry(EVERY)
        self._state, self._sinks, self._losses = state, sinks, losses
        self._admission, self._moves = Admission(types), Moves(Lines(types), feed)
        self._use(plan.settings)
        self._wanted = not plan.alone and (plan.statsd is None or _named(plan))
        self.watchers = Watchers()
        self.url = store_url(plan, state)
        self.store = None if self.url is None else _opened(self.url, named=_named(plan))
        name = "" if self.url is None else str(self.url).partition("?")[0]
        self._keeper = Keeper(name, put_into(self.store), losses, (self._moves.tell, self.watchers.tell))
        self._sources = Sources(self._keeper, self._decode, losses, (self._forward,), open_source=open_source)
        self._retention: Retention | None = None
        self._http: QueuedWay | None = None
        self._dogstatsd: QueuedWay | None = None
        self._usage: QueuedWay | None = None

    @property
    def wanted(self) -> bool:
        """Whether events are taken over HTTP: not in statsd's place, unless somebody named a store."""
        return self._wanted

    def _use(self, settings: Settings) -> None:
        self._settings = settings
        self._admission.refuse = settings.events.unknown == "refuse"
        self._moves.wanted = settings.events.metrics

    def prepare(self, settings: Settings) -> Prepared:
        """Open the sources that are new; none of them connects. Raise `ConfigError` for a wrong URL."""
        return self._sources.prepare(settings.events.sources)

    def start(self, prepared: Prepared) -> None:
        """Begin to take events."""
        if self._wanted:
            self._http = self._way(HTTP, (self._forward,))
        if self.store is not None:
            self._dogstatsd = self._way(DOGSTATSD, ())
            self._usage = self._way(USAGE, (self._forward,))
            self._retention = Retention(
                "events", self.store.drop_events, lambda: self._settings.events.retention, self._holds_any
            )
            self._retention.start()
        self._sources.change(prepared, 0)

    def change(self, prepared: Prepared, settings: Settings) -> None:
        """Use other settings from now on."""
        self._use(settings)
        self._sources.change(prepared, settings.stop.deadline)

    def _way(self, name: str, told: Sequence[Tell]) -> QueuedWay:
        return QueuedWay(name, self._keeper, told, work=partial(self._work, name), most=self._settings.events.queue)

    def _work(self, name: str, sink: EventSink) -> EventWorker:
        """Start the worker of a way; what waits while the store is away lies in a spool of its own."""
        settings = self._settings.spool

        def spool() -> EventSpool:
            return SpoolOf(self._state / SPOOLS / name, EVENTS, size=settings.size, age=settings.age, losses=self._losses)

        return EventWorker(f"events from {name}", sink, self._losses, spool=spool, most=self._settings.events.queue)

    def _holds_any(self) -> bool:
        """Return whether the store may hold events: a file that is not there holds none, and is not made for nothing."""
        return self.url is None or self.url.scheme != SQLITE or Path(self.url.path[1:]).exists()

    def _decode(self, message: Message) -> Event:
        event = messages.decode(message)
        self._admission.check(event)
        return event

    def _forward(self, events: Sequence[Event]) -> None:
        self._sinks.deliver_events(events, kept=self.store is not None)

    def notice(self, events: Sequence[Event]) -> None:
        """Take DogStatsD's events and service checks."""
        self._forward(events)
        if self._dogstatsd is not None:
            self._dogstatsd.put(events)

    def tell(self, events: Sequence[Event]) -> None:
        """Take what the server itself has to tell."""
        if self._usage is not None:
            self._usage.put(events)
        else:
            self._forward(events)

    def offer(self, events: Sequence[Event]) -> None:
        """Take events that came over HTTP, all or none. Raise `Full`, or `UnknownType`."""
        self._admission.check_all(events)
        if self._http is not None:
            self._http.offer(events)

    def status(self) -> EventsStatus:
        """Return how each way in, and the store, is doing; HTTP and DogStatsD once an event came."""
        pushed = [way.status() for way in (self._http, self._dogstatsd, self._usage) if way is not None]
        ways = (*self._sources.statuses(), *(status for status in pushed if status.received or status.waiting or status.last))
        return EventsStatus(ways, self._keeper.status() if self.url is not None else None)

    def stop(self, deadline: float) -> None:
        """Take no more; keep what was taken, within so many seconds: the rest comes again, or waits in the spool."""
        ways = [way for way in (self._http, self._dogstatsd, self._usage) if way is not None]
        closes = [self._sources.close, *(way.close for way in ways)]
        threads = [threading.Thread(target=close, args=(deadline,)) for close in closes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def close(self) -> None:
        """Let the store go; nobody asks it any more."""
        if self._retention is not None:
            self._retention.close()
        if self.store is not None:
            self.store.close()


def open_source(url: Url) -> MessageSource:
    """Open a bus that messages come from. Raise `UrlError`. It connects at its first use."""
    return registry.open(url, registry.MESSAGES)


def _opened(url: Url, *, named: bool) -> EventStore:
    """Open the store now when somebody named it, so that what is wrong is told; else with its first event. Raise `UrlError`."""
    return registry.open(url, registry.EVENT_STORE) if named else Later(url)
