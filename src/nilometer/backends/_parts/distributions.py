"""Timers as values with counts: from a flush's statistics, or from the sketch that came with them.

Rules:

* From statistics: count, sum, smallest, largest and each percentile of the flush come out as they were, and between two
  percentiles lies their mean.
* From a sketch: count, sum, smallest and largest come out as they were. Every other sample is the middle of its bucket, scaled
  such that the sum is right: at most 1.6 % from what it was. Where samples of both signs cancel out, the sum is about right.
* A sampled timer's sum is scaled up as its count is: count times mean.
"""

from __future__ import annotations

import math
import re
from itertools import starmap
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.sketch import ERROR, bucket, middle

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nilometer.core.sketch import Sketch

MOST_PERCENTILES = 70
"""So that values with counts stay below 150: two for each percentile, and a few more."""
UPPER = re.compile(r"upper_([0-9]+(?:_[0-9]+)?)")


class Point(NamedTuple):
    """A value and how many times it occurred."""

    value: float
    times: float


class Summary(NamedTuple):
    """A timer's statistic set; `weight` is what one sample stands for."""

    samples: float
    total: float
    lower: float
    upper: float
    weight: float


def summary(values: Mapping[str, float]) -> Summary | None:
    """Return a timer's statistic set; None when a statistic is missing that it takes."""
    if not {"count", "lower", "upper"} <= values.keys() or not {"sum", "mean"} & values.keys():
        return None
    count, mean, total = values["count"], values.get("mean"), values.get("sum")
    if mean is None or total is None:
        return Summary(count, total if mean is None else mean * count, values["lower"], values["upper"], 1.0)  # type: ignore[arg-type]  # one of both is there
    scaled = mean * count
    if math.isclose(scaled, total, rel_tol=1e-9):
        return Summary(count, total, values["lower"], values["upper"], 1.0)
    weight = scaled / total if total else 1.0
    return Summary(count, scaled, values["lower"], values["upper"], weight)


def summary_of(sketch: Sketch, count: float) -> Summary:
    """Return the statistic set of a sketch's samples, `count` of them in all."""
    weight = count / sketch.count
    return Summary(count, sketch.sum * weight, sketch.low, sketch.high, weight)


class Segment(NamedTuple):
    """The samples between two percentiles: how many, their sum, and the largest."""

    samples: float
    total: float
    upper: float


def distribution(values: Mapping[str, float], known: Summary) -> list[Point]:
    """Return values with counts, ascending, that have the statistics of the timer; empty when no percentile is known."""
    segments = list(_segments(values, known))
    if len(segments) < 2:  # noqa: PLR2004 without a percentile there is one, which a statistic set tells as well
        return []
    points, below = list[Point](), known.lower
    for segment in segments:
        points += _spread(segment, below, known, first=not points)
        below = segment.upper
    merged: dict[float, float] = {}
    for value, times in points:
        merged[value] = merged.get(value, 0.0) + times
    return [Point(value, times) for value, times in merged.items() if times > 0]


def _segments(values: Mapping[str, float], known: Summary) -> Iterator[Segment]:
    """Yield the segments between the percentiles that are known whole, and the last up to the largest sample."""
    count = total = 0.0
    for label in _percentiles(values):
        upto = values[f"count_{label}"] * known.weight, values[f"sum_{label}"] * known.weight
        if count < upto[0] < known.samples:
            yield Segment(upto[0] - count, upto[1] - total, values[f"upper_{label}"])
            count, total = upto
    yield Segment(known.samples - count, known.total - total, known.upper)


def _percentiles(values: Mapping[str, float]) -> list[str]:
    """Return the labels of the percentiles whose count, sum and upper bound are known, ascending."""
    labels = [match[1] for name in values if (match := UPPER.fullmatch(name))]
    whole = [label for label in labels if {f"count_{label}", f"sum_{label}"} <= values.keys()]
    return sorted(whole, key=lambda label: float(label.replace("_", ".")))[:MOST_PERCENTILES]


def _spread(segment: Segment, below: float, known: Summary, *, first: bool) -> Iterator[Point]:
    """Yield a segment's points: its largest sample, the rest at their mean; the first also has the smallest sample."""
    left, total = segment.samples, segment.total
    if first and left > known.weight:
        yield Point(known.lower, known.weight)
        left, total = left - known.weight, total - known.lower * known.weight
    top = min(known.weight, left)
    rest = left - top
    if rest > known.weight / 1000:
        mean = (total - segment.upper * top) / rest
        yield Point(min(max(mean, below), segment.upper), rest)
    yield Point(segment.upper, top)


def weighted(points: Sequence[Point], count: float) -> list[Point]:
    """Return the points with counts that are `count` in all."""
    weight = count / (sum(point.times for point in points) or 1.0)
    return [Point(value, times * weight) for value, times in points]


def of_sketch(sketch: Sketch) -> list[Point]:
    """Return values with counts, whole numbers, ascending, that are distributed as the samples of a sketch."""
    low, high, left = sketch.low, sketch.high, dict(sketch.buckets)
    ends = [low, high][: sum(left.values())]
    for end in ends:
        left[bucket(end)] = left.get(bucket(end), 0) - 1
    inner = [(middle(place), times) for place, times in sorted(left.items()) if times > 0]
    factor = _factor(sum([value * times for value, times in inner]), sketch.sum - sum(ends))
    points = dict.fromkeys(ends[:1], 1)
    for value, times in inner:
        scaled = value * factor
        kept = low if scaled < low else min(scaled, high)
        points[kept] = points.get(kept, 0) + times
    for end in ends[1:]:
        points[end] = points.get(end, 0) + 1
    return list(starmap(Point, points.items()))


def _factor(total: float, wanted: float) -> float:
    """Return what values are multiplied by so that their sum becomes what is wanted, as far as that leaves them near by."""
    factor = wanted / total if total else 1.0
    return min(max(factor, 1 - ERROR), 1 + ERROR) if math.isfinite(factor) else 1.0
