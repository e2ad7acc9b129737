"""From what a store holds, points at their times, to the language's grid.

Rules:

* The step of a series is the distance at which most of its points follow each other. Where there is none, its points being
  rare, it is what all their times are multiples of. Where that cannot be seen in the range, it is seen in the present, in the
  series beside it, or is `USUAL_STEP`.
* A point stands in the slot that its time falls into; the last one of a slot counts. NaN is nothing.
* The first slot begins after `start`, the last one holds `end`, as whisper has it.
* This file and `find` are all that knows how a store is read.
"""

from __future__ import annotations

import math
from collections import Counter
from itertools import islice, pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.capability import Series, SeriesReader
    from nilometer.query.series import Values

USUAL_STEP = 10
LOOK_BACK = 1800
"""Seconds that are read at least, to see a step."""
LOOK_AHEAD = 600
"""Seconds that are read beyond the end, for a last slot that reaches beyond it."""
SAMPLE = 500
"""Distances that are looked at."""
REGULAR = 0.6
"""The share of distances that makes one the usual one."""


class Slots(NamedTuple):
    """A path's values from `start` to before `end`."""

    path: str
    start: int
    end: int
    step: int
    values: Values


def read(reader: SeriesReader, paths: Sequence[str], start: int, end: int, now: int) -> list[Slots]:
    """Return the values of each path, in the order of the paths; `now` is the last second there is."""
    found = reader.read(paths, max(0, min(start, end - LOOK_BACK)), end + LOOK_AHEAD)
    steps = [step_of(series.times) for series in found]
    unseen = {series.path for series, step in zip(found, steps, strict=True) if not step}
    if unseen:
        later = reader.read(sorted(unseen), now - LOOK_BACK, now)
        seen = {series.path: step_of(series.times) for series in later}
        steps = [step or seen[series.path] for series, step in zip(found, steps, strict=True)]
    usual = Counter(step for step in steps if step).most_common(1)
    common = usual[0][0] if usual else USUAL_STEP
    return [slots(series, start, end, step or common) for series, step in zip(found, steps, strict=True)]


def step_of(times: Sequence[int]) -> int:
    """Return the distance between times as it was when they were written; 0 where that cannot be seen."""
    if isinstance(times, range):
        return times.step if len(times) > 1 else 0
    distances = Counter(after - before for before, after in islice(pairwise(times), SAMPLE))
    usual = max(distances, key=lambda distance: (distances[distance], -distance), default=0)
    if distances[usual] >= REGULAR * distances.total():
        return usual
    common = math.gcd(*islice(times, SAMPLE))
    return common if common > 1 else usual


def slots(series: Series, start: int, end: int, step: int) -> Slots:
    """Put points into slots."""
    first = start - start % step + step
    last = max(end - end % step + step, first + step)
    size = (last - first) // step
    values: Values = [None] * size
    for time, value in zip(series.times, series.values, strict=True):
        place = (time - first) // step
        if 0 <= place < size and value == value:  # noqa: PLR0124 NaN is not itself
            values[place] = value
    return Slots(series.path, first, last, step, values)
