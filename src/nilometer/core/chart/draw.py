"""A chart of lines over time as SVG text.

Rules:

* Any text is escaped, and cut so that it fits; a value that is not finite is a gap.
* More points than the chart is wide are drawn as the lowest and the highest of each column of pixels: no peak is lost.
* Colours are told apart by people who see few of them (Okabe and Ito's palette), lines beyond them by their dashes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC
from html import escape
from typing import TYPE_CHECKING

from nilometer.core.chart import scale

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6bb1", "#999999")
DASHES = ("", "6 3", "2 3", "8 3 2 3")
SMALLEST, LARGEST = 64, 4096
"""Pixels that a chart is wide or high."""
MOST_NAMED = 20
LETTER = 6.6
"""Pixels that a letter of the legend takes."""
LEFT, RIGHT, ROW = 56, 16, 18
STYLE = (
    "svg{color-scheme:light dark;font:11px system-ui,sans-serif}"
    ".back{fill:#fff}.text{fill:#444}.title{fill:#111;font-weight:600;font-size:13px}.grid{stroke:#e4e4e4}.line{fill:none;"
    "stroke-width:1.5;stroke-linejoin:round}"
    "@media(prefers-color-scheme:dark){.back{fill:#16181d}.text{fill:#b4b8c0}.title{fill:#eee}.grid{stroke:#2c3038}}"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its name, its first point's time in seconds since the epoch, the seconds between points, their values."""

    name: str
    start: float
    step: float
    values: Sequence[float | None]
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """How a chart looks: pixels, a title, the zone of its times, and whether the lines are named below it."""

    width: int = 800
    height: int = 300
    title: str = ""
    zone: tzinfo = UTC
    legend: bool = True


def svg(lines: Sequence[Line], start: float, end: float, look: Look = Look()) -> str:
    """Return a chart of the lines from `start` to `end`, in seconds since the epoch."""
    chart = _Chart(lines, start, max(end, start + 1), look)
    width, height = chart.width, chart.height
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return "".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            f"<title>{_safe(look.title or 'chart')}</title><style>{STYLE}</style>",
            f'<rect class="back" width="{width}" height="{height}"/>',
            *chart.title(),
            *chart.axes(),
            *chart.lines(),
            *chart.legend(),
            "</svg>\n",
        )
    )


class _Chart:
    """The measures of one chart, and its parts."""

    def __init__(self, lines: Sequence[Line], start: float, end: float, look: Look) -> None:
        self._lines, self._start, self._end, self._look = lines, start, end, look
        self.width, self.height = (min(max(size, SMALLEST), LARGEST) for size in (look.width, look.height))
        self._named = list(_rows([line.name for line in lines[:MOST_NAMED]], self.width)) if look.legend else []
        rows = 1 + max((row for row, _, _ in self._named), default=-1)
        self._top = 30 if look.title else 12
        self._bottom = max(self.height - 22 - rows * ROW, self._top + 1)
        finite = [each for line in lines if (each := _finite(line.values))]
        low, high = min(map(min, finite), default=0.0), max(map(max, finite), default=1.0)
        self._scale = scale.values(low, high, max(2, (self._bottom - self._top) // 45))

    def _x(self, time: float) -> float:
        return LEFT + (time - self._start) / (self._end - self._start) * (self.width - LEFT - RIGHT)

    def _y(self, value: float) -> float:
        low, high = self._scale.low, self._scale.high
        return self._bottom - (value / 2 - low / 2) / (high / 2 - low / 2) * (self._bottom - self._top)

    def title(self) -> Iterator[str]:
        """Yield the title."""
        if self._look.title:
            title = _cut(self._look.title, int((self.width - 16) / 7.5))
            yield f'<text class="title" x="12" y="19">{_safe(title)}</text>'

    def axes(self) -> Iterator[str]:
        """Yield both axes: lines across for values, marks below for times."""
        for mark in self._scale.marks:
            y = self._y(mark)
            yield f'<path class="grid" d="M{LEFT} {y:.1f}H{self.width - RIGHT}"/>'
            yield f'<text class="text" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{scale.short(mark)}</text>'
        for time, text in scale.times(self._start, self._end, self._look.zone, max(1, self.width // 100)):
            x = self._x(time)
            yield f'<path class="grid" d="M{x:.1f} {self._bottom}v4"/>'
            yield f'<text class="text" x="{x:.1f}" y="{self._bottom + 16}" text-anchor="middle">{text}</text>'

    def lines(self) -> Iterator[str]:
        """Yield a path for each line; a point without neighbours is a dot."""
        for number, line in enumerate(self._lines):
            path = "".join(self._path(line))
            if path:
                dash = DASHES[number // len(COLOURS) % len(DASHES)]
                dashes = f' stroke-dasharray="{dash}"' if dash else ""
                yield f'<path class="line" stroke="{_colour(line, number)}"{dashes} stroke-linecap="round" d="{path}"/>'

    def _path(self, line: Line) -> Iterator[str]:
        left, across = self._x(line.start), self._x(line.start + line.step) - self._x(line.start)
        drawn = False
        for place, value in _thinned(line.values, self.width - LEFT - RIGHT):
            if value is None or not math.isfinite(value):
                drawn = False
                continue
            yield f"{'L' if drawn else 'M'}{left + place * across:.1f} {self._y(value):.1f}"
            if not drawn:
                yield "h0"
            drawn = True

    def legend(self) -> Iterator[str]:
        """Yield the names of the lines, in rows below."""
        for number, (row, x, name) in enumerate(self._named):
            y = self._bottom + 22 + row * ROW + 11
            yield f'<path class="line" stroke="{_colour(self._lines[number], number)}" d="M{x:.0f} {y - 4}h12"/>'
            yield f'<text class="text" x="{x + 17:.0f}" y="{y}">{_safe(name)}</text>'


def _colour(line: Line, number: int) -> str:
    given = line.colour
    return given if given.startswith("#") and given[1:].isalnum() else COLOURS[number % len(COLOURS)]


def _thinned(values: Sequence[float | None], columns: int) -> Iterator[tuple[int, float | None]]:
    """Yield place and value of the points that are drawn."""
    size = len(values) // max(columns, 1)
    if size <= 2:  # noqa: PLR2004 two are drawn of each column
        yield from enumerate(values)
        return
    for first in range(0, len(values), size):
        part = values[first : first + size]
        finite = _finite(part)
        if not finite:
            yield first, None
            continue
        low, high = min(finite), max(finite)
        lowest, highest = part.index(low), len(part) - 1 - part[::-1].index(high)
        yield from sorted({(first + lowest, low), (first + highest, high)})


def _finite(values: Sequence[float | None]) -> list[float]:
    """Return those values that are finite."""
    known = [value for value in values if value is not None]
    return known if math.isfinite(sum(known)) else list(filter(math.isfinite, known))


def _rows(names: Sequence[str], width: int) -> Iterator[tuple[int, float, str]]:
    """Yield row, place and text of each name, as many in a row as fit."""
    row, x = 0, float(LEFT)
    for whole in names:
        name = _cut(whole, int((width - LEFT - RIGHT - 20) / LETTER))
        needed = 17 + len(name) * LETTER + 14
        if x > LEFT and x + needed > width - RIGHT:
            row, x = row + 1, float(LEFT)
        yield row, x, name
        x += needed


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: max(most - 1, 1)] + "…"


def _safe(text: str) -> str:
    """Return text for XML: escaped, without what XML cannot hold."""
    return escape("".join(letter if letter.isprintable() else "\ufffd" for letter in text))
