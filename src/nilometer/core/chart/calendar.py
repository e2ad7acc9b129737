"""A calendar as SVG text: a square for each day, the darker the more there was; a column a week, a block a year.

Rules:

* Weeks begin with Monday. Days that nobody asked for have no square.
* How dark a day is, is told by the rank of its value among those that are not zero, so that one large day hides no others.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.chart import scale
from nilometer.core.chart.frame import USUAL, cut, document, safe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nilometer.core.chart.frame import Look

CELL, STEP, LEFT, TOP = 11, 13, 44, 34
"""Pixels: of a square, from square to square, and what is left of and above the first."""
BLOCK = 7 * STEP + 28
WEEKS = 54
SHADES = ("#9be9a8", "#40c463", "#30a14e", "#216e39")
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
MOST_YEARS = 20
STYLE = ".none{fill:#ebedf0}@media(prefers-color-scheme:dark){.none{fill:#2c3038}}"


class Day(NamedTuple):
    """A day and its value."""

    day: date
    value: float | None


def calendar(days: Sequence[Day], look: Look = USUAL) -> str:
    """Return a calendar of the years in which the days lie, the latest `MOST_YEARS`. Its size follows from that."""
    years = sorted({each.day.year for each in days})[-MOST_YEARS:]
    values = {each.day: each.value if each.value is not None and math.isfinite(each.value) else 0.0 for each in days}
    bounds = _bounds(sorted(value for value in values.values() if value > 0))
    title = cut(look.title, 90)
    head = [f"<style>{STYLE}</style>", f'<text class="title" x="12" y="19">{safe(title)}</text>' if title else ""]
    blocks = (part for number, year in enumerate(years) for part in _year(year, TOP + number * BLOCK, values, bounds))
    return document(LEFT + WEEKS * STEP + 8, TOP + len(years) * BLOCK, title, (*head, *blocks))


def _bounds(values: Sequence[float]) -> list[float]:
    """Return from which value on each shade but the first is."""
    return [values[len(values) * part // len(SHADES)] for part in range(1, len(SHADES))] if values else []


def _year(year: int, top: int, values: dict[date, float], bounds: Sequence[float]) -> Iterator[str]:
    first = date(year, 1, 1)
    yield f'<text class="text" x="8" y="{top + 4 * STEP}">{year}</text>'
    for number, month in enumerate(MONTHS, 1):
        yield f'<text class="text" x="{LEFT + _week(first, date(year, number, 1)) * STEP}" y="{top - 3}">{month}</text>'
    for number in range((date(year, 12, 31) - first).days + 1):
        day = first + timedelta(number)
        value = values.get(day)
        if value is None:
            continue
        fill = f'fill="{SHADES[bisect_right(bounds, value)]}"' if value > 0 else 'class="none"'
        x, y = LEFT + _week(first, day) * STEP, top + day.weekday() * STEP
        told = f"<title>{day.isoformat()}: {scale.short(value)}</title>"
        yield f'<rect x="{x}" y="{y}" width="{CELL}" height="{CELL}" rx="2" {fill}>{told}</rect>'


def _week(first: date, day: date) -> int:
    """Return in which column of its year a day stands."""
    return ((day - first).days + first.weekday()) // 7
