"""What is covered: arithmetic over intervals, compared with sets of whole seconds."""

from __future__ import annotations

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from nilometer.core.statistics import Covered
from nilometer.core.statistics.coverage import DAY, HOUR, Span, gaps, seconds, union, within, without

EDGE = st.integers(0, 40)
COVERED = st.builds(Covered, EDGE, EDGE, st.sampled_from([0.0, 500.0, 2 * HOUR, DAY, 2 * DAY + HOUR, 99 * DAY, 100 * DAY]))
SPANS = st.lists(EDGE, max_size=8, unique=True).map(sorted).map(lambda e: [Span(*pair) for pair in zip(e[::2], e[1::2])])  # noqa: B905 the last may be alone


def times(found: list[Covered] | list[Span]) -> set[int]:
    """Return the whole seconds that intervals have."""
    return {second for each in found for second in range(math.ceil(each.begin), math.ceil(each.end))}


@given(st.lists(COVERED, max_size=8))
def test_a_union_covers_the_same_without_overlaps(found: list[Covered]) -> None:
    merged = union(found)
    assert times(merged) == times(found)
    assert all(one.end <= other.begin for one, other in itertools.pairwise(merged))
    assert union(merged) == merged


@given(st.lists(COVERED, max_size=8))
def test_a_union_says_no_later_when_something_was_noted_than_it_was(found: list[Covered]) -> None:
    merged = union(found)
    for second in times(found):
        first = min(each.noted for each in found if each.begin <= second < each.end)
        said = next(each.noted for each in merged if each.begin <= second < each.end)
        assert said <= first


def test_what_is_noted_again_and_again_stays_few_intervals_that_know_their_age() -> None:
    covered: list[Covered] = []
    for minute in range(0, 3 * 1440, 2):
        covered = union([*covered, Covered(minute * 60, minute * 60 + 120, minute * 60)])
    assert times(covered) == set(range(3 * 1440 * 60))
    assert len(covered) < 50
    last = (3 * 1440 - 2) * 60
    assert all(each.end - each.begin <= (HOUR if last - each.noted < DAY else DAY) + 120 for each in covered)


@given(st.lists(COVERED, max_size=8), EDGE, EDGE)
def test_gaps_are_what_is_not_covered(found: list[Covered], begin: int, end: int) -> None:
    left = gaps(found, begin, end)
    assert times(left) == set(range(begin, end)) - times(found)
    assert all(each.begin < each.end for each in left)
    assert seconds(left) == len(times(left))
    parts = list(within(union(found), begin, end))
    assert times(parts) == set(range(begin, end)) & times(found)


@given(SPANS, SPANS)
def test_spans_without_others(spans: list[Span], gone: list[Span]) -> None:
    assert times(without(spans, gone)) == times(spans) - times(gone)
