"""What a backend can do, as types. A backend is any object that has the methods of the capabilities it is listed for.

The registry lists scheme and capability before anything is imported, so asking a backend for what it cannot do fails when
settings are read. Methods block; the pipe calls them from a thread of its own. Each raises `Unavailable` when trying again
can help and `Rejected` when it cannot; a driver's own error never comes through.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from nilometer.core.event_query import By, Count, EventQuery, Found
    from nilometer.core.event_types import Registry
    from nilometer.core.record import Event, Flush, Message
    from nilometer.core.statistics import Covered, Inbox, Kind, Progress, RowQuery, Tally
    from nilometer.core.statistics import Found as FoundRows
    from nilometer.core.statistics import Message as InboxMessage
    from nilometer.core.table import Fault, Table
    from nilometer.core.traces.query import FoundTraces, TraceQuery
    from nilometer.core.traces.span import Span


@runtime_checkable
class Backend(Protocol):
    """Anything that a URL opens."""

    def close(self) -> None:
        """Free what is held. What was written is stored by then. Closing twice does nothing."""


@runtime_checkable
class MetricSink(Backend, Protocol):
    """Stores flushes."""

    def write(self, flush: Flush) -> None:
        """Store all of the flush, or raise. Writing the same flush again must not count anything twice."""


@runtime_checkable
class SketchSink(MetricSink, Protocol):
    """Stores the sketches that come with timers, too, so that percentiles can be read from several. Others leave them out."""


@runtime_checkable
class Selective(Protocol):
    """What a sink is besides when its format cannot hold every value."""

    def left_out(self) -> Mapping[tuple[str, str], int]:
        """Return how many values of written flushes were left out since the last call, by stage and reason as in `LOSSES`."""


@runtime_checkable
class Measured(Protocol):
    """What a sink is besides when it keeps figures about its own work."""

    def figures(self) -> Mapping[str, float]:
        """Return the figures by name."""


@runtime_checkable
class EventSink(Backend, Protocol):
    """Stores events."""

    def write_events(self, events: Sequence[Event]) -> None:
        """Store all of the events, or raise."""


@runtime_checkable
class InstantSink(EventSink, Protocol):
    """What an event sink is besides when `write_events` neither waits nor fails, from any thread: it needs no queue."""

    instant: bool


@runtime_checkable
class TypedSink(EventSink, Protocol):
    """What an event sink is besides when what it writes depends on what is known of the events' types."""

    def use(self, types: Registry) -> None:
        """Know the types of this registry from now on."""


@runtime_checkable
class EventStore(EventSink, Protocol):
    """Stores events and gives them back. An event whose id is there already is not stored again."""

    def find_events(self, query: EventQuery, limit: int = 100, cursor: str = "") -> Found:
        """Return up to `limit` events, newest first, from `cursor` on. Raise `InputError` for a cursor that is none."""

    def count_events(self, query: EventQuery, step: float, by: By, most: int = 10) -> list[Count]:
        """Count events in slots of `step` seconds, for the `most` frequent keys; the other keys together are ``""``."""

    def known_events(self, ids: Sequence[str]) -> set[str]:
        """Return those of the ids, some hundreds at most, under which an event is stored."""

    def drop_events(self, before: float) -> int:
        """Delete what is older than `before`, seconds since the epoch; all, or a part, so that nobody waits for long.

        Return how many events that were; who wants all gone calls again until it is 0.
        """


@runtime_checkable
class MessageSource(Backend, Protocol):
    """Takes messages from a bus. What is not settled comes again, to this process or another."""

    def receive(self, most: int, seconds: float) -> list[Message]:
        """Return up to `most` messages, waiting up to `seconds` for the first. Raise `Unavailable`."""

    def settle(self, messages: Sequence[Message]) -> None:
        """Tell the bus that these are done with. Raise `Unavailable`: then they come again."""


@runtime_checkable
class TableSource(Backend, Protocol):
    """Knows the tables of a system, and how large they are."""

    def read_tables(self) -> Iterator[Table | Fault]:
        """Yield every table, and its indexes, once. Raise `Unavailable` when the source as a whole cannot be read."""


@runtime_checkable
class StatisticsStore(Backend, Protocol):
    """Keeps the inbox, what the statistics make of it, and how far each has come.

    Whatever is written is committed when the call returns, all of it or nothing. Numbers of messages are given in the order in
    which they are committed, by however many processes: whoever has read up to a number has missed none below it.
    Every method raises `Unavailable` while the database is away.
    """

    # the inbox
    def take_in(
        self, events: Sequence[Event], *, arrived: float, source: str, archived: bool = False, covered: Sequence[Covered] = ()
    ) -> list[Event]:
        """Put messages into the inbox but those whose ids it knows, note what the source covers now, return the new ones.

        Raise `Rejected` naming one that cannot be stored.
        """

    def read_inbox(self, after: int, most: int) -> list[InboxMessage]:
        """Return up to `most` messages with a number above `after`, in order of their numbers."""

    def inbox(self) -> Inbox:
        """Return what the inbox holds."""

    def expire_inbox(self, before: float, upto: int) -> int:
        """Delete a part of what arrived before a time, with numbers up to `upto`. Return how many; 0: none left."""

    def covered(self, source: str) -> list[Covered]:
        """Return what is covered of a source, in order, without overlaps."""

    def sources(self) -> list[str]:
        """Return the sources of which anything is covered, in order."""

    def cover(self, source: str, covered: Sequence[Covered]) -> None:
        """Note that a source covers this, too, as `nilometer.core.statistics.coverage.union` says."""

    # the statistics
    def register(self, ident: str, kind: Kind, version: int, *, offset: int = 0) -> Progress:
        """Return how far a statistic is; a new one begins behind `offset`.

        One that has another version there loses its rows and begins anew, at the first message of the inbox.
        """

    def progress(self) -> list[Progress]:
        """Return how far each statistic is that was ever registered, in order of idents."""

    def apply(self, tallies: Mapping[str, Tally], after: int, upto: int) -> bool:
        """Make the changes of each statistic, and move its offset from `after` to `upto`: all in one transaction.

        Return False, and do nothing, when one of them is not at `after`, or is stopped: somebody else was there.
        """

    def stop(self, ident: str, error: str, culprit: InboxMessage, since: float) -> None:
        """Note that a statistic raised at a message; it stays before it."""

    def resume(self, ident: str) -> None:
        """Let a stopped statistic run again."""

    def forget(self, ident: str) -> None:
        """Delete a statistic, with its rows."""

    # their rows
    def find_rows(self, ident: str, query: RowQuery, limit: int, *, cursor: str = "", offset: int = 0) -> FoundRows:
        """Return up to `limit` rows, behind a cursor or an `offset`. Raise `InputError` for a cursor that is none."""

    def count_rows(self, ident: str, query: RowQuery) -> int:
        """Return how many rows there are."""

    def drop_rows(self, ident: str, before: float) -> int:
        """Delete a part of the rows whose time is before. Return how many; 0: none left."""

    def roll_up(self, ident: str, before: float, slot: Callable[[int], int]) -> int:
        """Merge a part of the rows before a time into those that `slot` says. Return how many rows went; 0: none left."""


class ArchivePage(NamedTuple):
    """One page of what an archive has: messages as events, and how many it says there are, on how many pages.

    `bad` counts entries that are no message.
    """

    events: list[Event]
    total: int
    pages: int
    bad: int = 0


@runtime_checkable
class Archive(Backend, Protocol):
    """Has the messages of a bus of long ago."""

    def read_page(self, start: float, end: float, page: int) -> ArchivePage:
        """Return a page, counted from 1, of the messages sent from `start` to `end`, both included, oldest first.

        Raise `Unavailable` when trying again can help.
        """


@runtime_checkable
class SpanSink(Backend, Protocol):
    """Stores spans."""

    def write_spans(self, spans: Sequence[Span]) -> None:
        """Store all of the spans, or raise. Writing the same spans again changes nothing that is read."""


@runtime_checkable
class WholeSpans(SpanSink, Protocol):
    """What a sink of spans is besides when it takes whole ones only: the pipe to it leaves parts out."""

    whole_spans: bool


@runtime_checkable
class TraceStore(SpanSink, Protocol):
    """Stores spans and gives them back by trace."""

    def read_trace(self, trace: str, most: int = 100_000) -> list[Span]:
        """Return up to `most` spans of one trace, each once, in order of start, then of arrival; none for an unknown one."""

    def find_traces(self, query: TraceQuery, limit: int = 100, cursor: str = "") -> FoundTraces:
        """Return up to `limit` traces, newest first, from `cursor` on. Raise `InputError` for a cursor that is none."""

    def delete_trace(self, trace: str) -> bool:
        """Delete a trace. Return whether there was one."""

    def drop_traces(self, before: float) -> int:
        """Delete traces all of whose spans started before a time, seconds since the epoch; all, or a part.

        Return how many traces that were; who wants all gone calls again until it is 0.
        """


@dataclass(frozen=True, slots=True)
class Series:
    """One path's points: times in whole seconds since the epoch, ascending, and a float64 for each."""

    path: str
    times: Sequence[int]
    values: Sequence[float]


@runtime_checkable
class SeriesReader(Backend, Protocol):
    """Gives series back."""

    def find(self, pattern: str = "*", limit: int = 10_000, after: str = "") -> list[str]:
        """Return the first `limit` paths after `after` that match a shell-style glob, sorted.

        The glob is over the whole path: ``*`` crosses dots.
        """

    def read(self, paths: Sequence[str], start: float, end: float) -> list[Series]:
        """Return the points of each path with ``start <= time <= end``; a path without points has empty columns."""


@runtime_checkable
class Counting(Protocol):
    """What a reader of series is besides when it can count paths without handing them over."""

    def count(self, pattern: str, limit: int) -> int:
        """Return how many paths match the glob, `limit` when there are more."""


@runtime_checkable
class Health(Backend, Protocol):
    """Can say whether the other side is there."""

    def check(self) -> str:
        """Connect and return one line about the other side, or raise `Unavailable`."""


@runtime_checkable
class Confirming(Backend, Protocol):
    """Can look whether a flush has arrived, where series cannot be read back."""

    def confirm(self, flush: Flush) -> str:
        """Return one line about the flush as it is stored now. Raise `Unavailable` when not all of it can be read."""


CAPABILITIES: dict[str, type] = {
    "metrics": MetricSink,
    "sketches": SketchSink,
    "events": EventSink,
    "event store": EventStore,
    "messages": MessageSource,
    "tables": TableSource,
    "statistics": StatisticsStore,
    "archive": Archive,
    "spans": SpanSink,
    "traces": TraceStore,
    "series": SeriesReader,
    "confirm": Confirming,
    "health": Health,
}
"""The word that the registry, messages and docs use for each capability."""
