"""The codec of blocks: every float comes back, few bytes, nothing believed."""

from __future__ import annotations

import itertools
import math
import random
import struct
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.history import block

START, PERIOD = 3600, 3600
EVERY_TEN = range(START + 10, START + PERIOD, 10)
BITS = st.integers(0, 2**64 - 1).map(lambda bits: struct.unpack("<d", struct.pack("<Q", bits))[0])
DECIMALS = st.builds(lambda number, scale: number / 10**scale, st.integers(-(10**9), 10**9), st.integers(0, 5))
VALUES = st.one_of(
    BITS, DECIMALS, st.integers(-(2**60), 2**60).map(float), st.sampled_from([0.0, -0.0, math.nan, math.inf, 2.0**51])
)


@st.composite
def periods(draw: st.DrawFn) -> tuple[list[int], list[array[float]]]:
    times = sorted(draw(st.sets(st.integers(START, START + PERIOD - 1), min_size=1, max_size=60)))
    kind = draw(st.sampled_from([BITS, DECIMALS, VALUES, st.sampled_from([1.5, 2.5])]))
    column = st.lists(kind, min_size=len(times), max_size=len(times)).map(lambda values: array("d", values))
    return times, draw(st.lists(column, min_size=1, max_size=2))


def same(one: array[float], other: array[float]) -> bool:
    return one.tobytes() == other.tobytes()


@given(periods())
def test_every_point_comes_back_bit_for_bit(period: tuple[list[int], list[array[float]]]) -> None:
    times, columns = period
    back = block.decode(block.encode(START, times, columns), START, PERIOD, len(columns))
    assert list(back.times) == times
    assert all(map(same, back.columns, columns))


@pytest.mark.parametrize("odd", [math.nan, -math.nan, math.inf, -math.inf, -0.0, 2.0**51, 1e18, 0.1 + 0.2, 5e-324])
def test_one_odd_value_among_whole_numbers_comes_back(odd: float) -> None:
    values = array("d", [1.0, odd, 3.0, 1.25])
    back = block.decode(block.encode(START, EVERY_TEN[:4], [values]), START, PERIOD)
    assert same(back.columns[0], values)


@given(st.lists(st.lists(st.integers(1, 10**7).map(lambda cents: cents / 100), min_size=1, max_size=12), min_size=1))
def test_sums_of_decimals_lose_their_noise(windows: list[list[float]]) -> None:
    totals = array("d", map(sum, windows))
    assert list(block.cleaned(totals)) == [round(total, 2) for total in totals]


@given(st.lists(BITS, min_size=1).map(lambda values: array("d", values)))
def test_cleaning_changes_no_value_by_more_than_noise(totals: array[float]) -> None:
    for one, other in zip(totals, block.cleaned(totals), strict=True):
        assert one == other or abs(one - other) <= abs(one) * 2.0**-48 or (math.isnan(one) and math.isnan(other))


@given(st.binary(max_size=80))
def test_hostile_bytes_are_refused_or_are_points_of_the_period(body: bytes) -> None:
    data = block.sealed(bytes((block.VERSION,)) + body)
    try:
        points = block.decode(data, START, PERIOD)
    except block.Damaged:
        return
    assert 0 < len(points.times) <= PERIOD
    assert START <= points.times[0] <= points.times[-1] < START + PERIOD
    assert len(points.columns[0]) == len(points.times)


@given(periods(), st.data())
def test_a_changed_byte_is_noticed(period: tuple[list[int], list[array[float]]], data: st.DataObject) -> None:
    whole = bytearray(block.encode(START, *period))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(block.Damaged):
        block.decode(bytes(whole), START, PERIOD, len(period[1]))


@pytest.mark.parametrize("data", [b"", b"\1", b"\0" * 20])
def test_what_is_too_short_or_unsealed_is_damaged(data: bytes) -> None:
    with pytest.raises(block.Damaged, match="checksum"):
        block.decode(data, START, PERIOD)


def test_a_time_outside_the_period_is_damaged() -> None:
    data = block.encode(START, [START + PERIOD], [array("d", [1.0])])
    with pytest.raises(block.Damaged, match="outside"):
        block.decode(data, START, PERIOD)


def test_another_number_of_columns_is_damaged() -> None:
    data = block.encode(START, [START], [array("d", [1.0])] * 2)
    with pytest.raises(block.Damaged, match="columns"):
        block.decode(data, START, PERIOD)


def test_a_column_that_inflates_to_more_than_it_says_is_damaged() -> None:
    head = bytes((block.VERSION, 2, 0, 1, 1, block.FLOATS))
    bomb = block._packed(array("d", [1.0] * 100_000))
    with pytest.raises(block.Damaged, match="length"):
        block.decode(block.sealed(head + bomb), START, PERIOD)


def size(values: list[float]) -> float:
    return len(block.encode(START, EVERY_TEN[: len(values)], [array("d", values)])) / len(values)


def test_usual_series_take_few_bytes_a_point() -> None:
    chance = random.Random(3)  # noqa: S311 not a secret
    walk = [50_000]
    while len(walk) < 355:
        walk.append(walk[-1] + chance.randint(-100, 100))
    assert size([value / 100 for value in walk]) < 1.25
    assert size([float(chance.randint(0, 60)) for _ in range(355)]) < 1.0
    assert size([chance.randint(0, 600) / 10 for _ in range(355)]) < 1.7
    assert size([0.0] * 355) < 0.1
    assert size([float(value) for value in range(7, 355 * 40, 40)]) < 0.1


def test_regular_times_come_back_as_a_range_and_cost_nothing() -> None:
    values = [array("d", [1.0] * len(EVERY_TEN))]
    regular = block.encode(START, EVERY_TEN, values)
    assert block.decode(regular, START, PERIOD).times == EVERY_TEN
    assert len(block.encode(START, list(EVERY_TEN), values)) == len(regular) < 25


@pytest.mark.parametrize("times", [[], [5], [5, 6], [5, 15, 25], [5, 15, 26], [5, 15, 16, 25]])
def test_regular_finds_the_step_or_leaves_the_times(times: list[int]) -> None:
    found = block.regular(times)
    assert list(found) == times
    steps = {later - earlier for earlier, later in itertools.pairwise(times)}
    assert isinstance(found, range) == (bool(times) and len(steps) <= 1)
