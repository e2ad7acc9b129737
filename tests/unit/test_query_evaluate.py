"""Targets become series: what functions are given is checked, what they ask for is bounded."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

import pytest

from nilometer.query import context
from nilometer.query import evaluate as evaluating
from nilometer.query.evaluate import evaluate
from nilometer.query.functions import TABLE
from nilometer.query.limits import Budget, QueryError, TooMuch
from nilometer.testing.series import Shelf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.capability import Series
    from nilometer.query.series import Points

START, END = 1_000_000, 1_000_060
TIMES = range(START, END + 1, 10)
SHELF = Shelf(
    {
        "web.one.cpu": {time: float(place) for place, time in enumerate(TIMES)},
        "web.two.cpu": {time: 10.0 * place for place, time in enumerate(TIMES) if place != 3},
        "requests;dc=east": dict.fromkeys(TIMES, 5.0),
        "requests;dc=west": dict.fromkeys(TIMES, 7.0),
    }
)


def ask(*targets: str, template: dict[str, str] | None = None) -> list[Points]:
    return evaluate(SHELF, targets, START, END, now=END, zone=UTC, template=template)


def values(target: str) -> list[tuple[str, list[float | None]]]:
    return [(series.name, series.values) for series in ask(target)]


def test_a_path_is_its_series_by_name() -> None:
    one, two = ask("web.*.cpu")
    assert (one.name, one.start, one.end, one.step) == ("web.one.cpu", START + 10, END + 10, 10)
    assert two.values == [10.0, 20.0, None, 40.0, 50.0, 60.0]


def test_targets_follow_each_other() -> None:
    assert [series.name for series in ask("web.two.cpu", " ", "web.one.cpu", "gone.*")] == ["web.two.cpu", "web.one.cpu"]


def test_series_are_found_by_tag() -> None:
    assert values("sum(seriesByTag('name=requests'))") == [("sumSeries(seriesByTag('name=requests'))", [12.0] * 6)]
    assert [name for name, _ in values("seriesByTag('name=requests','dc!=east') | aliasByTags('dc',0)")] == ["west.requests"]


def test_templates_are_filled_in() -> None:
    assert [series.name for series in ask("template(web.$host.cpu, host='one')")] == ["web.one.cpu"]
    assert [series.name for series in ask("template(alias(web.$1.cpu, $2), 'two', 'x')")] == ["x"]
    assert [series.name for series in ask("template(web.$host.cpu, host='one')", template={"host": "two"})] == ["web.two.cpu"]
    (moved,) = ask("template(movingAverage(web.$host.cpu,$n), host='one', n=2)")
    assert moved.values[-1] == 5.5


def test_a_function_may_ask_for_another_range() -> None:
    ((name, shifted),) = values("timeShift(web.one.cpu,'30s')")
    assert name == 'timeShift(web.one.cpu, "-30s")'
    assert shifted == [None, None, 0.0, 1.0, 2.0, 3.0]


def test_values_of_one_target_are_its_own() -> None:
    first, second = ask("scale(web.one.cpu,2)", "web.one.cpu")
    assert first.values == [2.0 * value for value in second.values if value is not None]


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("scael(web.one.cpu,2)", "there is no function 'scael'; did you mean 'scale'"),
        ("scale(web.one.cpu)", r"scale needs an argument factor \(float\)"),
        ("scale(web.one.cpu,'x')", "scale: factor is of type float, not 'x'"),
        ("scale(web.one.cpu,1,2)", "scale takes 2 arguments, not 3"),
        ("scale(web.one.cpu,factor=1,size=2)", "scale takes no further argument 'size'"),
        ("limit(web.*.cpu,1.5)", "limit: n is of type integer, not 1.5"),
        ("sum(1)", "sum: seriesLists is of type seriesList, not 1"),
        ("alias(web.*.cpu,web.*.cpu)", "newName is of type string, not 2 series"),
        ("consolidateBy(web.*.cpu,'most')", "one of sum, average"),
        ("summarize(web.one.cpu,'1 hour')", "intervalString is of type interval"),
        ("summarize(web.one.cpu,'0s')", "no time at all"),
        ("aliasSub(web.one.cpu,'(','')", "no regular expression"),
        ("aliasSub(web.one.cpu,'w',r'\\\\9')", "cannot read"),
        ("aliasSub(web.one.cpu,'w','\\9')", "no replacement"),
        ("groupByNode(web.*.cpu,1,'most')", "callback is of type aggOrSeriesFunc"),
        ("seriesByTag(web.one.cpu)", "takes tag expressions as strings"),
        ("movingAverage(web.one.cpu,0)", "a window of 0 points"),
        ("sinFunction('x',1,0)", "a step of 0 s"),
        ("percentileOfSeries(web.*.cpu,0)", "greater than 0"),
        ("divideSeries(web.*.cpu,web.*.cpu)", "has to be one series, not 2"),
    ],
)
def test_what_cannot_be_evaluated_is_named(target: str, problem: str) -> None:
    with pytest.raises(QueryError, match=problem):
        ask(target)


@pytest.mark.parametrize(
    ("budget", "target", "problem"),
    [
        (Budget(calls=3), "scale(scale(scale(scale(web.one.cpu,1),1),1),1)", "calls"),
        (Budget(series=1), "web.*.cpu", "series"),
        (Budget(points=10), "web.*.cpu", "points"),
        (Budget(points=100), "summarize(web.one.cpu,'1s')", None),
        (Budget(points=60), "summarize(web.one.cpu,'1s')", "points"),
        (Budget(points=20), "timeFunction('t',1)", "points"),
        (Budget(), "timeStack(web.one.cpu,'1s',0,5000)", "shifts"),
        (Budget(points=1000), "timeStack(web.one.cpu,'1s',0,900)", "points"),
        (Budget(), "aliasSub(aliasSub(web.one.cpu,'.','\\g<0>" + "x" * 6000 + "'),'.','y')", "more than 8192 characters"),
        (Budget(), "aliasSub(web.one.cpu,'.','" + "x" * 8000 + "')", "more than 8192 characters"),
    ],
)
def test_what_a_request_may_ask_for_is_bounded(
    budget: Budget, target: str, problem: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluating, "Budget", lambda: budget)
    if problem is None:
        assert ask(target)
        return
    with pytest.raises(TooMuch, match=problem):
        ask(target)


def test_points_are_counted_as_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "AT_A_TIME", 1)
    monkeypatch.setattr(evaluating, "Budget", lambda: Budget(points=6))
    reads: list[list[str]] = []
    read = SHELF.read

    def noted(paths: Sequence[str], start: float, end: float) -> list[Series]:
        reads.append(list(paths))
        return read(paths, start, end)

    monkeypatch.setattr(SHELF, "read", noted)
    with pytest.raises(TooMuch, match="points"):
        ask("*.*.cpu", "requests;dc=east")
    assert reads == [["web.one.cpu"], ["web.two.cpu"]]


def test_what_comes_before_the_range_has_its_steps() -> None:
    week = {START - 7 * 86_400 - 86_400 + 10 * place: float(place % 50) for place in range(8 * 8640)}
    found = evaluate(Shelf({"a": week}), ["holtWintersAberration(a)", "a"], START - 86_400, START, now=START, zone=UTC)
    assert [(series.step, len(series.values)) for series in found] == [(10, 8640), (10, 8640)]


def test_the_number_of_targets_is_bounded() -> None:
    with pytest.raises(TooMuch, match="more than 200 targets"):
        ask(*["web.one.cpu"] * 201)


@pytest.mark.parametrize("name", sorted(TABLE))
def test_each_function_describes_itself(name: str) -> None:
    told = TABLE[name].told()
    assert told["name"] == name
    assert told["description"]
    assert told["group"]
    assert told["function"].startswith(f"{name}(")
    for param in told["params"]:
        assert param.keys() <= {"name", "type", "required", "default", "multiple", "options", "suggestions"}
        assert "required" not in param or "default" not in param
