"""The text of a client's lines: whatever is sent is one line, which a server reads as what was meant."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nilometer.emit.client import line
from nilometer.emit.client.losses import Lost
from nilometer.ingest._reference.line import read
from nilometer.ingest._reference.reading import Value

ANY_TEXT = st.text(max_size=30)
NAMES = st.text(min_size=1, max_size=30).filter(lambda name: not set(name) & set(";,#[]"))
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
RATES = st.just(1.0) | st.floats(min_value=1e-9, max_value=1, exclude_min=True)
PAIRS = st.lists(st.tuples(ANY_TEXT, ANY_TEXT), max_size=4).map(tuple)
TAGGED = [dialect for dialect in line.DIALECTS if dialect != "none"]


def written(name: str, value: float, rate: float, tags: line.Pairs, dialect: str) -> str:
    head = line.head("", name, tags, dialect)
    return f"{head.before}{line.number(value)}|c{line.sampled(rate)}{head.behind}"


@pytest.mark.parametrize("dialect", line.DIALECTS)
@given(name=NAMES, value=NUMBERS, rate=RATES, tags=PAIRS)
@example(name="a\n:b|c|", value=1e-7, rate=2e-5, tags=(("k\n|,:", "v\nx:1|c,;=#[]"),))
def test_a_server_reads_one_value_with_its_rate(dialect: str, name: str, value: float, rate: float, tags: line.Pairs) -> None:
    text = written(name, value, rate, tags, dialect)
    assert "\n" not in text
    found = read(text.encode("utf-8", "replace"), "auto" if dialect == "none" else dialect, sanitize=False)
    assert len(found.values) == 1, found
    read_value = found.values[0]
    assert isinstance(read_value, Value), found
    assert read_value.samples[0].number == float(value)
    assert read_value.rate == pytest.approx(rate, rel=1e-5)


@pytest.mark.parametrize("dialect", TAGGED)
@given(
    keys=st.sets(st.from_regex(r"[a-z][a-z0-9_.]{0,9}", fullmatch=True), min_size=1, max_size=4),
    value=st.from_regex(r"[a-z0-9/-]{1,9}", fullmatch=True),
)
def test_a_server_reads_the_tags(dialect: str, keys: set[str], value: str) -> None:
    tags = tuple((key, value) for key in sorted(keys))
    found = read(written("name", 1, 1, tags, dialect).encode(), dialect, sanitize=False)
    assert sorted(found.tags) == sorted(f"{key}:{value}" for key, value in tags)


def test_tags_are_left_out_where_there_are_none() -> None:
    assert written("a", 1, 1, (("k", "v"),), "none") == "a:1|c"


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (None, ()),
        ({"a": 1, "b": "x"}, (("a", "1"), ("b", "x"))),
        ([("a", 1)], (("a", "1"),)),
        (["a:1:2", "flag"], (("a", "1:2"), ("flag", ""))),
    ],
)
def test_tags_are_given_in_three_ways(tags: line.Tags, expected: line.Pairs) -> None:
    assert line.pairs(tags) == expected


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "x", None, object(), 1 + 2j, "1e999"])
def test_what_is_no_finite_number_is_lost(value: object) -> None:
    with pytest.raises(Lost, match="value"):
        line.number(value)


@pytest.mark.parametrize("rate", [0, -1, 1.5, math.nan, "x", None])
def test_what_is_no_rate_is_lost(rate: float) -> None:
    with pytest.raises(Lost, match="value"):
        line.sampled(rate)


def test_booleans_are_numbers_on_the_wire() -> None:
    assert line.number(value=True) == "1"


@pytest.mark.parametrize(
    ("value", "delta", "expected"),
    [(5, False, "g:5|g"), (-5, False, "g:0|g\ng:-5|g"), (5, True, "g:+5|g"), (-2.5, True, "g:-2.5|g"), (0, True, "g:+0|g")],
)
def test_a_gauge_below_zero_is_set_and_not_changed(value: float, delta: int, expected: str) -> None:
    assert line.gauge(line.Head("g:", ""), value, 1, delta=bool(delta)) == expected


def test_an_event_tells_its_lengths_in_bytes() -> None:
    text = line.event("Über", "two\nlines", [("t", "error"), ("h", None)], (("env", "prod"),))
    assert text == "_e{5,10}:Über|two\\nlines|t:error|#env:prod"
    notice = read(text.encode(), "dogstatsd", sanitize=False).notice
    assert notice is not None
    assert notice["title"] == "Über"


def test_a_check_ends_with_its_message() -> None:
    text = line.check("db|\nx", 2, [("d", 7), ("h", "web1")], (("a", "b"),), "m: slow\nvery")
    assert text == "_sc|db__x|2|d:7|h:web1|#a:b|m:m\\: slow\\nvery"
    assert read(text.encode(), "dogstatsd", sanitize=False).notice is not None
