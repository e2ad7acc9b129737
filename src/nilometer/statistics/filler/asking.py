"""One window after the other, asked of an archive and put into the inbox.

Rules:

* A window that fails is asked for again after a delay that grows, each time shorter; one of a second is set aside at last, and
  others go on. It is never given up.
* A window that stays incomplete is divided, until what does not come is in one second. That one is taken as it is after
  `PATIENT` attempts: what is absent is counted and logged.
* While the store is away nothing is asked; what came is put in when it is back.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from nilometer.core.backoff import Backoff
from nilometer.core.errors import NilometerError
from nilometer.core.show import Allowance
from nilometer.core.statistics import FillStatus
from nilometer.core.statistics.coverage import Span, seconds, without
from nilometer.statistics.filler import reading
from nilometer.statistics.filler.reading import Gathered
from nilometer.statistics.filler.todo import MOST, Todo
from nilometer.statistics.filler.windows import SHORTEST, Width

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from nilometer.core.capability import Archive, ArchivePage
    from nilometer.core.clock import Clock
    from nilometer.core.losses import Losses
    from nilometer.statistics.filler.taking import Taking

LOG = logging.getLogger(__name__)
FIRST, LONGEST = 0.5, 15.0
"""Bounds of the delay between attempts, in seconds."""
ATTEMPTS = 3
"""Failures of a window of one second, after which it is set aside."""
LOGGED = 600.0
"""Seconds after which the same failure is logged again."""
STRANDED = 5
"""Windows set aside one after the other: then it is the archive that fails, and all are tried again."""
PATIENT = 7
"""How often an incomplete window is set aside before it is taken as it is: about a quarter of an hour."""


class Ended(Exception):
    """Nothing more is to be asked."""


class Asking:
    """What is asked of one archive. `status` tells how it fares; any thread may read it."""

    def __init__(  # noqa: PLR0913, PLR0917 what it works with
        self, archive: Archive, taking: Taking, longest: float, losses: Losses, clock: Clock, stop: threading.Event
    ) -> None:
        self.todo, self.status = Todo(), FillStatus(taking.source)
        self._name, self._archive, self._taking = taking.source, archive, taking
        self._losses, self._clock, self._stop = losses, clock, stop
        self._width, self._delays = Width(longest), Backoff(FIRST, LONGEST)
        self._failures = self._stranded = self._hidden = 0
        self._shown = Allowance(clock, 1 / LOGGED)
        self._doubted: list[Span] = []
        self._doubting = False
        self._logged = ("", 0.0)
        self._pending: Callable[[], None] | None = None

    def begin(self, spans: Sequence[Span], doubted: Sequence[Span] | None = None) -> None:
        """Ask for these from now on, and once for what is `doubted`, when there is nothing else to do.

        With `doubted`, however empty, what is wanted is counted anew.
        """
        if doubted is not None:
            self._doubted = list(doubted)
        if doubted is not None or not self.status.missing:
            self.status = replace(self.status, wanted=0.0)
        self.todo.set(spans, self._clock.monotonic())
        self._doubting = False
        self._tell()

    def step(self, settled: float) -> float | None:
        """Ask for the next window; what is before `settled` counts as covered then.

        Return the seconds to wait before the next step, None when there is nothing to do.
        """
        try:
            if self._pending is None:
                window = self._next(self._clock.monotonic())
                self._tell(at=None if window is None else float(window.begin))
                if window is None:
                    self._complain()
                    return None
                self._ask(window, settled)
            self._put()
        except Ended:
            return None
        except NilometerError as error:
            return self.away(error)
        return 0.0

    def _complain(self) -> None:
        if self.todo.is_full:
            self._failed(f"{self._name}: does not give what it says it has, at {MOST} times and more")

    def _next(self, now: float) -> Span | None:
        window = self.todo.next(self._width.seconds, now)
        if window is None and self._doubted and not self._doubting:
            self._doubting = True
            self.todo.set(self._doubted, now)
            window = self.todo.next(self._width.seconds, now)
        return window

    def away(self, error: NilometerError) -> float:
        """Take it that the store is away. Return the seconds to wait."""
        self._failed(str(error))
        return self._delays.failed()

    def fault(self, error: Exception) -> float:
        """Take a fault of ours, or of a backend, as a window that failed. Return the seconds to wait."""
        LOG.error("%s: gaps could not be filled", self._name, exc_info=error)
        self._failed(f"{type(error).__name__}: {error}")
        return self._delays.failed()

    def _ask(self, window: Span, settled: float) -> None:
        """Ask for a window, and leave what came to be put. Raise `Unavailable`."""
        gathered = Gathered()

        def read(number: int) -> ArchivePage:
            if self._stop.is_set():
                raise Ended
            return self._archive.read_page(window.begin, window.end, number)

        try:
            page = read(1)
            if self._width.too_many(max(page.total, len(page.events)), window.seconds):
                self._width.divide(page.total, window.seconds)
                self._answered()
                return
            reading.whole(read, page, gathered)
        except Ended:
            raise
        except Exception:
            self._set_aside_failed(window)
            raise
        self._answered()
        if gathered.complete or self._given_up(window, gathered):
            self._pending = lambda: self._taken(window, gathered, settled)

    def _answered(self) -> None:
        if self._failures or self._stranded:
            self.todo.recall()
        self._failures = self._stranded = 0

    def _set_aside_failed(self, window: Span) -> None:
        self._width.failed(window.seconds)
        if window.seconds > SHORTEST:
            return
        self._failures += 1
        if self._failures >= ATTEMPTS:
            self._failures = 0
            self._stranded += 1
            self.todo.set_aside(window, self._clock.monotonic())
            if self._stranded >= STRANDED:
                self._stranded = 0
                self.todo.recall()

    def _given_up(self, window: Span, gathered: Gathered) -> bool:
        """Divide an incomplete window, or set it aside. Return whether it is taken as it is."""
        if window.seconds > SHORTEST:
            self._width.failed(window.seconds)
            return False
        times = self.todo.set_aside(window, self._clock.monotonic())
        if times < PATIENT:
            if times == 1:
                self._lacks(window, gathered.absent)
            return False
        LOG.error("%s: never gave %d messages that it says were sent at %d", self._name, gathered.absent, window.begin)
        self._losses.count("statistics", "archive", gathered.absent)
        return True

    def _lacks(self, window: Span, absent: int) -> None:
        """Log what does not come, and with it how many such windows were not logged."""
        if not self._shown.take():
            self._hidden += 1
            return
        hidden, self._hidden = self._hidden, 0
        more = f"; {hidden} more such times were not shown" if hidden else ""
        LOG.warning("%s: lacks %d messages of those sent at %d; asked again%s", self._name, absent, window.begin, more)

    def _put(self) -> None:
        """Put what came into the inbox. Raise as the store does: then it is tried again."""
        if self._pending is not None:
            self._pending()
            self._pending = None
        self._delays.reset()
        self._tell(error="", away_since=None)

    def _taken(self, window: Span, gathered: Gathered, settled: float) -> None:
        self._taking.take(gathered.events.values(), window, settled)
        self.todo.done(window)
        self._doubted = without(self._doubted, [window])
        self._width.took(max(gathered.total, len(gathered.events)), window.seconds)
        if gathered.bad:
            self._losses.count("event", "bad_message", gathered.bad)
        self._tell(bad=self.status.bad + gathered.bad)

    def _failed(self, reason: str) -> None:
        now = self._clock.monotonic()
        if reason != self._logged[0] or now - self._logged[1] >= LOGGED:
            self._logged = (reason, now)
            LOG.warning("%s: fills no gaps for now: %s", self._name, reason.removeprefix(f"{self._name}: "))
        self._tell(error=reason, away_since=self.status.away_since or self._clock.time())

    def _tell(self, **changes: object) -> None:
        missing = self.todo.missing + (0.0 if self._doubting else seconds(self._doubted))
        counts = {"new": self._taking.new, "known": self._taking.known, "missing": missing}
        self.status = replace(self.status, **counts, wanted=max(self.status.wanted, missing), **changes)  # type: ignore[arg-type]  # its fields
