"""Sketches of numbers: how far off they are, that they merge, and that no bytes harm who decodes them."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nilometer.core.errors import InputError
from nilometer.core.sketch import ERROR, HEAD, INFINITE, VERSION, Sketch, bucket, decoded, middle

numbers = st.floats(allow_nan=False)
lists = st.lists(numbers, max_size=60)
TINY = 3.5e-310


def near(found: float, exact: float) -> bool:
    return found == exact or abs(found - exact) <= max(abs(exact) * ERROR, TINY)


@given(numbers)
@example(math.inf)
@example(-math.inf)
@example(5e-324)
@example(1.7976931348623157e308)
def test_the_middle_of_a_bucket_is_near_every_number_in_it(value: float) -> None:
    assert near(middle(bucket(value)), value)


@given(numbers, numbers)
def test_buckets_keep_the_order_of_numbers(one: float, other: float) -> None:
    assert (bucket(one) <= bucket(other)) or one > other


@given(st.lists(numbers, min_size=1, max_size=60), st.floats(0, 1))
def test_a_quantile_is_near_the_number_of_that_rank(values: list[float], fraction: float) -> None:
    exact = sorted(values)[max(math.ceil(fraction * len(values)), 1) - 1]
    assert near(Sketch(values).quantile(fraction), exact)


def test_nothing_has_no_quantile() -> None:
    assert math.isnan(Sketch().quantile(0.5))


@given(st.lists(st.integers(-(10**6), 10**6), max_size=60), st.integers(0, 60))
def test_merged_sketches_are_the_sketch_of_all(values: list[int], cut: int) -> None:
    merged = Sketch(map(float, values[:cut]))
    merged.merge(Sketch(map(float, values[cut:])))
    assert merged.encode() == Sketch(map(float, values)).encode()


@given(lists)
def test_a_sketch_survives_the_way_there_and_back(values: list[float]) -> None:
    data = Sketch(values).encode()
    assert Sketch.decode(data).encode() == data


@given(numbers, st.integers(1, 5))
def test_no_quantile_is_beyond_the_lowest_and_the_highest(value: float, count: int) -> None:
    assert Sketch([value] * count).quantile(0.5) == value


@given(st.binary(max_size=80) | st.binary(max_size=40).map(Sketch([1.0, 2.0]).encode().__add__))
def test_garbage_is_an_input_error_or_a_sketch_that_can_be_read(data: bytes) -> None:
    try:
        sketch = Sketch.decode(data)
    except InputError:
        return
    sketch.quantile(0.5)
    sketch.encode()


WHOLE = HEAD.pack(VERSION, 1, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a sketch"),
        (HEAD.pack(9, 1, 0, 0, 0, 0), "not a sketch"),
        (WHOLE[:-1], "not a sketch"),
        (WHOLE + b"\2", "0 numbers in bucket 1"),
        (WHOLE + b"\2\1\0\1", "1 numbers in bucket 1"),
        (WHOLE + b"\2\2", "more of them in its buckets"),
        (WHOLE + b"\x80", "within a number"),
        (WHOLE + b"\x80" * 12, "more than 64 bits"),
        (WHOLE + b"\x82\xff\x0f\1", f"bucket {INFINITE + 1}"),
    ],
)
def test_each_fault_is_named(data: bytes, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        Sketch.decode(data)


def test_a_blocks_sketches_are_none_where_there_is_none_or_an_unknown_one() -> None:
    first, *others = decoded((WHOLE, b"", b"\x09" + WHOLE[1:]), 3)
    assert first is not None
    assert first.encode() == WHOLE
    assert others == decoded((), 2) == [None, None]
