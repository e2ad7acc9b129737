"""How points become coarser ones.

Rules:

* The name decides what a coarser point is, as Graphite's ``storage-aggregation.conf`` for statsd has it: the sum of counts
  and sums, the largest ``upper`` and ``max``, the smallest ``lower`` and ``min``, otherwise the mean.
* Two numbers are kept for each: the sum, maximum or minimum, and how many points went into it; with them any coarser
  point can be made later, and be exact. The mean is the sum divided by the number.
* Totals that are decimal but for the noise of summation lose the noise when they are stored; see `block.cleaned`.
* NaN is left out; a point made of nothing else is NaN, with a number of zero.
* A coarser point stands at the start of its step: the points with ``time // step`` alike are one.

Source: https://github.com/statsd/statsd/blob/master/docs/graphite.md, "Storage Aggregation".
"""

from __future__ import annotations

import enum
import math
import re
from array import array
from bisect import bisect_left
from functools import lru_cache
from itertools import pairwise
from operator import truediv
from typing import TYPE_CHECKING, NamedTuple

from nilometer.history.block import regular

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


class Rule(enum.IntEnum):
    """What a coarser point is of its finer ones. The numbers stand in the file."""

    MEAN = 0
    SUM = 1
    MAXIMUM = 2
    MINIMUM = 3


PERCENTILE = r"(?:_(?:top)?\d+(?:_\d+)*)?"
LAST_PARTS = (
    (Rule.SUM, re.compile(rf"(?:count|sum|sum_squares){PERCENTILE}")),
    (Rule.MAXIMUM, re.compile(rf"(?:upper|max){PERCENTILE}")),
    (Rule.MINIMUM, re.compile(rf"(?:lower|min){PERCENTILE}")),
)
PARTS_CACHED = 4096


ONE = array("d", [1.0])
ONE_BYTES = ONE.tobytes()


class Buckets(NamedTuple):
    """Coarser points: their times, what the rule made of the finer values, and how many there were."""

    times: Sequence[int]
    totals: array[float]
    numbers: array[float]

    def values(self, rule: Rule) -> array[float]:
        """Return what a reader sees."""
        if rule is not Rule.MEAN:
            return self.totals
        if 0.0 in self.numbers:
            return array(
                "d", [total / number if number else math.nan for total, number in zip(self.totals, self.numbers, strict=True)]
            )
        return array("d", map(truediv, self.totals, self.numbers))


def rule_of(path: str, suffix: str | None = None) -> Rule:
    """Return the rule for a path, whose name ends with `.suffix` where one is given."""
    name = path.partition(";")[0]
    if suffix is not None:
        name = name.removesuffix("." + suffix)
    rest, _, last = name.rpartition(".")
    if name.startswith("stats_counts.") or (last.startswith(("bin_", "le_")) and rest.endswith(".histogram")):
        return Rule.SUM
    return _rule_of_part(last)


@lru_cache(PARTS_CACHED)
def _rule_of_part(last: str) -> Rule:
    """Return the rule for the last part of a name. Many names end alike."""
    return next((rule for rule, pattern in LAST_PARTS if pattern.fullmatch(last)), Rule.MEAN)


def single(times: Sequence[int], values: array[float]) -> Buckets:
    """Return points as they were written in the form of coarser ones, each made of one point or, for NaN, of none."""
    if math.isnan(sum(values)):
        return Buckets(times, values, array("d", [0.0 if math.isnan(value) else 1.0 for value in values]))
    return Buckets(times, values, _ones(len(values)))


@lru_cache(maxsize=64)
def _ones(count: int) -> array[float]:
    """Return as many ones; most series share the count."""
    return ONE * count


def buckets(rule: Rule, finer: Buckets, step: int) -> Buckets:
    """Make coarser points from finer ones. The finer step divides the coarser one."""
    cuts, starts, lengths = _cuts(finer.times if isinstance(finer.times, range) else tuple(finer.times), step)
    totals, fold = finer.totals.tolist(), FOLDS[rule]
    if finer.numbers.tobytes() == ONE_BYTES * len(totals):
        return Buckets(starts, array("d", [fold(totals[start:end]) for start, end in cuts]), lengths)
    numbers = finer.numbers.tolist()
    made = [fold(_present(totals[start:end], numbers[start:end])) for start, end in cuts]
    return Buckets(starts, array("d", made), array("d", [sum(numbers[start:end]) for start, end in cuts]))


def _present(totals: Iterable[float], numbers: Iterable[float]) -> list[float]:
    """Return the values that are made of something, a NaN when there is none."""
    return [total for total, number in zip(totals, numbers, strict=True) if number] or [math.nan]


FOLDS: dict[Rule, Callable[[list[float]], float]] = {Rule.MEAN: sum, Rule.SUM: sum, Rule.MAXIMUM: max, Rule.MINIMUM: min}


@lru_cache(maxsize=256)
def _cuts(times: range | tuple[int, ...], step: int) -> tuple[list[tuple[int, int]], Sequence[int], array[float]]:
    """Return the slices of `times` that fall into one step each, where these steps start, and how long the slices are.

    All series share the times.
    """
    cuts: list[tuple[int, int]] = []
    starts = array("q")
    at = 0
    while at < len(times):
        start = times[at] // step * step
        end = bisect_left(times, start + step, at)
        cuts.append((at, end))
        starts.append(start)
        at = end
    return cuts, regular(starts), array("d", [end - start for start, end in cuts])


def joined(pieces: Sequence[Buckets]) -> Buckets:
    """Return pieces that follow each other as one."""
    if len(pieces) == 1:
        return pieces[0]
    totals, numbers = array("d"), array("d")
    for piece in pieces:
        totals.extend(piece.totals)
        numbers.extend(piece.numbers)
    return Buckets(_joined_times(piece.times for piece in pieces), totals, numbers)


def _joined_times(pieces: Iterable[Sequence[int]]) -> Sequence[int]:
    """Return times that follow each other as one, as a range where they are the pieces of one."""
    pieces = [piece for piece in pieces if len(piece)]
    steps = {piece.step if isinstance(piece, range) else 0 for piece in pieces}
    step = steps.pop() if len(steps) == 1 else 0
    if step and all(before[-1] + step == after[0] for before, after in pairwise(pieces)):
        return range(pieces[0][0], pieces[-1][-1] + 1, step)
    times = array("q")
    for piece in pieces:
        times.extend(piece)
    return times


def overlaid(older: Buckets, newer: Buckets) -> Buckets:
    """Return both, the newer where they share a time."""
    alone = bisect_left(older.times, newer.times[0]) if len(newer.times) else len(older.times)
    if alone == len(older.times):
        return joined([older, newer])
    merged = {time: (total, number) for time, total, number in zip(*older, strict=True) if time >= newer.times[0]}
    merged.update((time, (total, number)) for time, total, number in zip(*newer, strict=True))
    times = sorted(merged)
    totals, numbers = zip(*map(merged.__getitem__, times), strict=True)
    mixed = Buckets(regular(times), array("d", totals), array("d", numbers))
    return joined([cut(older, 0, alone), mixed]) if alone else mixed


def cut(points: Buckets, start: int, end: int) -> Buckets:
    """Return the points from place `start` to before place `end`."""
    if start == 0 and end == len(points.times):
        return points
    return Buckets(points.times[start:end], points.totals[start:end], points.numbers[start:end])
