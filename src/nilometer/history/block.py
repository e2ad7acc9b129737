"""The codec of a block: the points of one series in one period, as few bytes.

Rules:

* Every float64 comes back bit for bit: NaN with its payload, infinities, minus zero.
* Times are whole seconds, ascending, inside the period. A regular step costs two or three bytes in all.
* `decode` trusts nothing: a block that `encode` cannot have made raises `Damaged`, and no block makes it allocate more
  than the period has seconds.

Layout, version 1 (`uint` is LEB128, `int` the same in zigzag; everything else little endian):

```
byte version=1 · uint points · uint first time - start of the period
uint step                          the regular step; 0: uint length, deflate(uint32 steps, one less than points)
byte columns, then each column:
  byte 0 · float64                                          the same value throughout
  byte 1 · uint length, deflate(float64 values)             any values
  byte 2 · byte e · int low · byte w · uint length, deflate  value = (low + offset) / 10^e
  byte 3 · byte e · int first · int low · byte w · uint length, deflate   value = (first + sum of (low + offset)) / 10^e
```

Four bytes of CRC-32 of all that end the block. Offsets are unsigned integers of w bytes: the lowest byte of each, then the
next byte of each, and so on. Deflate is raw (RFC 1951).

Measured on an hour of points every ten seconds: a random walk with two decimals takes 1.1 bytes a point, counts below a
thousand 0.9 to 1.5, rates with one decimal 1.5, means of whole numbers 4.0, unrelated floats 7.7, a constant almost none.
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from itertools import accumulate, repeat
from operator import add, le, sub
from typing import TYPE_CHECKING, Final, NamedTuple

from nilometer.core.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSION: Final = 1
CONSTANT, FLOATS, OFFSETS, DELTAS = range(4)
SCALES = (1.0, 10.0, 100.0, 1000.0, 10000.0)
SAMPLE = 6
NOISE = 2.0**-48
CHECK = 4
TO_INT = 6755399441055744.0
"""1.5 × 2^52: what is added to it is rounded to a whole number, which then stands in the low bits of the sum."""
BIAS: Final[int] = struct.unpack("<q", struct.pack("<d", TO_INT))[0]
LEAST, MOST = BIAS - 2**51, BIAS + 2**51 - 1
"""The bits of sums that hold a whole number; those of larger values, of NaN and of infinities lie outside."""
WIDTHS = {1: "B", 2: "H", 4: "I", 8: "Q"}
LEVEL, WINDOW, MEMORY = 6, -12, 5
"""zlib's: 4 KiB of window hold an hour of points, and a small state is quick to set up."""
BIG = sys.byteorder == "big"


class Damaged(StoreError):
    """Bytes in the file are not what was written there."""


class Points(NamedTuple):
    """What a block holds: times in seconds since the epoch, and columns of one float64 a time."""

    times: range | array[int]
    columns: list[array[float]]


def encode(start: int, times: Sequence[int], columns: Sequence[array[float]]) -> bytes:
    """Return the block of a period that begins at `start`. `times` ascend from there; each column has a value a time."""
    head = bytes((VERSION,)) + _uint(len(times)) + _uint(times[0] - start) + _times(times) + bytes((len(columns),))
    return sealed(head + b"".join(map(_column, columns)))


def sealed(body: bytes) -> bytes:
    """Return the block with this body: the CRC-32 follows it."""
    return body + zlib.crc32(body).to_bytes(CHECK, "little")


def decode(data: bytes, start: int, period: int, columns: int = 1) -> Points:
    """Return the points of a block. Raise `Damaged` when it is none of `period` seconds from `start`, in so many columns."""
    try:
        _must(sealed(data[:-CHECK]) == data, "its checksum is wrong")
        return _decode(_Cursor(data[:-CHECK]), start, period, columns)
    except (ValueError, IndexError, OverflowError, struct.error, zlib.error) as error:
        message = f"the block of the period from {start} is damaged: {error}"
        raise Damaged(message) from error


def regular(times: Sequence[int]) -> Sequence[int]:
    """Return the times as a range where they stand at a regular step, else as they are."""
    if isinstance(times, range) or len(times) == 0:
        return times
    step = times[1] - times[0] if len(times) > 1 else 1
    even = range(times[0], times[-1] + 1, max(step, 1))
    return even if len(even) == len(times) and all(map(int.__eq__, even, times)) else times


def cleaned(totals: array[float]) -> array[float]:
    """Return the totals without the noise of their summation: as whole numbers of hundredths, say, when all are all but that.

    No value is changed by more than 2^-48 of it, which adding a few numbers may cost as well; what is left is packed as well
    as the numbers that were added.
    """
    few = totals[:: len(totals) // SAMPLE + 1]
    for scale in SCALES:
        if _close(few, scale) is not None:
            found = _close(totals, scale)
            if found is not None:
                return found
    return totals


def _close(values: array[float], scale: float) -> array[float] | None:
    """Return the values rounded to multiples of 1 / `scale`, None when this changes one of them by more than noise."""
    rounded = array("d", [(value * scale + TO_INT - TO_INT) / scale for value in values])
    changes = map(abs, map(sub, rounded, values))
    return rounded if all(map(le, changes, [abs(value) * NOISE for value in values])) else None


def _times(times: Sequence[int]) -> bytes:
    even = regular(times)
    if isinstance(even, range):
        return _uint(even.step)
    return _uint(0) + _packed(array("I", map(sub, even[1:], even)))


def _column(values: array[float]) -> bytes:
    body = values.tobytes()
    if body == body[:8] * len(values):
        return bytes((CONSTANT,)) + _little(values[:1])
    for exponent in range(_exponent(values), len(SCALES)):
        shifted = array("d", [value * SCALES[exponent] + TO_INT for value in values])
        if array("d", [(value - TO_INT) / SCALES[exponent] for value in shifted]).tobytes() == body:
            biased = array("q", shifted.tobytes()).tolist()
            low, high = min(biased), max(biased)
            if LEAST <= low <= high <= MOST:
                return _integers(exponent, biased, low, high - low)
    return bytes((FLOATS,)) + _packed(values)


def _exponent(values: array[float]) -> int:
    """Return the fewest decimals that a few values need, as many as there are scales when none will do."""
    few = values[:: len(values) // SAMPLE + 1]
    for exponent, scale in enumerate(SCALES):
        if all((value * scale + TO_INT - TO_INT) / scale == value for value in few):
            return exponent
    return len(SCALES)


def _integers(exponent: int, biased: list[int], low: int, span: int) -> bytes:
    """Return the column of integers, each given as the bits of a float to which `TO_INT` was added; `span` above `low`."""
    steps = list(map(sub, biased[1:], biased))
    lowest_step = min(steps)
    span_of_steps = max(steps) - lowest_step
    if span <= span_of_steps:
        return bytes((OFFSETS, exponent)) + _int(low - BIAS) + _offsets(biased, low, span)
    head = bytes((DELTAS, exponent)) + _int(biased[0] - BIAS) + _int(lowest_step)
    return head + _offsets(steps, lowest_step, span_of_steps)


def _offsets(numbers: Sequence[int], low: int, span: int) -> bytes:
    width = next(width for width in WIDTHS if span < 1 << 8 * width)
    offsets = _little(array(WIDTHS[width], map(sub, numbers, repeat(low))))
    planes = b"".join(offsets[place::width] for place in range(width)) if width > 1 else offsets
    return bytes((width,)) + _deflated(planes)


def _packed(numbers: array[int] | array[float]) -> bytes:
    return _deflated(_little(numbers))


def _little(numbers: array[int] | array[float]) -> bytes:
    if BIG:
        numbers = numbers[:]
        numbers.byteswap()
    return numbers.tobytes()


def _deflated(body: bytes) -> bytes:
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, WINDOW, MEMORY)
    packed = packer.compress(body) + packer.flush()
    return _uint(len(packed)) + packed


def _uint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:  # noqa: PLR2004 seven bits a byte
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _int(number: int) -> bytes:
    return _uint(number << 1 if number >= 0 else (-number << 1) - 1)


class _Cursor:
    """Reads a block from its first byte to its last. Each method raises ValueError or IndexError at the end."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def uint(self) -> int:
        number = 0
        for shift in range(0, 70, 7):
            byte = self.byte()
            number |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004 the last byte of a number
                return number
        message = "a number has too many bytes"
        raise ValueError(message)

    def signed(self) -> int:
        number = self.uint()
        return -(number + 1 >> 1) if number & 1 else number >> 1

    def take(self, size: int) -> bytes:
        piece = self._data[self._at : self._at + size]
        self._at += size
        _must(len(piece) == size, "it ends too soon")
        return piece

    def inflate(self, size: int) -> bytes:
        """Return exactly `size` inflated bytes."""
        unpacker = zlib.decompressobj(WINDOW)
        body = unpacker.decompress(self.take(self.uint()), size + 1)
        _must(len(body) == size and unpacker.eof and not unpacker.unused_data, "a column has another length than it says")
        return body

    def end(self) -> None:
        _must(self._at == len(self._data), "bytes follow its end")


def _must(holds: bool, otherwise: str) -> None:  # noqa: FBT001 a condition and what it means
    if not holds:
        raise ValueError(otherwise)


def _decode(cursor: _Cursor, start: int, period: int, columns: int) -> Points:
    _must(cursor.byte() == VERSION, "its version is unknown")
    count, first = cursor.uint(), cursor.uint()
    _must(0 < count <= period, "it holds no points, or more than its period has seconds")
    times = _decoded_times(cursor, count, start + first)
    _must(times[-1] < start + period, "a time lies outside its period")
    _must(cursor.byte() == columns, "it has another number of columns than its level")
    result = Points(times, [_decoded_column(cursor, count) for _ in range(columns)])
    cursor.end()
    return result


def _decoded_times(cursor: _Cursor, count: int, first: int) -> range | array[int]:
    step = cursor.uint()
    if step:
        return range(first, first + count * step, step)
    steps = _array("I", cursor.inflate(4 * (count - 1)))
    _must(0 not in steps, "its times do not ascend")
    return array("q", accumulate(steps, initial=first))


def _array(code: str, body: bytes) -> array[int]:
    numbers: array[int] = array(code, body)
    if BIG:
        numbers.byteswap()
    return numbers


def _decoded_column(cursor: _Cursor, count: int) -> array[float]:
    kind = cursor.byte()
    _must(kind <= DELTAS, "the kind of a column is unknown")
    if kind in (CONSTANT, FLOATS):
        body = cursor.take(8) * count if kind == CONSTANT else cursor.inflate(8 * count)
        return array("d", _array("q", body).tobytes())
    scale = SCALES[cursor.byte()]
    if kind == OFFSETS:
        low = cursor.signed()
        return _scaled(map(add, _decoded_offsets(cursor, count), repeat(low)), scale)
    first, low = cursor.signed(), cursor.signed()
    return _scaled(accumulate(map(add, _decoded_offsets(cursor, count - 1), repeat(low)), initial=first), scale)


def _scaled(numbers: map[int] | accumulate[int], scale: float) -> array[float]:
    return array("d", numbers) if scale == 1 else array("d", [number / scale for number in numbers])


def _decoded_offsets(cursor: _Cursor, count: int) -> array[int]:
    width = cursor.byte()
    _must(width in WIDTHS, "the width of a column is unknown")
    planes = cursor.inflate(width * count)
    if width == 1:
        return array("B", planes)
    body = bytearray(width * count)
    for place in range(width):
        body[place::width] = planes[place * count : (place + 1) * count]
    return _array(WIDTHS[width], bytes(body))
