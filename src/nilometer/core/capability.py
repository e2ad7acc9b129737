"""What a backend can do, as types. A backend is any object that has the methods of the capabilities it is listed for.

The registry lists scheme and capability before anything is imported, so asking a backend for what it cannot do fails when
settings are read. Methods block; the pipe calls them from a thread of its own. Each raises `Unavailable` when trying again
can help and `Rejected` when it cannot; a driver's own error never comes through.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nilometer.core.record import Event, Flush, Span


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
class SpanStore(Backend, Protocol):
    """Stores spans and gives them back by trace."""

    def write_spans(self, spans: Sequence[Span]) -> None:
        """Store all of the spans, or raise."""

    def read_trace(self, trace: str) -> list[Span]:
        """Return the spans of one trace, in order of start."""


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
    "spans": SpanStore,
    "series": SeriesReader,
    "confirm": Confirming,
    "health": Health,
}
"""The word that the registry, messages and docs use for each capability."""
