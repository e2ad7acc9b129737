"""A chart of lines over time as SVG text.

Rules:

* A value that is not finite is a gap.
* More points than the chart is wide are drawn as the lowest and the highest of each column of pixels: no peak is lost.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nilometer.core.chart.frame import COLOURS, DASHES, USUAL, Extent, Frame, Look

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its name, its first point's time in seconds since the epoch, the seconds between points, their values.

    `times`, one a point, are for points that do not stand equally far from each other: days and months of a zone.
    """

    name: str
    start: float
    step: float
    values: Sequence[float | None]
    colour: str = ""
    times: Sequence[float] = ()


def svg(lines: Sequence[Line], start: float, end: float, look: Look = USUAL) -> str:
    """Return a chart of the lines from `start` to `end`, in seconds since the epoch."""
    finite = [each for line in lines if (each := _finite(line.values))]
    extent = Extent(start, end, min(map(min, finite), default=0.0), max(map(max, finite), default=1.0))
    frame = Frame([(line.name, line.colour) for line in lines], extent, look)
    return frame.document(_drawn(frame, lines))


def _drawn(frame: Frame, lines: Sequence[Line]) -> Iterator[str]:
    """Yield a path for each line; a point without neighbours is a dot."""
    for number, line in enumerate(lines):
        path = "".join(_path(frame, line))
        if path:
            dash = DASHES[number // len(COLOURS) % len(DASHES)]
            dashes = f' stroke-dasharray="{dash}"' if dash else ""
            yield f'<path class="line" stroke="{frame.colour(number)}"{dashes} stroke-linecap="round" d="{path}"/>'


def _path(frame: Frame, line: Line) -> Iterator[str]:
    left, across = frame.x(line.start), frame.x(line.start + line.step) - frame.x(line.start)
    drawn = False
    for place, value in _thinned(line.values, frame.across):
        if value is None or not math.isfinite(value):
            drawn = False
            continue
        x = frame.x(line.times[place]) if line.times else left + place * across
        yield f"{'L' if drawn else 'M'}{x:.1f} {frame.y(value):.1f}"
        if not drawn:
            yield "h0"
        drawn = True


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
