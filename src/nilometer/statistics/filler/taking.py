"""What of a window goes into the inbox.

Rules:

* The inbox knows a message by its id, for as long as it holds it. Where its id may be forgotten, coverage decides: a message of
  a time that was covered longer ago than the inbox holds messages is here, and is left out.
* What an archive covered that is asked no more, and all time of which messages may be here (`SEEN`), counts as covered, too,
  where ids may be forgotten.
* Messages and the coverage of their window are one transaction.
* A message that the store refuses for good is sought out, counted and logged; the rest is taken.
"""

from __future__ import annotations

import bisect
import logging
from math import inf
from typing import TYPE_CHECKING

from nilometer.core.errors import Rejected
from nilometer.core.show import printable
from nilometer.core.statistics import Covered
from nilometer.core.statistics.coverage import HOUR, MINUTE, union, within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from nilometer.core.capability import StatisticsStore
    from nilometer.core.clock import Clock
    from nilometer.core.losses import Losses
    from nilometer.core.record import Event
    from nilometer.core.statistics.coverage import Span
    from nilometer.statistics.filler.filler import Options

LOG = logging.getLogger(__name__)
MISFILED = 10 * MINUTE
"""Seconds outside its window beyond which an archive has a message under another time than the message tells."""
SLACK = HOUR
"""Seconds before the inbox forgets a message at which it is taken for forgotten."""
SEEN = "seen"
"""As whose coverage is kept of which time messages may be here without that it is covered: buses were heard, or an archive was
asked that may have been late. One that is away until ids may be forgotten is not asked for that."""
SHOWN = 80


class Taking:
    """Puts what an archive gave into the inbox. `source`: the archive's name; `told` hears that the inbox has more."""

    def __init__(  # noqa: PLR0913, PLR0917 what it needs
        self, store: StatisticsStore, source: str, options: Options, losses: Losses, told: Callable[[], None], clock: Clock
    ) -> None:
        retention = options.retention
        self._archives = frozenset((source, *options.archives))
        self.source = source
        self._store, self._losses, self._told, self._clock = store, losses, told, clock
        self._kept = retention - min(SLACK, retention / 4) if retention else inf
        self._floor = -inf
        self.covered: list[Covered] = []
        self.new = self.known = 0

    def look(self) -> list[Covered]:
        """Return what is covered, read anew. Raise as the store does.

        What a clock noted that was far ahead is none: it may never have been asked for. Where ids may be forgotten, what was
        seen is covered, too, and what an archive covered that is asked no more: this one may be it under another URL.
        """
        now = self._clock.time()
        found = [each for each in self._store.covered(self.source) if each.noted <= now + SLACK]
        former = (source for source in self._store.sources() if source not in self._archives)
        old = [each for source in former for each in self._store.covered(source) if each.noted < self._limit(now)]
        self.covered = union([*found, *old])
        return self.covered

    def forgotten(self) -> list[Covered]:
        """Return what was covered so long ago that messages of that time may be forgotten. Raise as the store does.

        The inbox is asked, too: it may have been told to hold messages for longer than before.
        """
        inbox = self._store.inbox()
        if inbox.first > 1 and inbox.oldest is not None:
            self._floor = inbox.oldest
        limit = self._limit(self._clock.time())
        return [each for each in within(self.covered, -inf, limit) if each.noted < limit]

    def _limit(self, now: float) -> float:
        """Return before when an id that came may be forgotten."""
        return max(now - self._kept, self._floor)

    def heard(self, span: Span, margin: float) -> None:
        """Note that buses were heard, and that this time is covered but for a margin at both ends. Raise as the store does.

        What they may have brought reaches beyond it by such a margin: messages are under way, and the next note may never come.
        """
        now = self._clock.time()
        self._store.cover(SEEN, [Covered(span.begin - margin, now + margin, now)])
        more = [Covered(span.begin + margin, span.end - margin, now)]
        self._store.cover(self.source, more)
        self.covered = union([*self.covered, *more])

    def take(self, events: Iterable[Event], window: Span, upto: float) -> None:
        """Put messages of a window into the inbox, and note that it is covered before `upto`. Raise as the store does."""
        now = self._clock.time()
        found = list(events)
        wanted = [event for event in found if not self._is_past(event, window, now)]
        end = min(window.end, upto)
        covered = [Covered(window.begin, end, now)] if window.begin < end else []
        if end < window.end:
            self._store.cover(SEEN, [Covered(max(window.begin, end), window.end, now)])
        new = self._put(wanted, now, covered)
        self.new += new
        self.known += len(found) - new
        self.covered = union([*self.covered, *covered])
        if new:
            self._told()

    def _is_past(self, event: Event, window: Span, now: float) -> bool:
        """Return whether a message was here so long ago that its id may be forgotten."""
        forgotten = self._limit(now)
        if event.time >= forgotten or not window.begin - MISFILED <= event.time <= window.end + MISFILED:
            return False
        place = bisect.bisect_right(self.covered, event.time, key=lambda each: each.begin) - 1
        return place >= 0 and event.time < self.covered[place].end and self.covered[place].noted < forgotten

    def _put(self, events: Sequence[Event], now: float, covered: Sequence[Covered]) -> int:
        """Put messages in, those that the store refuses left out; return how many were new."""
        try:
            return len(self._store.take_in(events, arrived=now, source=self.source, archived=True, covered=covered))
        except Rejected as error:
            if len(events) > 1:
                middle = len(events) // 2
                return self._put(events[:middle], now, ()) + self._put(events[middle:], now, covered)
            for event in events:
                LOG.error("%s: message %s is refused and lost: %s", self.source, printable(event.id[:SHOWN]), error)  # noqa: TRY400 the reason is the message
                self._losses.count("event", "rejected")
            if covered:
                self._store.cover(self.source, covered)
            return 0
