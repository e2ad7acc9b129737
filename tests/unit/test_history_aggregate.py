"""Roll-ups: which rule a name has, and what it makes of points."""

from __future__ import annotations

import math
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.history import aggregate
from nilometer.history.aggregate import Buckets, Rule

RULES = {
    "stats.counters.a.count": Rule.SUM,
    "stats.counters.a.rate": Rule.MEAN,
    "stats.counters.a.count;host=max": Rule.SUM,
    "stats_counts.a": Rule.SUM,
    "stats.a": Rule.MEAN,
    "stats.timers.a.count_ps": Rule.MEAN,
    "stats.timers.a.count_90": Rule.SUM,
    "stats.timers.a.count_top10": Rule.SUM,
    "stats.timers.a.sum": Rule.SUM,
    "stats.timers.a.sum_99_9": Rule.SUM,
    "stats.timers.a.sum_squares_90": Rule.SUM,
    "stats.timers.a.histogram.bin_10": Rule.SUM,
    "stats.timers.a.histogram.bin_inf": Rule.SUM,
    "stats.timers.a.histogram.le_10": Rule.SUM,
    "stats.timers.a.upper": Rule.MAXIMUM,
    "stats.timers.a.upper_90": Rule.MAXIMUM,
    "stats.timers.a.lower_top10": Rule.MINIMUM,
    "stats.timers.a.lower": Rule.MINIMUM,
    "stats.timers.a.mean_90": Rule.MEAN,
    "stats.timers.a.median": Rule.MEAN,
    "stats.timers.a.std": Rule.MEAN,
    "stats.gauges.discount": Rule.MEAN,
    "stats.gauges.load.max": Rule.MAXIMUM,
    "stats.gauges.load.min": Rule.MINIMUM,
    "count": Rule.SUM,
}


@pytest.mark.parametrize("path", RULES)
def test_the_name_decides(path: str) -> None:
    assert aggregate.rule_of(path) is RULES[path]


def test_the_suffix_of_every_path_is_no_part_of_the_name() -> None:
    assert aggregate.rule_of("stats.counters.a.count.eu;x=1", "eu") is Rule.SUM
    assert aggregate.rule_of("stats.counters.a.count.eu") is Rule.MEAN


def made(rule: Rule, points: dict[int, float], step: int) -> dict[int, float]:
    result = aggregate.buckets(rule, aggregate.single(list(points), array("d", points.values())), step)
    return dict(zip(result.times, result.values(rule), strict=True))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [(Rule.SUM, [6.0, 4.0]), (Rule.MEAN, [2.0, 4.0]), (Rule.MAXIMUM, [3.0, 4.0]), (Rule.MINIMUM, [1.0, 4.0])],
)
def test_points_of_one_step_are_one(rule: Rule, expected: list[float]) -> None:
    points = {60: 1.0, 70: 2.0, 119: 3.0, 180: 4.0}
    assert made(rule, points, 60) == dict(zip([60, 180], expected, strict=True))


@pytest.mark.parametrize("rule", Rule)
def test_nan_is_left_out(rule: Rule) -> None:
    found = made(rule, {60: math.nan, 70: 2.0, 120: math.nan}, 60)
    assert found[60] == 2.0
    assert math.isnan(found[120])


@given(
    st.sampled_from(Rule),
    st.dictionaries(st.integers(0, 1000), st.one_of(st.just(math.nan), st.integers(-1000, 1000).map(float)), min_size=1),
)
def test_a_roll_up_of_a_roll_up_is_exact(rule: Rule, points: dict[int, float]) -> None:
    ordered = dict(sorted(points.items()))
    raw = aggregate.single(list(ordered), array("d", ordered.values()))
    twice = aggregate.buckets(rule, aggregate.buckets(rule, raw, 20), 100)
    once = aggregate.buckets(rule, raw, 100)
    assert list(twice.times) == list(once.times)
    assert twice.numbers == once.numbers
    assert repr(twice.totals) == repr(once.totals)


def test_what_is_made_anew_lies_above_what_is_there() -> None:
    older = Buckets([0, 60], array("d", [1.0, 2.0]), array("d", [1.0, 1.0]))
    newer = Buckets([60, 180], array("d", [5.0, 6.0]), array("d", [2.0, 3.0]))
    both = aggregate.overlaid(older, newer)
    assert (list(both.times), list(both.totals), list(both.numbers)) == ([0, 60, 180], [1.0, 5.0, 6.0], [1.0, 2.0, 3.0])


POINTS = st.dictionaries(st.integers(0, 30), st.integers(0, 9).map(float)).map(lambda points: dict(sorted(points.items())))


@given(POINTS, POINTS)
def test_overlaying_is_updating(older: dict[int, float], newer: dict[int, float]) -> None:
    one, other = (aggregate.single(list(points), array("d", points.values())) for points in (older, newer))
    both = aggregate.overlaid(one, other)
    assert dict(zip(both.times, both.totals, strict=True)) == older | newer
    assert list(both.times) == sorted(older | newer)
