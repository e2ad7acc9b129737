"""A flush as CloudWatch's metric data: one datum for each series, its tags as dimensions.

Rules:

* A counter's ``count`` and a set's ``count`` are values with the unit Count, a gauge a value without a unit.
* A timer is one datum in milliseconds: a statistic set (count, sum, smallest, largest), or values with counts. The flush holds
  no samples any more; the values are such that count, sum, smallest, largest and each percentile of the flush come out as they
  were, and between two percentiles lies their mean. So CloudWatch can tell percentiles, and add them up over time.
* A sampled timer's sum is scaled up as its count is: count times mean.
* A timer whose statistics lack what that takes goes as a metric for each statistic: ``name.mean``. An idle one has no datum.
* What CloudWatch has no place for is left out and counted: tags beyond 30 or not as it wants them, NaN and infinite values,
  values beyond 2^360, names that are blank or longer than 255. Values nearer to zero than 2^-360 are zero to it.
* Letters beyond ASCII are written with percent signs, as in a URL.

Limits: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase, translate
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, quote_plus

from nilometer.core.record import Kind
from nilometer.core.wire.key import split

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nilometer.core.record import Block, Flush

MOST_DIMENSIONS, LONGEST_NAME, LONGEST_VALUE = 30, 255, 1024
MOST_PERCENTILES = 70
"""So that values with counts stay below 150: two for each percentile, and a few more."""
LARGEST, SMALLEST = 2.0**360, 2.0**-360
REFUSED, TAG, NOT_FINITE, OUT_OF_RANGE = (
    ("sink", "refused"),
    ("sink", "tag"),
    ("sink", "not_finite"),
    ("sink", "out_of_range"),
)
UPPER = re.compile(r"upper_([0-9]+(?:_[0-9]+)?)")
NOTHING = "(?!)"
"""A pattern that nothing matches."""
PLAIN = "".join(map(chr, range(0x20, 0x7F)))
COUNT, RATE, TIME, NONE = "Count", "Count/Second", "Milliseconds", "None"
FIELD, NUMBER, DIMENSION, FIXED = 48, 66, 104, 200
"""Bytes of a request at most: a number's name or its text, a number in a list, a dimension, and what each datum has."""


class Point(NamedTuple):
    """A value and how many times it occurred."""

    value: float
    times: float


class Datum(NamedTuple):
    """A datum as the API takes it, and the bytes that it takes at most in any of the API's protocols."""

    fields: dict[str, Any]
    size: int


class Identity(NamedTuple):
    """A series' metric name and dimensions, and the bytes that they take."""

    name: str
    dimensions: list[dict[str, str]]
    size: int


@dataclass(frozen=True, slots=True)
class Layout:
    """How series become data: timers as values with counts, or not; patterns of statistics sent besides, of names not sent."""

    prefix: str = ""
    values: bool = True
    statistics: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    resolution: int = 60

    def data(self, flush: Flush, left_out: Counter[tuple[str, str]]) -> Iterator[Datum]:
        """Yield the flush's data; count what is left out."""
        common = {"Timestamp": datetime.fromtimestamp(flush.window.end, UTC), "StorageResolution": self.resolution}
        skipped = re.compile("|".join(map(translate, self.skip)) or NOTHING)
        for block in flush.blocks:
            for key, values in _rows(block, left_out, skipped):
                series = identity(self.prefix + key, left_out)
                if series is None:
                    left_out[REFUSED] += 1
                    continue
                parts = self._timer(values) if block.kind is Kind.TIMER else _single(block.kind, values)
                for ending, size, fields in parts:
                    name = {"MetricName": series.name + ending}
                    if series.dimensions:
                        name["Dimensions"] = series.dimensions  # type: ignore[assignment]  # a list beside texts
                    yield Datum(name | fields | common, FIXED + series.size + len(ending) + size)

    def _timer(self, values: Mapping[str, float]) -> Iterator[Part]:
        """Yield what a timer is sent as."""
        if not values.get("count", 1.0):
            return
        known = summary(values)
        if known is None:
            chosen = list(values)
        else:
            points = distribution(values, known) if self.values else []
            yield _values(points) if points else _set(known)
            chosen = [name for name in values if any(fnmatchcase(name, pattern) for pattern in self.statistics)]
        for name in chosen:
            yield Part(f".{name}", 2 * FIELD, {"Value": values[name], "Unit": unit(name)})


class Part(NamedTuple):
    """What follows a series' name, the bytes that the values take, and the fields that hold them."""

    ending: str
    size: int
    fields: dict[str, Any]


class Summary(NamedTuple):
    """A timer's statistic set; `weight` is what one sample stands for."""

    samples: float
    total: float
    lower: float
    upper: float
    weight: float


def _rows(block: Block, left_out: Counter[tuple[str, str]], skipped: re.Pattern[str]) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield each series' key, unless it is skipped, and the values that CloudWatch can hold."""
    columns = [(each.name, list(each.values), each.present) for each in block.columns]
    for index, key in enumerate(block.keys()):
        if skipped.match(split(key)[0]):
            continue
        values: dict[str, float] = {}
        for name, numbers, present in columns:
            if present is None or present[index]:
                value = numbers[index]
                if not math.isfinite(value):
                    left_out[NOT_FINITE] += 1
                elif abs(value) > LARGEST:
                    left_out[OUT_OF_RANGE] += 1
                else:
                    values[name] = value if abs(value) >= SMALLEST else 0.0
        yield key, values


def _single(kind: Kind, values: Mapping[str, float]) -> Iterator[Part]:
    name, kept = ("value", NONE) if kind is Kind.GAUGE else ("count", COUNT)
    if name in values:
        yield Part("", 2 * FIELD, {"Value": values[name], "Unit": kept})


def _set(known: Summary) -> Part:
    numbers = {"SampleCount": known.samples, "Sum": known.total, "Minimum": known.lower, "Maximum": known.upper}
    return Part("", 8 * FIELD, {"StatisticValues": numbers, "Unit": TIME})


def _values(points: Sequence[Point]) -> Part:
    numbers = {"Values": [each.value for each in points], "Counts": [each.times for each in points]}
    return Part("", 2 * NUMBER * len(points), {**numbers, "Unit": TIME})


def unit(statistic: str) -> str:
    """Return the unit of one of a timer's statistics."""
    if statistic == "count_ps":
        return RATE
    if statistic.startswith(("count", "histogram.")):
        return COUNT
    return NONE if statistic.startswith("sum_squares") else TIME


# -- timers --------------------------------------------------------------------------------------------------------------


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


# -- names ---------------------------------------------------------------------------------------------------------------


def identity(key: str, left_out: Counter[tuple[str, str]]) -> Identity | None:
    """Return what a series is called, counting the tags that cannot be dimensions; None when its name cannot be a metric's."""
    name, tags = split(key)
    name = ascii_only(name)
    if not name.strip() or len(name) > LONGEST_NAME:
        return None
    dimensions, size = list[dict[str, str]](), 0
    for tag, value in _pairs(tags, left_out).items():
        dimensions.append({"Name": tag, "Value": value})
        size += DIMENSION + len(quote_plus(tag)) + len(quote_plus(value))
    return Identity(name, dimensions, size + len(quote_plus(name)))


def _pairs(tags: str, left_out: Counter[tuple[str, str]]) -> dict[str, str]:
    """Return the tags that can be dimensions; of two with one name the last. One without a value is ``true``."""
    pairs: dict[str, str] = {}
    for each in filter(None, tags.split(";")):
        tag, equals, value = ascii_only(each).partition("=")
        value = value if equals else "true"
        fits = tag.strip() and tag[0] != ":" and len(tag) <= LONGEST_NAME and value.strip() and len(value) <= LONGEST_VALUE
        if tag in pairs or not fits or len(pairs) == MOST_DIMENSIONS:
            left_out[TAG] += 1
        if fits and (tag in pairs or len(pairs) < MOST_DIMENSIONS):
            pairs[tag] = value
    return pairs


def ascii_only(text: str) -> str:
    """Return the text with every character that is no printable ASCII written with percent signs."""
    return text if text.isascii() and text.isprintable() else quote(text, safe=PLAIN, errors="replace")


def batches(data: Iterable[tuple[int, Datum]], most: int, size: int) -> Iterator[list[tuple[int, Datum]]]:
    """Yield numbered data in batches of at most `most` and `size` bytes; larger data go alone."""
    batch, used = list[tuple[int, Datum]](), 0
    for each in data:
        if batch and (len(batch) == most or used + each[1].size > size):
            yield batch
            batch, used = [], 0
        batch.append(each)
        used += each[1].size
    if batch:
        yield batch
