"""Where the marks of an axis stand, and what is written beside them.

Rules:

* Marks of values stand at 1, 2 or 5 times a power of ten; values of one sign begin at zero when they come near it.
* Marks of time stand at whole minutes, hours, days or years of the zone that they are written in.

Source of the nice numbers: P. Heckbert, "Nice Numbers for Graph Labels", Graphics Gems, 1990.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

PREFIXES = ((1e24, "Y"), (1e21, "Z"), (1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
MINUTE, HOUR, DAY = 60, 3600, 86_400
STEPS = [1, 2, 5, 10, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE]
STEPS += [HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY]
MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 600, 6000)
MONTH = 30 * DAY
LAST_YEAR = 9998
LARGEST = 1e300
"""Beyond it no scale is drawn: its steps would overflow."""
SMALLEST = 1e-300
"""Ends that are closer to each other are taken for the same: steps between them would vanish."""


class Scale(NamedTuple):
    """The ends of an axis of values, and its marks."""

    low: float
    high: float
    marks: list[float]


def values(low: float, high: float, most: int = 5) -> Scale:
    """Return a scale with about so many marks that holds all from `low` to `high`, which are finite."""
    low, high = (min(max(end, -LARGEST), LARGEST) for end in (low, high))
    if 0 < low < high / 2 or low == high > 0:
        low = 0.0
    if high / 2 > low and 0 > high > low / 2:
        high = 0.0
    if high / 2 - low / 2 < SMALLEST:
        high, low = (1.0, 0.0) if abs(low) < SMALLEST else (0.0, low)
    step = _nice((high - low) / most)
    first, last = math.floor(low / step), math.ceil(high / step)
    if not 0 < last - first <= 4 * most:  # the ends differ by less than a number can tell
        return Scale(low, high, [low, high])
    return Scale(first * step, last * step, [number * step for number in range(first, last + 1)])


def _nice(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return next(each * power for each in (1, 2, 5, 10) if each * power >= step * (1 - 1e-9))


def short(value: float) -> str:
    """Return a number for people: three or four digits and a prefix: ``1.25k``, ``40``, ``0.002``."""
    size = abs(value)
    if size < 1e-4 and size > 0:  # noqa: PLR2004 below it the zeros hide the digits
        return f"{value:.3g}"
    for factor, prefix in PREFIXES:
        if size >= factor * 0.9995:
            return f"{_digits(value / factor)}{prefix}"
    return _digits(value)


def _digits(value: float) -> str:
    text = f"{value:.4g}"
    if "e" in text:
        return text
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-0", "0") if float(text) == 0 else text


def times(start: float, end: float, where: tzinfo = UTC, most: int = 8) -> list[tuple[float, str]]:
    """Return marks between two times in seconds since the epoch: at most about `most`, each with what is written there."""
    for step in STEPS:
        if (end - start) / step <= most:
            return _clock(start, end, step, where)
    months = next((each for each in MONTHS if (end - start) / (each * MONTH) <= most), MONTHS[-1])
    return list(_calendar(start, end, months, where))


def _clock(start: float, end: float, step: int, where: tzinfo) -> list[tuple[float, str]]:
    """Return marks at multiples of a step since a midnight of the zone."""
    midnight = datetime.fromtimestamp(start, where).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    first = midnight + math.ceil((start - midnight) / step) * step
    marks = []
    for number in range(int((end - first) // step) + 1 if end >= first else 0):
        moment = first + number * step
        marks.append((moment, _written(datetime.fromtimestamp(moment, where), step)))
    return marks


def _written(moment: datetime, step: int) -> str:
    midnight = (moment.hour, moment.minute, moment.second) == (0, 0, 0)
    if step >= DAY or midnight:
        return f"{moment.day} {moment:%b}"
    return f"{moment:%H:%M:%S}" if step < MINUTE else f"{moment:%H:%M}"


def _calendar(start: float, end: float, months: int, where: tzinfo) -> Iterable[tuple[float, str]]:
    """Yield marks at the first of every so many months."""
    begin = datetime.fromtimestamp(start, where)
    number = (begin.year * 12 + begin.month - 1) // months * months
    while True:
        if number // 12 > LAST_YEAR:
            return
        moment = datetime(number // 12, number % 12 + 1, 1, tzinfo=where)
        if moment.timestamp() > end:
            return
        if moment.timestamp() >= start:
            yield moment.timestamp(), f"{moment:%Y}" if months >= 12 else f"{moment:%b %Y}"  # noqa: PLR2004 a year
        number += months
