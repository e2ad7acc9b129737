"""A hot row: the values of one group of series at one timestamp.

Layout: a bitmap, one bit a slot of the group, the lowest bit of the first byte first; then a float64, little endian, for
each bit that is set. A series' slot is its id modulo the size of the group, its group the id divided by it.
"""

from __future__ import annotations

import struct
import sys
from array import array
from operator import sub
from typing import TYPE_CHECKING, NamedTuple

from nilometer.history.block import Damaged, regular

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping, Sequence

BIG = sys.byteorder == "big"
FEW = 16
"""Columns are taken one by one where they are less than one in so many."""


class Column(NamedTuple):
    """The points of one slot, ascending."""

    times: Sequence[int]
    values: array[float]


def width(size: int) -> int:
    """Return the bytes of the bitmap of a group of `size`."""
    return (size + 7) // 8


def bitmap(slots: Iterable[int], size: int) -> bytes:
    """Return the bitmap of a group of `size` with the slots set."""
    bits = 0
    for slot in slots:
        bits |= 1 << slot
    return bits.to_bytes(width(size), "little")


def slots_of(mask: bytes) -> list[int]:
    """Return the slots that are set, ascending."""
    bits = int.from_bytes(mask, "little")
    return [slot for slot in range(bits.bit_length()) if bits >> slot & 1]


def floats(values: array[float]) -> bytes:
    """Return the values' bytes, little endian."""
    if BIG:
        values = values[:]
        values.byteswap()
    return values.tobytes()


def pack(points: Mapping[int, float], size: int) -> bytes:
    """Return the row that holds a value for each slot."""
    slots = sorted(points)
    return bitmap(slots, size) + floats(array("d", [points[slot] for slot in slots]))


def unpack(row: bytes, size: int) -> dict[int, float]:
    """Return the value of each slot. Raise `Damaged` when the row is none."""
    return {slot: column.values[0] for slot, column in columns([(0, row)], size).items()}


def columns(rows: Sequence[tuple[int, bytes]], size: int, wanted: Container[int] | None = None) -> dict[int, Column]:
    """Turn rows ``(time, data)``, ascending, into a column for each slot (of those wanted).

    Raise `Damaged` for what is no row.
    """
    wide = width(size)
    pieces: dict[int, list[Column]] = {}
    start = 0
    while start < len(rows):
        mask = rows[start][1][:wide]
        end = start
        while end < len(rows) and rows[end][1][:wide] == mask:
            end += 1
        for slot, column in _run(rows[start:end], mask, size, wanted):
            pieces.setdefault(slot, []).append(column)
        start = end
    return {slot: _joined(found) for slot, found in pieces.items()}


def sound(rows: Sequence[tuple[int, bytes]], size: int, damaged: Callable[[int, Damaged], None]) -> list[tuple[int, bytes]]:
    """Return the rows that are whole; `damaged` is called with the time of each other one and what is wrong."""
    whole = []
    for time, data in rows:
        slots = int.from_bytes(data[: width(size)], "little")
        if 0 < slots < 1 << size and len(data) == width(size) + 8 * slots.bit_count():
            whole.append((time, data))
        else:
            damaged(time, Damaged(f"a row of values from {time} is damaged"))
    return whole


def _run(rows: Sequence[tuple[int, bytes]], mask: bytes, size: int, wanted: Container[int] | None) -> list[tuple[int, Column]]:
    """Return the columns of rows that hold the same slots."""
    wide, slots = width(size), slots_of(mask)
    if not slots or slots[-1] >= size or any(len(data) != wide + 8 * len(slots) for _, data in rows):
        message = f"a row of values from {rows[0][0]} is damaged"
        raise Damaged(message)
    places = [place for place, slot in enumerate(slots) if wanted is None or slot in wanted]
    if not places:
        return []
    times = regular([time for time, _ in rows])
    columns = _some(rows, wide, places) if len(places) * FEW < len(slots) else _all(rows, wide, places, len(slots))
    return [(slots[place], Column(times, values)) for place, values in zip(places, columns, strict=True)]


def _all(rows: Sequence[tuple[int, bytes]], wide: int, places: Sequence[int], count: int) -> Iterable[array[float]]:
    """Yield the columns at some places of rows with `count` values, by way of all of them."""
    values = array("d", b"".join([data[wide:] for _, data in rows]))
    if BIG:
        values.byteswap()
    return (values[place::count] for place in places)


def _some(rows: Sequence[tuple[int, bytes]], wide: int, places: Sequence[int]) -> Iterable[array[float]]:
    """Yield the columns at few places, ascending: no other value is looked at."""
    gaps = map(sub, places, [-1, *places])
    unpack = struct.Struct(f"<{wide}x" + "".join(f"{8 * (gap - 1)}xd" for gap in gaps)).unpack_from
    return (array("d", column) for column in zip(*(unpack(data) for _, data in rows), strict=True))


def _joined(pieces: Sequence[Column]) -> Column:
    if len(pieces) == 1:
        return pieces[0]
    times, values = array("q"), array("d")
    for piece in pieces:
        times.extend(piece.times)
        values.extend(piece.values)
    return Column(regular(times), values)
