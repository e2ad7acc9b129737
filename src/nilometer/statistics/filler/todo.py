"""What is still to be asked of an archive, the newest first.

Rules:

* A window that cannot be had is set aside, so that it does not keep others; it is tried again after a delay that doubles.
* When an archive that failed answers again, what was set aside for the first time is tried at once.
* `now` is seconds of a clock that nobody sets.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nilometer.core.statistics.coverage import Span, joined, seconds, without

if TYPE_CHECKING:
    from collections.abc import Iterable

FIRST, LONGEST = 15.0, 900.0
"""Seconds after which a window that was set aside is tried again: at first, and at most."""
MOST = 1000
"""Windows that may be set aside at a time."""


@dataclass(slots=True)
class Aside:
    """A window that was set aside: how often, and until when."""

    times: int
    until: float


class Todo:
    """Spans of time, and what was set aside of them. `set` begins anew, and keeps what was set aside in mind."""

    def __init__(self) -> None:
        self._spans: list[Span] = []
        self._aside: dict[Span, Aside] = {}

    def set(self, spans: Iterable[Span], now: float) -> None:
        """Ask for these from now on, but those parts whose time has not come again."""
        wanted = list(spans)
        self._aside = {window: each for window, each in self._aside.items() if _has(wanted, window)}
        self._spans = without(wanted, self._waiting(now))

    def _waiting(self, now: float) -> list[Span]:
        return sorted(window for window, each in self._aside.items() if each.until > now)

    def next(self, longest: float, now: float) -> Span | None:
        """Return the newest window of whole seconds, so long or shorter; None when there is nothing to do now."""
        self._return([window for window, each in self._aside.items() if 0 < each.until <= now])
        if not self._spans or self.is_full:
            return None
        last = self._spans[-1]
        end = math.ceil(last.end)
        return Span(max(math.floor(last.begin), end - math.ceil(longest)), end)

    def _return(self, windows: list[Span]) -> None:
        for window in windows:
            self._aside[window].until = 0.0
        self._spans = joined([*self._spans, *windows])

    def done(self, window: Span) -> None:
        """Ask for it no more."""
        self._spans = without(self._spans, [window])
        self._aside.pop(window, None)

    def set_aside(self, window: Span, now: float) -> int:
        """Go on with others. Return how often it was set aside so far."""
        self._spans = without(self._spans, [window])
        each = self._aside.setdefault(window, Aside(0, 0.0))
        each.times += 1
        each.until = now + min(FIRST * 2 ** (each.times - 1), LONGEST)
        return each.times

    def recall(self) -> None:
        """Try at once what was set aside for the first time."""
        self._return([window for window, each in self._aside.items() if each.times == 1 and each.until])

    @property
    def is_full(self) -> bool:
        """Whether so much is set aside that nothing new is begun."""
        return sum(each.until > 0 for each in self._aside.values()) >= MOST

    @property
    def missing(self) -> float:
        """How many seconds are still to be asked for."""
        return seconds(self._spans) + seconds(window for window, each in self._aside.items() if each.until)


def _has(spans: Iterable[Span], window: Span) -> bool:
    return any(each.begin < window.end and window.begin < each.end for each in spans)
