"""Fills the gaps of a bus from an archive, for as long as a server runs.

Rules:

* What is wanted is the time from `since` on, or from as far back as any plugin wants, up to now. What is missing of it is asked
  for, the newest first, beside what buses bring.
* While all buses are heard, time is covered as it passes, but for a `MARGIN` at both ends: a message may be under way, a
  connection may be dead before that is noticed.
* An archive is late, too: what was sent less than `SETTLED` ago is asked for, but is not covered by that; it is asked for again
  (`AGAIN`; every `EVERY` seconds while no bus is heard).
* At the start, what was covered shortly before (`DOUBTED`) is asked for once more, after all else.
"""

from __future__ import annotations

import logging
import math
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nilometer.core.clock import SYSTEM
from nilometer.core.errors import NilometerError
from nilometer.core.statistics.coverage import HOUR, MINUTE, Span, gaps, within
from nilometer.statistics.filler.asking import Asking
from nilometer.statistics.filler.taking import Taking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nilometer.core.capability import Archive, StatisticsStore
    from nilometer.core.clock import Clock
    from nilometer.core.losses import Losses
    from nilometer.core.statistics import FillStatus
    from nilometer.statistics.plugin import Statistic

LOG = logging.getLogger(__name__)
MARGIN, SETTLED, DOUBTED = 10 * MINUTE, 15 * MINUTE, HOUR
AGAIN, EVERY = (2 * MINUTE, 13 * MINUTE, 11 * MINUTE), 2 * MINUTE
SOON = 10.0
"""Seconds between two looks at what is missing, at least."""
NOTED, PAUSE = MINUTE, 1.0
"""Seconds between two notes of what buses covered, and between two looks whether there is something to do."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is wanted: nothing sent before `since`, nor longer ago than `backlog`.

    `window`: the longest that messages are taken from at once, 0 as long as fits; `retention`: how long the inbox holds them, 0
    for ever. `since` is in seconds since the epoch, the others in seconds. `archives`: the names of all that are asked.
    """

    since: float
    window: float = 0.0
    retention: float = 0.0
    backlog: float | None = None
    archives: tuple[str, ...] = ()

    def begin(self, now: float) -> float:
        """Return from when on messages are wanted."""
        return self.since if self.backlog is None else max(self.since, now - self.backlog)


def backlog(statistics: Iterable[Statistic]) -> float | None:
    """Return how old messages may be, in seconds, that any of these takes from an archive; None for any age."""
    deltas = [statistic.plugin.backlog_delta for statistic in statistics]
    return max((delta.total_seconds() for delta in deltas if delta is not None), default=0.0) if None not in deltas else None


class ArchiveFiller:
    """Fills from one archive, which it owns, called `name`.

    `consumed` returns since when and up to when buses brought everything, None while one is away; `told` hears that the inbox
    has more.
    """

    def __init__(  # noqa: PLR0913 what it works with
        self,
        name: str,
        archive: Archive,
        store: StatisticsStore,
        options: Options,
        losses: Losses,
        *,
        consumed: Callable[[], Span | None],
        told: Callable[[], None],
        clock: Clock = SYSTEM,
    ) -> None:
        self._name, self._archive, self._options, self._clock = name, archive, options, clock
        self._consumed, self._heard = consumed, Span(math.inf, -math.inf)
        self._taking = Taking(store, name, options, losses, told, clock)
        self._stop = threading.Event()
        self._asking = Asking(archive, self._taking, options.window, losses, clock, self._stop)
        self._round, self._begun, self._due, self._times, self._noted = -math.inf, -math.inf, -math.inf, 0, -math.inf
        self._thread = threading.Thread(target=self._run, name="nilometer-fill", daemon=True)
        now = clock.time()
        self._asking.begin([Span(options.begin(now), now)])

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self, deadline: float) -> None:
        """End after the page that is being read, within so many seconds."""
        self._stop.set()
        if self._thread.ident is None:
            self._archive.close()
            return
        self._thread.join(deadline)
        if self._thread.is_alive():
            LOG.warning("%s: did not end within %g s; what it had read is asked for again", self._name, deadline)

    def status(self) -> FillStatus:
        """Return how it fares, without waiting."""
        return self._asking.status

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    delay = self.step()
                except Exception as error:  # noqa: BLE001 a fault must not end the thread; it is logged with its traceback
                    delay = self._asking.fault(error)
                if delay:
                    self._clock.wait(self._stop, delay)
        finally:
            self._archive.close()

    def step(self) -> float:
        """Ask for one window, when there is one. Return the seconds to wait before the next step."""
        now = self._clock.time()
        try:
            self._listen(now)
            if self._clock.monotonic() >= self._due:
                self._begin_round(now)
        except NilometerError as error:
            return self._asking.away(error)
        delay = self._asking.step(self._round - SETTLED)
        return PAUSE if delay is None else delay

    def _listen(self, now: float) -> None:
        """Note what buses covered; begin a round when they are heard anew, or no more. Raise as the store does."""
        span, passed = self._consumed(), self._clock.monotonic()
        if (span.begin if span else math.inf) != self._heard.begin:
            self._due, self._times = min(self._due, max(self._begun + SOON, passed)), 0
            self._noted = -math.inf
        self._heard = span or Span(math.inf, -math.inf)
        if span is not None and passed >= self._noted + NOTED:
            self._noted = passed
            self._taking.heard(Span(math.ceil(span.begin), min(span.end, now)), MARGIN)

    def _begin_round(self, now: float) -> None:
        """Ask for all that is missing up to now. Raise as the store does."""
        covered = self._taking.look()
        begin = self._options.begin(now)
        end = math.ceil(now)
        live = Span(math.ceil(self._heard.begin + MARGIN), math.inf) if self._heard.begin < math.inf else None
        doubted = [Span(*each[:2]) for each in within(covered, begin, end) if each.noted >= now - DOUBTED]
        missing = gaps([*covered, live] if live else covered, begin, end)
        self._asking.begin(missing, doubted if self._round < 0 else None)
        self._round, self._begun = now, self._clock.monotonic()
        self._due = self._begun + (EVERY if live is None else AGAIN[min(self._times, len(AGAIN) - 1)])
        self._times += 1
