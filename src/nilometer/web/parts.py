"""What the routes stand on: the running server as the rooms may see it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nilometer.backends import registry
from nilometer.traces.exemplars import Exemplars
from nilometer.web.cumulative import Exposition
from nilometer.web.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nilometer.core.record import Event, Flush
    from nilometer.core.traces.span import Span
    from nilometer.core.url import Url
    from nilometer.ingest.admin.control import Control
    from nilometer.statistics.asked import Asked

    TakeSpans = Callable[[Sequence[Span]], None]
    TakeEvents = Callable[[Sequence[Event]], None]
    Watch = Callable[[Callable[[Flush], None]], Callable[[], None]]
    WatchEvents = Callable[[Callable[[Sequence[Event]], None]], Callable[[], None]]

NO_TRACES = "no store keeps traces; name one, such as sqlite:///traces.db, in traces.store"
NO_EVENTS = "no store keeps events; name one, such as sqlite:///events.db, in events.store"


def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Parts:
    """What a file of routes is given.

    `control`: what may be asked of ingest, and the settings in force.
    `series`: the URL that series are read from now, None when no sink can give any back.
    `watch`: has a function called with every flush, on the thread that flushes: it returns at once and never raises. What it
    returns ends that.
    `event_store`: the URL that events are read from now, None when no store keeps any.
    `watch_events`: has a function called with events that are new, as `watch` does.
    `trace_store`: the URL that traces are read from now, None when no store keeps any.
    `statistics`: those that run now, None when there are none.
    `take_spans`: takes spans over, all or none, and raises `Unavailable`; None where none are taken.
    `exemplars`: slow requests of late, by series.
    `alone`: whether the server has nothing but statistics.
    `take_events`: takes events over, all or none, and raises `Full` or `InputError`; None where none are taken.
    `reading`: asks what is read from `series`, in processes of its own; `event_reading`: likewise from `event_store`,
    `trace_reading` from `trace_store`.
    `exposition`: the sums of all flushes since `begin`.
    `closing`: closed when the last request is answered, for what a room has to end: processes, threads.
    """

    control: Control
    series: Callable[[], Url | None] = _nothing
    watch: Watch = lambda _: _nothing
    event_store: Callable[[], Url | None] = _nothing
    watch_events: WatchEvents = lambda _: _nothing
    take_events: TakeEvents | None = None
    trace_store: Callable[[], Url | None] = _nothing
    statistics: Callable[[], Asked | None] = _nothing
    take_spans: TakeSpans | None = None
    exemplars: Exemplars = field(default_factory=lambda: Exemplars(0))
    alone: bool = False
    closing: ExitStack = field(default_factory=ExitStack)
    reading: Reading = field(init=False)
    event_reading: Reading = field(init=False)
    trace_reading: Reading = field(init=False)
    exposition: Exposition = field(init=False, default_factory=Exposition)

    def __post_init__(self) -> None:
        """Make what all rooms share."""
        object.__setattr__(self, "reading", Reading(self.series))
        object.__setattr__(self, "event_reading", Reading(self.event_store, registry.EVENT_STORE, NO_EVENTS))
        object.__setattr__(self, "trace_reading", Reading(self.trace_store, registry.TRACES, NO_TRACES))
        for reading in (self.reading, self.event_reading, self.trace_reading):
            self.closing.callback(reading.close)

    def begin(self) -> None:
        """Add flushes up from now on. To be called once something listens."""
        self.exposition.start()
        self.closing.callback(self.exposition.close)
        self.closing.callback(self.watch(self.exposition.put))
