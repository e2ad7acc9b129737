"""A flush as CloudWatch's metric data: one datum for each series, its tags as dimensions.

Rules:

* A counter's ``count`` and a set's ``count`` are values with the unit Count, a gauge a value without a unit.
* A timer is a statistic set in milliseconds (count, sum, smallest, largest), or values with counts, so that CloudWatch can tell
  percentiles, and add them up over time: those of its sketch where there is one, else those that `distributions` makes of its
  statistics. Beyond 150 values it is several data, which CloudWatch adds up.
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

from nilometer.backends._parts.distributions import Point, distribution, of_sketch, summary, summary_of, weighted
from nilometer.core.record import Kind
from nilometer.core.sketch import decoded
from nilometer.core.wire.key import split

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nilometer.backends._parts.distributions import Summary
    from nilometer.core.record import Block, Flush
    from nilometer.core.sketch import Sketch

MOST_DIMENSIONS, LONGEST_NAME, LONGEST_VALUE = 30, 255, 1024
MOST_VALUES = 150
LARGEST, SMALLEST = 2.0**360, 2.0**-360
REFUSED, TAG, NOT_FINITE, OUT_OF_RANGE = (
    ("sink", "refused"),
    ("sink", "tag"),
    ("sink", "not_finite"),
    ("sink", "out_of_range"),
)
NOTHING = "(?!)"
"""A pattern that nothing matches."""
PLAIN = "".join(map(chr, range(0x20, 0x7F)))
COUNT, RATE, TIME, NONE = "Count", "Count/Second", "Milliseconds", "None"
FIELD, NUMBER, DIMENSION, FIXED = 48, 66, 104, 200
"""Bytes of a request at most: a number's name or its text, a number in a list, a dimension, and what each datum has."""


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
            for key, values, sketch in _rows(block, left_out, skipped):
                series = identity(self.prefix + key, left_out)
                if series is None:
                    left_out[REFUSED] += 1
                    continue
                parts = self._timer(values, sketch, left_out) if block.kind is Kind.TIMER else _single(block.kind, values)
                for ending, size, fields in parts:
                    name = {"MetricName": series.name + ending}
                    if series.dimensions:
                        name["Dimensions"] = series.dimensions  # type: ignore[assignment]  # a list beside texts
                    yield Datum(name | fields | common, FIXED + series.size + len(ending) + size)

    def _timer(self, values: Mapping[str, float], sketch: Sketch | None, left_out: Counter[tuple[str, str]]) -> Iterator[Part]:
        """Yield what a timer is sent as."""
        if not values.get("count", 1.0):
            return
        count = values.get("count", sketch.count if sketch else 0.0)
        known = summary(values) or (summary_of(sketch, count) if sketch else None)
        if known is None:
            chosen = list(values)
        else:
            points = [] if not self.values else weighted(of_sketch(sketch), count) if sketch else distribution(values, known)
            kept = [Point(kept, times) for value, times in points if (kept := _held(value, left_out)) is not None]
            yield from (_values(kept[at : at + MOST_VALUES]) for at in range(0, len(kept), MOST_VALUES))
            if not points:
                yield _set(known)
            chosen = [name for name in values if any(fnmatchcase(name, pattern) for pattern in self.statistics)]
        for name in chosen:
            yield Part(f".{name}", 2 * FIELD, {"Value": values[name], "Unit": unit(name)})


class Part(NamedTuple):
    """What follows a series' name, the bytes that the values take, and the fields that hold them."""

    ending: str
    size: int
    fields: dict[str, Any]


class Row(NamedTuple):
    """A series' key, the values that CloudWatch can hold, and its sketch."""

    key: str
    values: dict[str, float]
    sketch: Sketch | None


def _rows(block: Block, left_out: Counter[tuple[str, str]], skipped: re.Pattern[str]) -> Iterator[Row]:
    """Yield each series, unless it is skipped."""
    sketches = decoded(block.sketches, block.count)
    columns = [(each.name, list(each.values), each.present) for each in block.columns]
    for index, key in enumerate(block.keys()):
        if skipped.match(split(key)[0]):
            continue
        values: dict[str, float] = {}
        for name, numbers, present in columns:
            if present is None or present[index]:
                value = _held(numbers[index], left_out)
                if value is not None:
                    values[name] = value
        yield Row(key, values, sketches[index])


def _held(value: float, left_out: Counter[tuple[str, str]]) -> float | None:
    """Return the value as CloudWatch can hold it; None, counted, when it cannot."""
    if math.isfinite(value) and abs(value) <= LARGEST:
        return value if abs(value) >= SMALLEST else 0.0
    left_out[OUT_OF_RANGE if math.isfinite(value) else NOT_FINITE] += 1
    return None


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
