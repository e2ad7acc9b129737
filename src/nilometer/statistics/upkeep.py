"""What becomes of old messages and old rows: a thread that deletes, and merges.

Rules:

* A message stays in the inbox for as long as the settings say, and until every statistic that runs has seen it. One that is
  stopped is not waited for: what it loses is counted.
* Rows are kept, and rolled up into longer windows, as their plugin says.
* All goes in parts with a pause between them, so that nobody waits for long.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from nilometer.core.clock import SYSTEM
from nilometer.core.errors import NilometerError
from nilometer.core.statistics import Inbox, State
from nilometer.core.statistics.window import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nilometer.core.capability import StatisticsStore
    from nilometer.core.clock import Clock
    from nilometer.core.losses import Losses
    from nilometer.core.statistics import Progress
    from nilometer.statistics.plugin import Statistic

LOG = logging.getLogger(__name__)
SOON, COUNT_EVERY, CLEAN_EVERY = 0.5, 5.0, 600.0
"""Seconds between two looks at what the inbox holds: after it was said to have more, and else; and at what is old."""
PAUSE, PATIENCE = 0.1, 5.0
"""Seconds between two parts, and for how long the last one is waited for."""


class Upkeep:
    """Keeps a store in bounds. `inbox` is what the inbox held last; `retention` returns for how many seconds messages stay."""

    def __init__(  # noqa: PLR0913, PLR0917 what it looks at
        self,
        store: StatisticsStore,
        statistics: Sequence[Statistic],
        progress: Callable[[], Mapping[str, Progress]],
        retention: Callable[[], float],
        losses: Losses,
        clock: Clock = SYSTEM,
    ) -> None:
        self._store, self._statistics, self._progress = store, statistics, progress
        self._retention, self._losses, self._clock = retention, losses, clock
        self.inbox, self.expired = Inbox(0), 0
        self._stop, self._more = threading.Event(), False
        self._thread = threading.Thread(target=self._run, name="nilometer-statistics-upkeep", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Hear that the inbox has more."""
        self._more = True

    def close(self) -> None:
        """End after the part that is being deleted."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(PATIENCE)

    def _run(self) -> None:
        cleaned = self._clock.time()
        while True:
            self._more = False
            try:
                self.inbox = self._store.inbox()
                if self._clock.time() - cleaned >= CLEAN_EVERY:
                    cleaned = self._clock.time()
                    self.clean()
            except NilometerError as error:
                LOG.info("statistics are not tidied for now: %s", error)
            except Exception:  # a fault of a store must not end the thread
                LOG.exception("statistics could not be tidied")
            if self._pause():
                return

    def _pause(self) -> bool:
        """Wait until it is time to look again. Return whether to stop."""
        end = self._clock.time() + COUNT_EVERY
        while not self._clock.wait(self._stop, SOON):
            if self._more or self._clock.time() >= end:
                return False
        return True

    def clean(self) -> None:
        """Delete and merge what is old now. Raise as the store does."""
        self._expire()
        now = self._clock.time()
        for statistic in self._statistics:
            self._tidy(statistic, now)

    def _tidy(self, statistic: Statistic, now: float) -> None:
        """Delete and merge the rows of one statistic that are old now."""
        plugin, ident = statistic.plugin, statistic.ident
        if plugin.keep is not None:
            kept = now - plugin.keep.total_seconds()
            self._each(lambda: self._store.drop_rows(ident, kept))
        if plugin.roll_up is not None and statistic.windowed:
            age, longer = now - plugin.roll_up[0].total_seconds(), parse(plugin.roll_up[1])
            self._each(lambda: self._store.roll_up(ident, age, lambda label: longer.slot(label - 1)))

    def _expire(self) -> None:
        """Delete messages that are too old, and count what stopped statistics have not seen of them."""
        seconds, progress = self._retention(), self._progress()
        if not seconds or not progress:
            return
        running = [each.offset for each in progress.values() if each.state is State.RUNNING]
        upto = min(running, default=self._store.inbox().last)
        before = self._clock.time() - seconds
        held = self._store.inbox()
        self._each(lambda: self._store.expire_inbox(before, upto))
        self.inbox = left = self._store.inbox()
        gone = left.first - 1 if left.count else held.last
        for each in progress.values():
            lost = gone - max(each.offset, held.first - 1)
            if each.state is State.STOPPED and held.count and lost > 0:
                self.expired += lost
                self._losses.count("statistics", "expired", lost)

    def _each(self, part: Callable[[], int]) -> None:
        """Delete, or merge, part after part."""
        while part():
            if self._clock.wait(self._stop, PAUSE):
                return
