"""A sketch of numbers: counts by buckets, from which quantiles are read with a relative error of at most 0.8 %.

Rules:

* A bucket is the exponent and the first six bits of the mantissa of a float64: 64 buckets to each power of two, whose middle
  is within 1/128 of every value in it. Its sign is the value's. Bucket 0 holds zero, and what lies within 3.5e-310 of it.
* Count, sum, sum of squares, lowest and highest are exact, whatever the buckets hold.
* Two sketches merge into the sketch of all their numbers: that is what percentiles by themselves cannot do.

Layout of an encoded sketch, little endian::

    version u8 (1) · count u64 · lowest f64 · highest f64 · sum f64 · sum of squares f64 · bucket…
    bucket  how far it is above the one before, the first above 0 (zigzag, LEB128) · its count (LEB128)
"""

from __future__ import annotations

import math
import struct
from bisect import bisect_left
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING

from nilometer.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

SHIFT = 46
"""Bits of a float64 below those that choose the bucket."""
INFINITE = 0x7FF << 52 >> SHIFT
"""The bucket of infinity."""
ERROR = 1 / 128
"""The bound of the relative error."""
VERSION = 1
HEAD = struct.Struct("<BQdddd")
MIDDLES = 8192
"""Buckets whose middles are kept at hand: 128 powers of two."""


def bucket(value: float) -> int:
    """Return the bucket of a number, which is not NaN."""
    bits: int = struct.unpack("<Q", struct.pack("<d", abs(value)))[0]
    return -(bits >> SHIFT) if value < 0 else bits >> SHIFT


@lru_cache(MIDDLES)
def middle(number: int) -> float:
    """Return the middle of a bucket."""
    size = abs(number)
    bits = size << SHIFT if size in {0, INFINITE} else size << SHIFT | 1 << (SHIFT - 1)
    value: float = struct.unpack("<d", struct.pack("<Q", bits))[0]
    return -value if number < 0 else value


class Sketch:
    """Counts of numbers by buckets, and what is exact: `count`, `low`, `high`, `sum` and `squares`."""

    __slots__ = ("buckets", "count", "high", "low", "squares", "sum")

    def __init__(self, values: Iterable[float] = ()) -> None:
        self.buckets: dict[int, int] = {}
        self.count = 0
        self.low, self.high = math.inf, -math.inf
        self.sum = self.squares = 0.0
        for value in values:
            self.add(value)

    def add(self, value: float) -> None:
        """Add a number."""
        self.note(value)
        place = bucket(value)
        self.buckets[place] = self.buckets.get(place, 0) + 1

    def note(self, value: float) -> None:
        """Add a number to what is exact, but to no bucket."""
        self.count += 1
        self.sum += value
        self.squares += value * value
        self.low, self.high = min(self.low, value), max(self.high, value)

    def merge(self, other: Sketch) -> None:
        """Add all numbers of another sketch."""
        self.count += other.count
        self.sum += other.sum
        self.squares += other.squares
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        for place, count in other.buckets.items():
            self.buckets[place] = self.buckets.get(place, 0) + count

    def runs(self) -> Iterator[tuple[float, int]]:
        """Yield each bucket's number, lowest first, and how many there are of it. None is beyond the lowest or the highest."""
        for place in sorted(self.buckets):
            yield min(max(middle(place), self.low), self.high), self.buckets[place]

    def quantile(self, fraction: float) -> float:
        """Return the number below or at which `fraction` of all numbers lie; NaN when there are none.

        Of n numbers it is the one of rank ceil(fraction n), the lowest having rank 1.
        """
        rank = math.ceil(fraction * sum(self.buckets.values()))
        reached = list(accumulate(self.buckets[place] for place in sorted(self.buckets)))
        values = [value for value, _ in self.runs()]
        return values[bisect_left(reached, rank)] if values else math.nan

    def encode(self) -> bytes:
        """Return the sketch as bytes."""
        out = bytearray(HEAD.pack(VERSION, self.count, *map(_one_nan, (self.low, self.high, self.sum, self.squares))))
        before = 0
        for place in sorted(self.buckets):
            step = place - before
            before = place
            _write(out, step << 1 ^ step >> 63)
            _write(out, self.buckets[place])
        return bytes(out)

    @classmethod
    def decode(cls, data: bytes) -> Sketch:
        """Return the sketch that `encode` made these bytes of. Raise `InputError` for anything else."""
        if len(data) < HEAD.size or data[0] != VERSION:
            message = f"not a sketch of version {VERSION}: {data[:1]!r}, {len(data)} bytes"
            raise InputError(message)
        sketch = cls()
        _, sketch.count, sketch.low, sketch.high, sketch.sum, sketch.squares = HEAD.unpack_from(data)
        numbers, place = _read(data[HEAD.size :]), 0
        for step in numbers:
            place += step >> 1 ^ -(step & 1)
            count = next(numbers, 0)
            if not -INFINITE <= place <= INFINITE or place in sketch.buckets or not count:
                message = f"a sketch with {count} numbers in bucket {place}"
                raise InputError(message)
            sketch.buckets[place] = count
        if sum(sketch.buckets.values()) > sketch.count:
            message = f"a sketch of {sketch.count} numbers with more of them in its buckets"
            raise InputError(message)
        return sketch


def decoded(sketches: Sequence[bytes], count: int) -> list[Sketch | None]:
    """Return the sketches of a block of `count` series; None where there is none, or one of a version that is not known."""
    return [Sketch.decode(data) if data[:1] == bytes([VERSION]) else None for data in sketches or [b""] * count]


def _one_nan(value: float) -> float:
    return value if value == value else math.nan  # noqa: PLR0124 NaN differs from itself


def _write(out: bytearray, number: int) -> None:
    while number > 0x7F:  # noqa: PLR2004 seven bits a byte
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def _read(data: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in data:
        number |= (byte & 0x7F) << shift
        shift += 7
        if shift > 70:  # noqa: PLR2004 64 bits take ten bytes
            message = "a sketch with a number of more than 64 bits"
            raise InputError(message)
        if byte < 0x80:  # noqa: PLR2004 the last byte of a number
            yield number
            number = shift = 0
    if shift:
        message = "a sketch that ends within a number"
        raise InputError(message)
