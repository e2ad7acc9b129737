"""A filler of gaps, step by step, by a clock that stands still; its archive fails as a test says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from nilometer.core.losses import Losses
from nilometer.core.statistics.coverage import DAY, Span, gaps
from nilometer.statistics.filler.filler import SETTLED, ArchiveFiller, Options
from nilometer.testing.archive_in_memory import ArchiveInMemory, InboxInMemory, event
from nilometer.testing.clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nilometer.core.capability import StatisticsStore
    from nilometer.core.record import Event

NOW = 1_795_000_000.0
YEARS = 11 * 365 * DAY


class Filling:
    """A filler with all that is around it."""

    def __init__(self, events: Iterable[Event] = (), *, size: int = 100, **options: Any) -> None:  # noqa: ANN401 of several types
        self.archive, self.store, self.losses, self.clock = (
            ArchiveInMemory(events, size),
            InboxInMemory(),
            Losses(),
            ManualClock(NOW),
        )
        self.options = Options(**{"since": NOW - YEARS, "retention": 14 * DAY} | options)
        self.live: Span | None = None
        self.woken = 0
        self.start()

    def start(self) -> None:
        """Begin anew, as after a restart."""
        about: dict[str, Any] = {"consumed": lambda: self.live, "told": self._told, "clock": self.clock}
        store = cast("StatisticsStore", self.store)
        self.filler = ArchiveFiller("archive", self.archive, store, self.options, self.losses, **about)

    def _told(self) -> None:
        self.woken += 1

    def hear(self) -> None:
        """Have buses heard from now on."""
        self.live = Span(self.clock.time(), self.clock.time())

    def run(self, seconds: float = 1.0, most: int = 3000) -> None:
        """Let so much time pass, and all that is to be done in it be done."""
        end = self.clock.time() + seconds
        while most:
            if self.live is not None:
                self.live = Span(self.live.begin, self.clock.time())
            delay = self.filler.step()
            if delay and self.clock.time() >= end:
                return
            self.clock.advance(delay)
            most -= not delay
        message = f"it asks and asks: {self.archive.asked[-3:]}"
        raise AssertionError(message)

    def counts(self) -> set[int]:
        """Return how often messages were counted."""
        return set(self.store.counted.values())

    def missing(self) -> list[Span]:
        """Return what is not covered of what counts as settled."""
        return gaps(self.store.coverage, self.options.since, self.clock.time() - SETTLED - 130)


def spread(number: int, begin: float, seconds: float) -> list[Event]:
    """Return so many messages, spread over a time."""
    return [event(each, begin + each * seconds // number) for each in range(number)]
