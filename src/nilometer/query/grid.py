"""From what a store holds, points at their times, to the language's grid.

Rules:

* The step of a series is the distance at which most of its points follow each other. Where there is none, its points being
  rare, it is what all their times are multiples of. Where that cannot be seen in the range, it is seen in the present, in the
  series beside it, or is `USUAL_STEP`.
* A point stands in the slot that its time falls into; the last one of a slot counts. NaN is nothing.
* The first slot begins after `start`, the last one holds `end`, as whisper has it.
* A range of more than `MOST_SLOTS` steps has wider slots, so that a month of a store that is a day old is no trouble.
* This file and `find` are all that knows how a store is read.
"""

from __future__ import annotations

import math
import re
from array import array
from collections import Counter
from itertools import islice, pairwise
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nilometer.core.capability import Series, SeriesReader
    from nilometer.query.series import Values

USUAL_STEP = 10
LOOK_BACK = 1800
"""Seconds that are read at least, to see a step."""
LOOK_AHEAD = 600
"""Seconds that are read beyond the end, for a last slot that reaches beyond it."""
SAMPLE = 500
"""Distances that are looked at."""
MOST_SLOTS = 65_536
"""Slots of one series: a week of steps of 10 s. For longer ranges steps are wider."""
STEPS = (60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400)
PERCENTILE = r"(?:_(?:top)?\d+(?:_\d+)*)?"
FOLDS: tuple[tuple[Callable[[list[float]], float], re.Pattern[str]], ...] = (
    (sum, re.compile(rf"(?:count|sum|sum_squares){PERCENTILE}")),
    (max, re.compile(rf"(?:upper|max){PERCENTILE}")),
    (min, re.compile(rf"(?:lower|min){PERCENTILE}")),
)
"""What wider slots show: totals are added up, of the largest and smallest values these stay; else it is the mean."""
REGULAR = 0.6
"""The share of distances that makes one the usual one."""


class Slots(NamedTuple):
    """A path's values from `start` to before `end`."""

    path: str
    start: int
    end: int
    step: int
    values: Values


class Span(NamedTuple):
    """From when until when, in seconds since the epoch; `length` is that of the range which the width of steps goes by."""

    start: int
    end: int
    length: int


def read(reader: SeriesReader, paths: Sequence[str], span: Span, now: int) -> list[Slots]:
    """Return the values of each path, in the order of the paths; `now` is the last second there is."""
    found = reader.read(paths, max(0, min(span.start, span.end - LOOK_BACK)), span.end + LOOK_AHEAD)
    steps = [step_of(series.times) for series in found]
    unseen = {series.path for series, step in zip(found, steps, strict=True) if not step}
    if unseen:
        later = reader.read(sorted(unseen), now - LOOK_BACK, now)
        seen = {series.path: step_of(series.times) for series in later}
        steps = [step or seen[series.path] for series, step in zip(found, steps, strict=True)]
    usual = Counter(step for step in steps if step).most_common(1)
    common = usual[0][0] if usual else USUAL_STEP
    return [slots(series, span, step or common) for series, step in zip(found, steps, strict=True)]


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


def whole(values: Sequence[float]) -> list[float] | None:
    """Return the values as a list, None when one is, or may be, NaN."""
    listed = values.tolist() if isinstance(values, array) else list(values)
    return None if math.isnan(sum(listed)) else listed


def slots(series: Series, span: Span, step: int) -> Slots:
    """Put points into slots."""
    start, end, length = span
    wide = wide_step(step, length)
    first = start - start % wide + wide
    last = max(end - end % wide + wide, first + wide)
    size = (last - first) // wide
    if wide > step:
        return Slots(series.path, first, last, wide, _folded(series, first, wide, size))
    values: Values = [None] * size
    known = whole(series.values)
    if known and isinstance(series.times, range) and series.times.step == step:
        place = (series.times[0] - first) // step
        shown = known[max(-place, 0) : max(size - place, 0)]
        values[max(place, 0) : max(place, 0) + len(shown)] = shown
        return Slots(series.path, first, last, step, values)
    for time, value in zip(series.times, series.values, strict=True):
        place = (time - first) // step
        if 0 <= place < size and value == value:  # noqa: PLR0124 NaN is not itself
            values[place] = value
    return Slots(series.path, first, last, step, values)


def wide_step(step: int, length: int) -> int:
    """Return the step with which so many seconds have at most `MOST_SLOTS` slots, the series' own where it does."""
    if length // step <= MOST_SLOTS:
        return step
    fitting = (nice for nice in STEPS if nice % step == 0 and length // nice <= MOST_SLOTS)
    return next(fitting, step * math.ceil(length / (step * MOST_SLOTS)))


def _folded(series: Series, first: int, step: int, size: int) -> Values:
    """Put points into slots that are wider than their distance: what a slot shows, the path's last part decides."""
    gathered: dict[int, list[float]] = {}
    for time, value in zip(series.times, series.values, strict=True):
        if value == value:  # noqa: PLR0124 NaN is not itself
            gathered.setdefault((time - first) // step, []).append(value)
    name = series.path.partition(";")[0].rpartition(".")[2]
    fold = next((each for each, pattern in FOLDS if pattern.fullmatch(name)), fmean)
    values: Values = [None] * size
    for place, numbers in gathered.items():
        if 0 <= place < size:
            values[place] = fold(numbers)
    return values
