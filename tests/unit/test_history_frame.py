"""Hot rows: values of a group at one time, turned into columns."""

from __future__ import annotations

import math
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.history import frame
from nilometer.history.block import Damaged

SIZE = 11
ROW = st.dictionaries(st.integers(0, SIZE - 1), st.floats(allow_nan=False), min_size=1)


@given(ROW)
def test_a_row_comes_back(points: dict[int, float]) -> None:
    assert frame.unpack(frame.pack(points, SIZE), SIZE) == points


@given(st.lists(ROW, max_size=12), st.sets(st.integers(0, SIZE - 1)))
def test_columns_hold_what_the_rows_hold(rows: list[dict[int, float]], wanted: set[int]) -> None:
    packed = [(100 + 10 * turn, frame.pack(points, SIZE)) for turn, points in enumerate(rows)]
    expected: dict[int, dict[int, float]] = {}
    for time, points in zip(range(100, 1000, 10), rows, strict=False):
        for slot in points.keys() & wanted:
            expected.setdefault(slot, {})[time] = points[slot]
    found = frame.columns(packed, SIZE, wanted)
    assert {slot: dict(zip(*column, strict=True)) for slot, column in found.items()} == expected


@given(st.lists(st.sets(st.integers(0, 249), min_size=100), min_size=1, max_size=4), st.sets(st.integers(0, 249), max_size=5))
def test_few_columns_of_wide_rows_hold_what_the_rows_hold(rows: list[set[int]], wanted: set[int]) -> None:
    points = [{slot: slot + turn / 4 for slot in slots} for turn, slots in enumerate(rows)]
    found = frame.columns([(turn, frame.pack(row, 250)) for turn, row in enumerate(points)], 250, wanted)
    assert {slot: dict(zip(*column, strict=True)) for slot, column in found.items()} == {
        slot: {turn: row[slot] for turn, row in enumerate(points) if slot in row} for slot in wanted & set().union(*rows)
    }


def test_values_stay_as_they_are() -> None:
    found = frame.unpack(frame.pack({0: math.nan, 3: -0.0, 10: math.inf}, SIZE), SIZE)
    assert math.isnan(found[0])
    assert math.copysign(1, found[3]) == -1
    assert found[10] == math.inf


@pytest.mark.parametrize("row", [b"", b"\0\0", b"\1\0", b"\1\0" + b"\0" * 7, b"\0\x08" + b"\0" * 8, b"\1\0" + b"\0" * 16])
def test_what_is_no_row_is_damaged_and_left_out(row: bytes) -> None:
    with pytest.raises(Damaged, match="row of values from 7"):
        frame.columns([(7, row)], SIZE)
    good = (8, frame.pack({1: 2.0}, SIZE))
    told: list[tuple[int, Damaged]] = []
    assert frame.sound([(7, row), good], SIZE, lambda *each: told.append(each)) == [good]
    assert [(time, str(error)) for time, error in told] == [(7, "a row of values from 7 is damaged")]


def test_a_row_is_a_bitmap_and_little_endian_floats() -> None:
    assert frame.pack({8: 1.0, 0: 2.0}, SIZE).hex() == "0101" + "0000000000000040" + "000000000000f03f"
    assert frame.floats(array("d", [1.0])).hex() == "000000000000f03f"
