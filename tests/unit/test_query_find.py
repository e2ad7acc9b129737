"""Patterns mean the paths that they mean in Graphite; tags are found by their expressions; points stand in their slots."""

from __future__ import annotations

import fnmatch
import math
import re
from array import array
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.core.capability import Series
from nilometer.query import find, grid, patterns
from nilometer.query.find import Node
from nilometer.query.grid import Slots, Span
from nilometer.query.limits import QueryError, TooMuch
from nilometer.testing.series import Shelf

if TYPE_CHECKING:
    from collections.abc import Sequence

PATHS = (
    "web.one.cpu.user",
    "web.one.cpu.system",
    "web.one.load",
    "web.two.cpu.user",
    "web.two",
    "db.ten.cpu.user",
    "requests;code=200;dc=east",
    "requests;code=500;dc=east",
    "requests;code=500;dc=west",
    "errors;dc=west",
    "tagged.only;dc=west",
    "web.one.zone;dc=west",
)
SHELF = Shelf({path: {1000: 1.0} for path in PATHS})


@pytest.mark.parametrize(
    ("pattern", "paths"),
    [
        ("web.one.load", ["web.one.load"]),
        ("web.*.load", ["web.one.load"]),
        ("*.*", ["web.two"]),
        ("web.{one,two}.cpu.*", ["web.one.cpu.system", "web.one.cpu.user", "web.two.cpu.user"]),
        ("*.t[we]?.cpu.user", ["db.ten.cpu.user", "web.two.cpu.user"]),
        ("*.[!t]*.load", ["web.one.load"]),
        ("web.**", ["web.one.cpu.system", "web.one.cpu.user", "web.one.load", "web.two", "web.two.cpu.user"]),
        ("**.user", ["db.ten.cpu.user", "web.one.cpu.user", "web.two.cpu.user"]),
        ("w{e{a,b},x}.{o,t}*.load", ["web.one.load"]),
        ("requests;code=500;dc=west", ["requests;code=500;dc=west"]),
        ("requests", []),
        ("req*", []),
        ("web", []),
        ("web.o?e", []),
    ],
)
def test_leaves(pattern: str, paths: Sequence[str]) -> None:
    assert find.leaves(SHELF, pattern) == paths


@pytest.mark.parametrize(
    ("pattern", "nodes"),
    [
        ("*", [("db", False), ("web", False)]),
        ("web.*", [("web.one", False), ("web.two", False), ("web.two", True)]),
        ("web.two", [("web.two", False), ("web.two", True)]),
        ("*.*.cpu", [("db.ten.cpu", False), ("web.one.cpu", False), ("web.two.cpu", False)]),
        ("w*.o*.{cpu,load}", [("web.one.cpu", False), ("web.one.load", True)]),
        (
            "web.one.**",
            [("web.one.cpu", False), ("web.one.load", True), ("web.one.cpu.system", True), ("web.one.cpu.user", True)],
        ),
        ("nothing.*", []),
        ("t*", []),
        ("tagged", []),
        ("web.one", [("web.one", False)]),
        ("web.one.*", [("web.one.cpu", False), ("web.one.load", True)]),
        ("requests;code=500;dc=west", [("requests;code=500;dc=west", True)]),
    ],
)
def test_nodes(pattern: str, nodes: Sequence[tuple[str, bool]]) -> None:
    assert find.nodes(SHELF, pattern) == [Node(*node) for node in nodes]


@pytest.mark.parametrize(
    ("expressions", "paths"),
    [
        (["name=errors"], ["errors;dc=west"]),
        (["name=tagged.only"], ["tagged.only;dc=west"]),
        (["dc=east"], ["requests;code=200;dc=east", "requests;code=500;dc=east"]),
        (["name=requests", "code!=200"], ["requests;code=500;dc=east", "requests;code=500;dc=west"]),
        (["dc=~w.*", "code=", "name=errors"], ["errors;dc=west"]),
        (["dc!=", "code!=~5..", "name=~(err|req)"], ["errors;dc=west", "requests;code=200;dc=east"]),
        (["name=~web\\.t"], []),
        (["name=web.two"], []),
        (["name=~(req|err)", "dc=~e"], ["requests;code=200;dc=east", "requests;code=500;dc=east"]),
        (["dc=south"], []),
    ],
)
def test_tags(expressions: list[str], paths: Sequence[str]) -> None:
    assert find.by_tags(SHELF, expressions) == sorted(paths)


@pytest.mark.parametrize(
    ("expressions", "problem"),
    [
        (["dc"], "no tag expression"),
        (["dc!=x"], "at least one"),
        (["dc=~("], "no regular expression"),
        (["dc=~.*"], "at least one"),
    ],
)
def test_tag_expressions_that_cannot_be_answered(expressions: list[str], problem: str) -> None:
    with pytest.raises(QueryError, match=problem):
        find.by_tags(SHELF, expressions)


def test_folders_are_jumped_over(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [
        "a",
        "a-b",
        *(f"a.{number:04}" for number in range(2000)),
        "a.z.deep",
        *(f"b;n={number:04}" for number in range(2000)),
        "c.d",
    ]
    shelf = Shelf({name: {} for name in names})
    looks: list[str] = []
    found = shelf.find

    def noted(pattern: str, limit: int, after: str = "") -> list[str]:
        looks.append(after)
        return found(pattern, limit, after)

    monkeypatch.setattr(shelf, "find", noted)
    assert find.nodes(shelf, "*") == [
        Node("a", is_leaf=False),
        Node("a", is_leaf=True),
        Node("a-b", is_leaf=True),
        Node("c", is_leaf=False),
    ]
    assert len(looks) <= 4
    assert len(find.nodes(shelf, "a.*")) == 2001


def test_looking_through_too_many_paths_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find, "MOST_PATHS", 3)
    with pytest.raises(TooMuch, match="more than 3 series"):
        find.leaves(SHELF, "*.*")


def test_braces_that_do_not_match_are_themselves() -> None:
    assert patterns.compiled("a{b").match("a{b")
    assert patterns.compiled("a,b").match("a,b")
    with pytest.raises(QueryError, match="braces"):
        patterns.compiled("}a{")


@given(st.text(alphabet="ab.*?[]{},!-", max_size=10), st.text(alphabet="ab.c", min_size=1, max_size=8))
def test_what_a_pattern_matches_its_superset_matches(pattern: str, path: str) -> None:
    try:
        matches = patterns.compiled(pattern).match(path)
    except QueryError:
        return
    if matches:
        assert re.match(fnmatch.translate(patterns.superset(pattern)), path)


def series(times: Sequence[int], values: Sequence[float]) -> Series:
    return Series("a", times, values)


def slots(points: Series, start: int, end: int) -> Slots:
    return grid.slots(points, Span(start, end, end - start), 10)


def test_slots_begin_after_the_start_and_hold_the_end() -> None:
    found = slots(series([1000, 1010, 1020, 1030], [1, 2, 3, 4]), 1000, 1020)
    assert found == ("a", 1010, 1030, 10, [2, 3])
    assert slots(series([1005, 1015], [1, 2]), 1003, 1017) == ("a", 1010, 1020, 10, [2])
    assert slots(series([], []), 1001, 1002) == ("a", 1010, 1020, 10, [None])


def test_the_last_point_of_a_slot_counts_and_nan_is_nothing() -> None:
    assert slots(series([1011, 1019, 1020], [1, 2, math.nan]), 1000, 1020).values == [2, None]


@given(st.integers(900, 1200), st.integers(1, 200), st.integers(990, 1100), st.integers(1, 99), st.booleans())
def test_points_at_a_regular_step_stand_where_all_others_do(begin: int, count: int, start: int, length: int, nan: bool) -> None:  # noqa: FBT001 one of two
    times = range(begin, begin + 10 * count, 10)
    values = array("d", [math.nan if nan and not place else place for place in range(count)])
    assert slots(Series("a", times, values), start, start + length) == slots(series(list(times), values), start, start + length)


@pytest.mark.parametrize(
    ("step", "length", "wide"),
    [
        (10, 655_360, 10),
        (10, 655_370, 60),
        (10, 30 * 86_400, 60),
        (1, 365 * 86_400, 600),
        (7, 10**6, 21),
        (86_400, 10**9, 86_400),
        (10, 10**11, 1_525_880),
    ],
)
def test_long_ranges_have_wider_steps(step: int, length: int, wide: int) -> None:
    assert grid.wide_step(step, length) == wide


@pytest.mark.parametrize(
    ("name", "value"), [("a.count", 18.0), ("a.upper_90", 5.0), ("a.lower", 1.0), ("a.mean", 3.0), ("a.sum_99_9;dc=east", 18.0)]
)
def test_what_wider_slots_show_depends_on_the_name(name: str, value: float) -> None:
    times, start = range(600_000, 600_060, 10), 600_000 - 86_400 * 30
    found = slots(Series(name, times, [1, 2, 3, 4, 5, 3]), start, 600_119)
    assert (found.step, found.end, found.values[-2:]) == (60, 600_120, [value, None])
    assert len(found.values) == (found.end - found.start) // 60


@pytest.mark.parametrize(
    ("times", "step"),
    [
        ([0, 10, 20, 50, 60], 10),
        (range(0, 300, 60), 60),
        ([0, 60, 70, 130], 60),
        ([1000, 1020, 1050, 1090, 1100], 10),
        ([1001, 1020, 1050, 1090, 1101], 11),
        ([5], 0),
        ([], 0),
        (range(5, 6), 0),
        ([0, 7, 20], 7),
    ],
)
def test_a_step_is_the_commonest_distance(times: Sequence[int], step: int) -> None:
    assert grid.step_of(times) == step


def test_a_step_that_cannot_be_seen_is_that_of_the_series_beside() -> None:
    shelf = Shelf({"a": {1000: 1.0, 1060: 2.0, 1120: 3.0}, "b": {1060: 5.0}})
    assert [(each.step, each.values) for each in grid.read(shelf, ["a", "b"], Span(1000, 1120, 60), 1120)] == [
        (60, [2.0, 3.0]),
        (60, [5.0, None]),
    ]
    assert grid.read(shelf, ["b"], Span(1040, 1069, 60), 1120)[0].step == grid.USUAL_STEP
    assert grid.read(shelf, ["a"], Span(9000, 9060, 60), 1120)[0] == ("a", 9060, 9120, 60, [None])
