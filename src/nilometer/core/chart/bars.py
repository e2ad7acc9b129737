"""A chart of bars over time as SVG text: those of one time stand on each other, so that their top is their sum.

Rules:

* A value that is not finite, or not above zero, has no bar.
* Bars that would be narrower than a pixel are drawn as the highest of each column of pixels.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.chart.frame import USUAL, Extent, Frame, Look

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

GAP = 0.1
"""The part of a bar's width that is left free beside it."""


class Stack(NamedTuple):
    """A series of bars: its name, its values, one for each span of time, its colour or none."""

    name: str
    values: Sequence[float | None]
    colour: str = ""


def stacked(stacks: Sequence[Stack], spans: Sequence[tuple[float, float]], look: Look = USUAL) -> str:
    """Return a chart with a bar for each span of time, from its begin to its end in seconds since the epoch."""
    heights = [[_height(value) for value in stack.values] for stack in stacks]
    sums = [math.fsum(column) for column in zip(*heights, strict=True)]
    start, end = (spans[0][0], spans[-1][1]) if spans else (0.0, 1.0)
    frame = Frame(
        [(stack.name, stack.colour) for stack in stacks], Extent(start, end, 0.0, max(sums, default=0.0) or 1.0), look
    )
    shown = list(_shown(sums, frame.across))
    return frame.document(_drawn(frame, heights, spans, shown))


def _drawn(
    frame: Frame, heights: Sequence[Sequence[float]], spans: Sequence[tuple[float, float]], shown: Sequence[int]
) -> Iterator[str]:
    """Yield a path for each series; the first stands at the bottom."""
    below = [0.0] * len(spans)
    for number, column in enumerate(heights):
        path = []
        for place in shown:
            if column[place]:
                left, right = (frame.x(time) for time in spans[place])
                top, bottom = frame.y(below[place] + column[place]), frame.y(below[place])
                wide = max((right - left) * (1 - GAP), 1)
                path.append(f"M{left + (right - left - wide) / 2:.1f} {bottom:.1f}V{top:.1f}h{wide:.1f}V{bottom:.1f}z")
                below[place] += column[place]
        if path:
            yield f'<path fill="{frame.colour(number)}" d="{"".join(path)}"/>'


def _shown(sums: Sequence[float], columns: int) -> Iterator[int]:
    """Yield the places of the bars that are drawn."""
    size = max(1, -(-len(sums) // max(columns, 1)))
    for first in range(0, len(sums), size):
        yield max(range(first, min(first + size, len(sums))), key=sums.__getitem__)


def _height(value: float | None) -> float:
    return value if value is not None and math.isfinite(value) and value > 0 else 0.0
