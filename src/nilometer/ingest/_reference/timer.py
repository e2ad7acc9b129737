"""What is computed from a timer's samples, number by number in the order in which statsd computes it.

Rules:

* Values are sorted; sums run over the sorted values from the lowest up, so that the last digits agree.
* A percentile above 0 covers the lowest that many percent of the samples, one below 0 the highest; with a single sample
  every percentile covers it. `round` is half up. What statsd prints as NaN is NaN here, what it leaves out is left out.
* The sample rate counts for ``count`` and ``count_ps`` alone.
* A timer that has a sketch is computed from a sketch of all its samples: each is the middle of its bucket. What covers all
  samples comes from the sketch's exact sums. Up to a bound and with it there are whole buckets, that of the bound the last.

Source: ``lib/process_metrics.js`` of statsd 0.9 and 0.10.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple, Protocol

from nilometer.core.record import Column
from nilometer.core.sketch import Sketch, bucket
from nilometer.core.wire.number import to_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nilometer.ingest.kernel import Aggregation

ALWAYS = ("std", "upper", "lower")
IDLE = "idle count_ps"
"""Where an idle timer's ``count_ps`` goes: before ``count``, while a busy one's is behind it."""
TOTALS = ("count", "count_ps", "sum", "sum_squares", "mean", "median")


class Samples:
    """A timer's samples: values in order of arrival, and the sum of 1 / sample rate, in this window and `before`.

    Of the open window, `fresh` values are kept, and `sketch` has the samples from where they were too many, in `pages` of 64
    buckets. `held` has those of sketches of windows before, in `held_pages`.
    """

    __slots__ = ("before", "fresh", "held", "held_pages", "pages", "sketch", "values", "weight")

    def __init__(self) -> None:
        self.values: list[float] = []
        self.before = self.weight = 0.0
        self.fresh = 0
        self.sketch: Sketch | None = None
        self.held: Sketch | None = None
        self.pages: set[int] = set()
        self.held_pages: set[int] = set()

    def begin_sketch(self) -> Sketch:
        """Return the sketch of the open window, made if there is none."""
        if self.sketch is None:
            self.sketch = Sketch()
        return self.sketch

    def hold(self) -> None:
        """End a window: its samples stay, but are no longer those of the open one."""
        if self.sketch is not None:
            self.held = self.held or Sketch()
            self.held.merge(self.sketch)
            self.held_pages |= self.pages
        self.fresh, self.sketch, self.pages = 0, None, set()

    def count(self) -> int:
        """Return the number of samples."""
        return len(self.values) + sum(part.count for part in (self.sketch, self.held) if part is not None)

    def whole(self) -> Sketch:
        """Return a sketch of all samples."""
        whole = Sketch(self.values)
        for part in (self.sketch, self.held):
            if part is not None:
                whole.merge(part)
        return whole

    def ranked(self) -> Ranked:
        """Return the samples in ascending order."""
        return Exact(self.values) if self.sketch is self.held is None else Sketched(self.whole())


class Ranked(Protocol):
    """Samples in ascending order: how many have a rank, the lowest, the highest, and the sums of all and of their squares."""

    size: int
    low: float
    high: float
    total: tuple[float, float]

    def value(self, rank: int) -> float:
        """Return the sample of a rank, counted from 0."""

    def sums(self, count: int) -> tuple[float, float]:
        """Return the sum of the lowest `count`, and that of their squares."""

    def spread(self) -> tuple[float, float]:
        """Return the mean of all, and the mean square of how far they are from it."""

    def upto(self, bound: float, *, inclusive: bool) -> int:
        """Return how many lie below a bound, or with `inclusive` at it too; all for infinity."""


class Exact:
    """Samples as they came."""

    def __init__(self, values: Iterable[float]) -> None:
        self._values = sorted(values)
        self._sums = list(accumulate(self._values))
        self._squares = list(accumulate(value * value for value in self._values))
        self.size, self.low, self.high = len(self._values), self._values[0], self._values[-1]
        self.total = self._sums[-1], self._squares[-1]

    def value(self, rank: int) -> float:
        """Return the sample of a rank, counted from 0."""
        return self._values[rank]

    def sums(self, count: int) -> tuple[float, float]:
        """Return the sum of the lowest `count`, and that of their squares."""
        return (self._sums[count - 1], self._squares[count - 1]) if count else (0.0, 0.0)

    def spread(self) -> tuple[float, float]:
        """Return the mean of all, and the mean square of how far they are from it."""
        mean, spread = self.total[0] / self.size, 0.0
        for value in self._values:
            spread += (value - mean) * (value - mean)
        return mean, spread / self.size

    def upto(self, bound: float, *, inclusive: bool) -> int:
        """Return how many lie below a bound, or with `inclusive` at it too; all for infinity."""
        return (bisect_right if inclusive or bound == math.inf else bisect_left)(self._values, bound)


class Sketched:
    """Samples as a sketch has them."""

    def __init__(self, sketch: Sketch) -> None:
        self._sketch = sketch
        self.low, self.high, self.total = sketch.low, sketch.high, (sketch.sum, sketch.squares)
        self._values: list[float] = []
        self._counts: list[int] = [0]  # up to each value
        self._sums: list[tuple[float, float]] = [(0.0, 0.0)]
        for value, count in sketch.runs():
            self._values.append(value)
            self._counts.append(self._counts[-1] + count)
            self._sums.append(self._and(len(self._sums) - 1, value, count))
        self.size = self._counts[-1]

    def _and(self, place: int, value: float, count: int) -> tuple[float, float]:
        total, squares = self._sums[place]
        return total + value * count, squares + value * value * count

    def value(self, rank: int) -> float:
        """Return the sample of a rank, counted from 0."""
        return self._values[bisect_right(self._counts, rank) - 1]

    def sums(self, count: int) -> tuple[float, float]:
        """Return the sum of the lowest `count`, and that of their squares."""
        if count == self._sketch.count:
            return self.total
        if not count:
            return 0.0, 0.0
        place = bisect_right(self._counts, count - 1) - 1
        return self._and(place, self._values[place], count - self._counts[place])

    def spread(self) -> tuple[float, float]:
        """Return the mean of all, and the mean square of how far they are from it."""
        count = self._sketch.count
        mean = self.total[0] / count
        spread = self.total[1] / count - mean * mean
        return mean, 0.0 if spread < 0 else spread

    def upto(self, bound: float, *, inclusive: bool) -> int:
        """Return how many lie below a bound, or with `inclusive` at it too; all for infinity."""
        if inclusive:
            return self._counts[bisect_right(self._values, bucket(bound), key=bucket)]
        return self._counts[(bisect_right if bound == math.inf else bisect_left)(self._values, bound)]


class Slot(NamedTuple):
    """One column to be: the statistic it holds, and the word that `timer_statistics` knows it by."""

    statistic: str
    word: str


def layout(rules: Aggregation) -> dict[str, Slot]:
    """Return the columns that these rules can fill, in order; keys are unique, statistics may stand twice."""
    slots: dict[str, Slot] = {}
    for percentile in rules.percentiles:
        edge = "upper" if percentile > 0 else "lower"
        for part in ("count", "mean", edge, "sum", "sum_squares"):
            name = f"{part}_{label(percentile)}"
            slots[name] = Slot(name, f"{part}_percent")
    slots |= {name: Slot(name, name) for name in ALWAYS}
    slots[IDLE] = Slot("count_ps", "count_ps")
    slots |= {name: Slot(name, name) for name in TOTALS}
    for number, histogram in enumerate(rules.histograms):
        word = "le" if rules.cumulative else "bin"
        slots |= {_bin_key(number, bound): Slot(f"histogram.{word}_{_bound(bound)}", "histogram") for bound in histogram.bins}
    wanted = set(rules.timer_statistics)
    return {key: slot for key, slot in slots.items() if not wanted or slot.word in wanted}


def label(percentile: float) -> str:
    """Return how a percentile is named: ``99.9`` is ``99_9``, ``-10`` is ``top10``."""
    return to_text(percentile).replace(".", "_", 1).replace("-", "top", 1)


def _bound(bound: float) -> str:
    return "inf" if bound == math.inf else to_text(bound).replace(".", "_", 1)


def _bin_key(number: int, bound: float) -> str:
    """Return the key of a bin's column; each histogram has its own, since no series is in two."""
    return f"{number} {_bound(bound)}"


def columns(timers: Iterable[tuple[str, Samples | None]], count: int, rules: Aggregation, seconds: float) -> tuple[Column, ...]:
    """Compute every statistic of `count` timers. None stands for an idle timer; rates are over `seconds`."""
    slots = layout(rules)
    values = {key: array("d", bytes(8 * count)) for key in slots}
    present = {key: bytearray(count) for key in slots}
    for index, (key, samples) in enumerate(timers):
        for slot, number in _statistics(key, samples, rules, seconds):
            if slot in slots:
                values[slot][index] = number
                present[slot][index] = 1
    return tuple(
        Column(slot.statistic, values[key], bytes(present[key]) if 0 in present[key] else None)
        for key, slot in slots.items()
        if 1 in present[key]
    )


def _statistics(key: str, samples: Samples | None, rules: Aggregation, seconds: float) -> Iterator[tuple[str, float]]:
    if samples is None:
        yield IDLE, 0.0
        yield "count", 0.0
        return
    ranked = samples.ranked()
    for percentile in rules.percentiles:
        yield from _percentile(percentile, ranked)
    yield from _whole(ranked)
    weight = samples.before + samples.weight
    yield "count", weight
    yield "count_ps", weight / seconds
    yield from _histogram(key, ranked, rules)


def _percentile(percentile: float, samples: Ranked) -> Iterator[tuple[str, float]]:
    """Yield the statistics of the samples within a percentile.

    Above 100 the edge and the sums are left out and the mean is NaN; where the highest samples are all samples, or more, the
    sums are NaN, since statsd subtracts what stands before the first.
    """
    name, size = label(percentile), samples.size
    within = size if size == 1 else _round(abs(percentile) / 100 * size)
    if within == 0:
        return
    total = square = math.nan
    edge = within if percentile > 0 else size - within + 1  # counted from 1
    if size == 1 or (percentile > 0 and within <= size):
        edge = 1 if size == 1 else edge
        total, square = samples.sums(within)
    elif percentile <= 0 and within < size:
        below = samples.sums(size - within)
        total, square = samples.total[0] - below[0], samples.total[1] - below[1]
    yield f"count_{name}", within
    yield f"mean_{name}", total / within
    if 1 <= edge <= size:
        yield f"{'upper' if percentile > 0 else 'lower'}_{name}", samples.value(edge - 1)
    if percentile <= 0 or within <= size:
        yield f"sum_{name}", total
        yield f"sum_squares_{name}", square


def _round(value: float) -> int:
    """Round half up, as ``Math.round`` does."""
    whole = math.floor(value)
    return whole + (value - whole >= 0.5)  # noqa: PLR2004 a half


def _whole(samples: Ranked) -> Iterator[tuple[str, float]]:
    """Yield the statistics of all samples."""
    size, middle = samples.size, samples.size // 2
    mean, spread = samples.spread()
    yield "std", math.sqrt(spread)
    yield "upper", samples.high
    yield "lower", samples.low
    yield "sum", samples.total[0]
    yield "sum_squares", samples.total[1]
    yield "mean", mean
    if size:
        upper = samples.value(middle)
        yield "median", upper if size % 2 else (samples.value(middle - 1) + upper) / 2


def _histogram(key: str, samples: Ranked, rules: Aggregation) -> Iterator[tuple[str, float]]:
    """Yield how many samples lie below each bound and not below the one before, or how many in all are at most the bound."""
    chosen = next((number for number, histogram in enumerate(rules.histograms) if histogram.match in key), None)
    if chosen is None:
        return
    before = 0
    for bound in rules.histograms[chosen].bins:
        end = samples.upto(bound, inclusive=rules.cumulative)
        yield _bin_key(chosen, bound), max(end - before, 0)
        before = 0 if rules.cumulative else max(before, end)
