"""What the table service's storage rests on: normal forms, and bytes that sort as values do."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tableservice.conditions import Condition, passes
from tableservice.values import EXACT, after, normal, sortable, written

NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9) | st.builds(
    lambda digits, exponent, sign: Decimal((sign, tuple(map(int, str(digits))), exponent)),
    st.integers(1, 10**12),
    st.integers(-110, 100),
    st.sampled_from([0, 1]),
)


@given(NUMBERS, NUMBERS)
def test_numbers_sort_by_their_bytes(one: Decimal, other: Decimal) -> None:
    first, second = (sortable(normal({"N": str(number)})) for number in (one, other))
    assert (first < second, first == second) == (one < other, one == other)


@given(NUMBERS)
def test_a_number_has_one_text_and_keeps_its_value(number: Decimal) -> None:
    text = written(number)
    assert Decimal(text) == number
    assert written(Decimal(text)) == text == written(EXACT.normalize(number))


@given(st.binary(max_size=4), st.binary(max_size=6))
def test_after_a_prefix_is_the_first_that_does_not_begin_with_it(prefix: bytes, other: bytes) -> None:
    end = after(prefix)
    inside = prefix <= other and (end is None or other < end)
    assert inside == other.startswith(prefix)


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ({"N": "1.50"}, {"N": "1.5"}),
        ({"N": "-0"}, {"N": "0"}),
        ({"N": "1e3"}, {"N": "1000"}),
        ({"NS": ["2", "1.0", "1"]}, {"NS": ["1", "2"]}),
        ({"SS": ["b", "a", "b"]}, {"SS": ["a", "b"]}),
        ({"S": ""}, {"S": ""}),
    ],
)
def test_normal_forms(value: dict[str, object], form: dict[str, object]) -> None:
    assert normal(value) == form


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"S": "a", "N": "1"},
        {"S": 1},
        {"S": "\0"},
        {"S": "\ud800"},
        {"N": "1" * 39},
        {"N": "1E126"},
        {"N": "1E-131"},
        {"N": "NaN"},
        {"N": "Infinity"},
        {"N": ""},
        {"B": "a"},
        {"SS": []},
        {"SS": ["a", 1]},
        {"M": {}},
    ],
)
def test_what_is_no_value(value: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"value|number|beyond|base64|text"):
        normal(value)


ITEM = {"n": {"N": "5"}, "s": {"S": "hello"}, "t": {"SS": ["a", "b"]}, "b": {"B": "aGVsbG8="}}


@pytest.mark.parametrize(
    ("attribute", "operator", "values", "passed"),
    [
        ("n", "EQ", [{"N": "5"}], True),
        ("n", "NE", [{"N": "5"}], False),
        ("n", "LT", [{"N": "10"}], True),
        ("n", "GE", [{"N": "10"}], False),
        ("n", "LT", [{"S": "9"}], False),
        ("n", "BETWEEN", [{"N": "1"}, {"N": "5"}], True),
        ("n", "BEGINS_WITH", [{"N": "5"}], False),
        ("n", "IN", [{"N": "4"}, {"N": "5"}], True),
        ("s", "BEGINS_WITH", [{"S": "he"}], True),
        ("s", "CONTAINS", [{"S": "ell"}], True),
        ("s", "NOT_CONTAINS", [{"S": "ell"}], False),
        ("s", "GT", [{"S": "hell"}], True),
        ("s", "LE", [{"S": "hell"}], False),
        ("t", "CONTAINS", [{"S": "b"}], True),
        ("t", "CONTAINS", [{"N": "1"}], False),
        ("b", "CONTAINS", [{"B": "ZWw="}], True),
        ("none", "NULL", [], True),
        ("n", "NOT_NULL", [], True),
        ("none", "NE", [{"N": "5"}], False),
    ],
)
def test_filters(attribute: str, operator: str, values: list[dict[str, str]], passed: object) -> None:
    assert passes(ITEM, {attribute: Condition(operator, values)}) is passed  # type: ignore[arg-type]  # an operator by its name
