"""What is computed from a timer's samples, number by number in the order in which statsd computes it.

Rules:

* Values are sorted; sums run over the sorted values from the lowest up, so that the last digits agree.
* A percentile above 0 covers the lowest that many percent of the samples, one below 0 the highest; with a single sample
  every percentile covers it. `round` is half up. What statsd prints as NaN is NaN here, what it leaves out is left out.
* The sample rate counts for ``count`` and ``count_ps`` alone.

Source: ``lib/process_metrics.js`` of statsd 0.9 and 0.10.
"""

from __future__ import annotations

import math
from array import array
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.record import Column
from nilometer.core.wire.number import to_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nilometer.ingest.kernel import Aggregation, Histogram

ALWAYS = ("std", "upper", "lower")
IDLE = "idle count_ps"
"""Where an idle timer's ``count_ps`` goes: before ``count``, while a busy one's is behind it."""
TOTALS = ("count", "count_ps", "sum", "sum_squares", "mean", "median")


class Samples:
    """A timer's samples: values in order of arrival, and the sum of 1 / sample rate, in this window and `before`."""

    __slots__ = ("before", "values", "weight")

    def __init__(self) -> None:
        self.values: list[float] = []
        self.before = self.weight = 0.0


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
        slots |= {_bin_key(number, bound): Slot(f"histogram.{_bin(bound)}", "histogram") for bound in histogram.bins}
    wanted = set(rules.timer_statistics)
    return {key: slot for key, slot in slots.items() if not wanted or slot.word in wanted}


def label(percentile: float) -> str:
    """Return how a percentile is named: ``99.9`` is ``99_9``, ``-10`` is ``top10``."""
    return to_text(percentile).replace(".", "_", 1).replace("-", "top", 1)


def _bin(bound: float) -> str:
    return "bin_" + ("inf" if bound == math.inf else to_text(bound).replace(".", "_", 1))


def _bin_key(number: int, bound: float) -> str:
    """Return the key of a bin's column; each histogram has its own, since no series is in two."""
    return f"{number} {_bin(bound)}"


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
    values = sorted(samples.values)
    sums = list(accumulate(values))
    squares = list(accumulate(value * value for value in values))
    for percentile in rules.percentiles:
        yield from _percentile(percentile, values, sums, squares)
    yield from _whole(values, sums[-1], squares[-1])
    weight = samples.before + samples.weight
    yield "count", weight
    yield "count_ps", weight / seconds
    yield from _histogram(key, values, rules.histograms)


def _percentile(percentile: float, values: list[float], sums: list[float], squares: list[float]) -> Iterator[tuple[str, float]]:
    """Yield the statistics of the samples within a percentile.

    Above 100 the edge and the sums are left out and the mean is NaN; where the highest samples are all samples, or more, the
    sums are NaN, since statsd subtracts what stands before the first.
    """
    name, size = label(percentile), len(values)
    within = size if size == 1 else _round(abs(percentile) / 100 * size)
    if within == 0:
        return
    total = square = math.nan
    edge = within if percentile > 0 else size - within + 1  # counted from 1
    if size == 1:
        edge, total, square = 1, sums[0], squares[0]
    elif percentile > 0 and within <= size:
        total, square = sums[within - 1], squares[within - 1]
    elif percentile <= 0 and within < size:
        total, square = sums[-1] - sums[size - within - 1], squares[-1] - squares[size - within - 1]
    yield f"count_{name}", within
    yield f"mean_{name}", total / within
    if 1 <= edge <= size:
        yield f"{'upper' if percentile > 0 else 'lower'}_{name}", values[edge - 1]
    if percentile <= 0 or within <= size:
        yield f"sum_{name}", total
        yield f"sum_squares_{name}", square


def _round(value: float) -> int:
    """Round half up, as ``Math.round`` does."""
    whole = math.floor(value)
    return whole + (value - whole >= 0.5)  # noqa: PLR2004 a half


def _whole(values: list[float], total: float, square: float) -> Iterator[tuple[str, float]]:
    """Yield the statistics of all samples."""
    size, middle = len(values), len(values) // 2
    mean = total / size
    spread = 0.0
    for value in values:
        spread += (value - mean) * (value - mean)
    yield "std", math.sqrt(spread / size)
    yield "upper", values[-1]
    yield "lower", values[0]
    yield "sum", total
    yield "sum_squares", square
    yield "mean", mean
    yield "median", values[middle] if size % 2 else (values[middle - 1] + values[middle]) / 2


def _histogram(key: str, values: Sequence[float], histograms: Sequence[Histogram]) -> Iterator[tuple[str, float]]:
    """Yield how many samples lie below each bound and not below the one before, in a single pass over sorted samples."""
    chosen = next((number for number, histogram in enumerate(histograms) if histogram.match in key), None)
    if chosen is None:
        return
    position = 0
    for bound in histograms[chosen].bins:
        start = position
        while position < len(values) and (bound == math.inf or values[position] < bound):
            position += 1
        yield _bin_key(chosen, bound), position - start
