"""Windows of time, by which rows are made: from a second to a month, by the calendar of UTC or of a named zone.

Rules:

* A window is half open, ``[begin, end)``. Its label is its END, in whole seconds since the epoch: so statscache labels it.
* Windows of up to an hour are multiples of their length since the epoch; days, weeks (from Monday) and months follow the
  calendar, in which a day may have 23 or 25 hours.
* `EVER` is no window: one row a key for all time, in slot 0, and its time is that of the newest message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from nilometer.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = {"s": 1, "m": 60, "h": 3600}
CALENDAR = {"d": timedelta(days=1), "w": timedelta(days=7), "mo": timedelta(days=31)}
GRAMMAR = re.compile(r"(?P<count>[1-9][0-9]{0,3})(?P<unit>s|m|h|d|w|mo)(?:@(?P<zone>[A-Za-z0-9_+/-]{1,64}))?\Z")
HOUR = 3600
FIRST, AFTER_LAST = -62_135_596_800, 253_402_300_800 - 40 * 86_400
"""The years 1 to 9999, less a month."""
QUARTER, ALIGNED = 900, 70_000_000
"""Seconds within which no zone changes its day, and since when that holds: before 1972 some had offsets of odd seconds."""
KEPT = 1 << 16
"""Ends of windows that are kept at hand."""


@dataclass(frozen=True, slots=True)
class Window:
    """A length of time: `count` of `unit` (s, m, h; d, w, mo by the calendar of `zone`). Write it with `parse`."""

    count: int
    unit: str
    zone: str = "UTC"

    def __str__(self) -> str:
        """Return what `parse` reads."""
        return f"{self.count}{self.unit}" + ("" if self.zone == "UTC" else f"@{self.zone}") if self.count else ""

    @property
    def interval(self) -> timedelta | None:
        """How long it is, at most; None for `EVER`."""
        if not self.count:
            return None
        return self.count * CALENDAR[self.unit] if self.unit in CALENDAR else timedelta(seconds=self.count * SECONDS[self.unit])

    @property
    def ident(self) -> str:
        """How it ends the ident of a statistic: ``-1d``, ``-1d-europe-prague``; nothing for `EVER`."""
        if not self.count:
            return ""
        zone = "" if self.zone == "UTC" else "-" + self.zone.lower().replace("/", "-").replace("_", "-")
        return f"-{self.count}{self.unit}{zone}"

    def slot(self, time: float) -> int:
        """Return the label of the window in which a time lies: its end."""
        return self.labels()(time)

    def labels(self) -> Callable[[float], int]:
        """Return what gives the label of the window in which a time lies, for who has many times."""
        return _labels(self)

    def holds(self, other: Window) -> bool:
        """Whether each window of another kind lies within one of this kind, whenever it is."""
        if not self.count or self == other:
            return True
        if other.unit in SECONDS:
            length = other.count * SECONDS[other.unit]
            own = self.count * SECONDS[self.unit] if self.unit in SECONDS else HOUR if self.zone == "UTC" else 1
            return own % length == 0
        return (other.unit, other.zone) == ("d", self.zone) and self.unit in CALENDAR

    def begin(self, slot: int) -> int:
        """Return when the window with this label begins."""
        if self.unit in SECONDS:
            return slot - self.count * SECONDS[self.unit]
        return 0 if not self.count else _begin_of_day(*_span(self, slot - 1)[0], self.zone)


EVER = Window(0, "")


def parse(text: str) -> Window:
    """Return the window of ``15s``, ``1m``, ``1d``, ``1w``, ``1mo``, ``1d@Europe/Prague``; ``ever``. Raise `InputError`."""
    if text == "ever":
        return EVER
    found = GRAMMAR.match(text)
    if found is None:
        message = f"{text!r:.80} is no window; write 1s to 1h, 1d, 1w, 1mo, 1d@Europe/Prague, or ever"
        raise InputError(message)
    count, unit, zone = int(found["count"]), found["unit"], found["zone"] or "UTC"
    if unit in CALENDAR and count != 1:
        message = f"{text!r:.80}: days, weeks and months are counted one by one; write 1{unit}"
        raise InputError(message)
    if unit in SECONDS and (count * SECONDS[unit] > HOUR or HOUR % (count * SECONDS[unit]) or zone != "UTC"):
        message = f"{text!r:.80}: a window below a day divides an hour, and has no zone"
        raise InputError(message)
    _zone(zone)
    return Window(count, unit, zone)


@lru_cache(64)
def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = f"{name!r:.80} is no zone of time that this machine knows; write one such as Europe/Prague"
        raise InputError(message) from error


@lru_cache(256)
def _labels(window: Window) -> Callable[[float], int]:
    """Return what gives the label of the window in which a time lies."""
    if not window.count:
        return lambda _: 0
    if window.unit in SECONDS:
        length = window.count * SECONDS[window.unit]
        return lambda time: (int(time // length) + 1) * length

    @lru_cache(KEPT)
    def end(time: float) -> int:
        return _begin_of_day(*_span(window, int(time))[1], window.zone)

    return lambda time: end(time // QUARTER * QUARTER) if time >= ALIGNED else end(time // 1)


def _span(window: Window, time: int) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Return the days on which the window of a time begins and ends."""
    day = datetime.fromtimestamp(min(max(time, FIRST), AFTER_LAST), _zone(window.zone)).date()
    if window.unit == "mo":
        begin = day.replace(day=1)
        end = (begin + timedelta(days=32)).replace(day=1)
    else:
        begin = day - timedelta(days=day.weekday() if window.unit == "w" else 0)
        end = begin + timedelta(days=7 if window.unit == "w" else 1)
    return (begin.year, begin.month, begin.day), (end.year, end.month, end.day)


def _begin_of_day(year: int, month: int, day: int, zone: str) -> int:
    return int(datetime(year, month, day, tzinfo=_zone(zone)).timestamp())
