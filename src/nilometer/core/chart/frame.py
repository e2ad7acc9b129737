"""What charts over time have in common: their size, their axes, title and names, and the document around.

Rules:

* Any text is escaped, and cut so that it fits.
* Colours are told apart by people who see few of them (Okabe and Ito's palette), those beyond by dashes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.chart import scale

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
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
class Look:
    """How a chart looks: pixels, a title, the zone of its times, and whether the lines are named below it."""

    width: int = 800
    height: int = 300
    title: str = ""
    zone: tzinfo = UTC
    legend: bool = True


USUAL = Look()


class Extent(NamedTuple):
    """The ends of both axes: times in seconds since the epoch, values."""

    start: float
    end: float
    low: float
    high: float


class Frame:
    """The measures of one chart, and its parts but what is drawn. `names`: of the series, each with a colour or none."""

    def __init__(self, names: Sequence[tuple[str, str]], extent: Extent, look: Look) -> None:
        self._names, self._look = names, look
        self._start, self._end = extent.start, max(extent.end, extent.start + 1)
        self.width, self.height = (min(max(size, SMALLEST), LARGEST) for size in (look.width, look.height))
        self._named = list(_rows([name for name, _ in names[:MOST_NAMED]], self.width)) if look.legend else []
        rows = 1 + max((row for row, _, _ in self._named), default=-1)
        self._top = 30 if look.title else 12
        self._bottom = max(self.height - 22 - rows * ROW, self._top + 1)
        self._scale = scale.values(extent.low, extent.high, max(2, (self._bottom - self._top) // 45))

    def x(self, time: float) -> float:
        """Return where a time stands, in pixels from the left."""
        return LEFT + (time - self._start) / (self._end - self._start) * self.across

    def y(self, value: float) -> float:
        """Return where a value stands, in pixels from the top."""
        low, high = self._scale.low, self._scale.high
        return self._bottom - (value / 2 - low / 2) / (high / 2 - low / 2) * (self._bottom - self._top)

    @property
    def across(self) -> int:
        """How many pixels the axis of time is long."""
        return self.width - LEFT - RIGHT

    def colour(self, number: int) -> str:
        """Return the colour of a series."""
        given = self._names[number][1]
        return given if given.startswith("#") and given[1:].isalnum() else COLOURS[number % len(COLOURS)]

    def document(self, drawn: Iterable[str]) -> str:
        """Return the whole chart."""
        return document(self.width, self.height, self._look.title, (*self._title(), *self._axes(), *drawn, *self._legend()))

    def _title(self) -> Iterator[str]:
        if self._look.title:
            title = cut(self._look.title, int((self.width - 16) / 7.5))
            yield f'<text class="title" x="12" y="19">{safe(title)}</text>'

    def _axes(self) -> Iterator[str]:
        """Yield both axes: lines across for values, marks below for times."""
        for mark in self._scale.marks:
            y = self.y(mark)
            yield f'<path class="grid" d="M{LEFT} {y:.1f}H{self.width - RIGHT}"/>'
            yield f'<text class="text" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{scale.short(mark)}</text>'
        for time, text in scale.times(self._start, self._end, self._look.zone, max(1, self.width // 100)):
            x = self.x(time)
            yield f'<path class="grid" d="M{x:.1f} {self._bottom}v4"/>'
            yield f'<text class="text" x="{x:.1f}" y="{self._bottom + 16}" text-anchor="middle">{text}</text>'

    def _legend(self) -> Iterator[str]:
        """Yield the names of the lines, in rows below."""
        for number, (row, x, name) in enumerate(self._named):
            y = self._bottom + 22 + row * ROW + 11
            yield f'<path class="line" stroke="{self.colour(number)}" d="M{x:.0f} {y - 4}h12"/>'
            yield f'<text class="text" x="{x + 17:.0f}" y="{y}">{safe(name)}</text>'


def document(width: int, height: int, title: str, parts: Iterable[str]) -> str:
    """Return an image of so many pixels."""
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return "".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            f"<title>{safe(title or 'chart')}</title><style>{STYLE}</style>",
            f'<rect class="back" width="{width}" height="{height}"/>',
            *parts,
            "</svg>\n",
        )
    )


def _rows(names: Sequence[str], width: int) -> Iterator[tuple[int, float, str]]:
    """Yield row, place and text of each name, as many in a row as fit."""
    row, x = 0, float(LEFT)
    for whole in names:
        name = cut(whole, int((width - LEFT - RIGHT - 20) / LETTER))
        needed = 17 + len(name) * LETTER + 14
        if x > LEFT and x + needed > width - RIGHT:
            row, x = row + 1, float(LEFT)
        yield row, x, name
        x += needed


def cut(text: str, most: int) -> str:
    """Return a text, with no more than so many letters."""
    return text if len(text) <= most else text[: max(most - 1, 1)] + "…"


def safe(text: str) -> str:
    """Return text for XML: escaped, without what XML cannot hold."""
    return escape("".join(letter if letter.isprintable() else "\ufffd" for letter in text))
