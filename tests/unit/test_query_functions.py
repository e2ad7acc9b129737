"""What the functions make of values, family by family; that it is what graphite-web makes of them, the parity tests say."""

from __future__ import annotations

from datetime import UTC

import pytest

from nilometer.query.evaluate import evaluate
from nilometer.query.limits import QueryError
from nilometer.testing.series import Shelf

START, END = 1_000_020, 1_000_080
TIMES = range(START + 10, END + 10, 10)


def points(*values: float | None) -> dict[int, float]:
    return {time: value for time, value in zip(TIMES, values, strict=False) if value is not None}


SHELF = Shelf(
    {
        "a.x": points(1, 2, 3, 4, 5, 6),
        "a.y": points(10, None, 30, None, None, 60),
        "a.z": points(-4, 9, -16, 25, -36, 49),
        "total.b": points(100, 130, 160, 20, 50, 80),
        "slow.s": {START - 60: 1.0, START: 2.0, START + 60: 5.0},
        "disk;dc=e;h=1": points(1, 1, 1, 1, 1, 1),
        "disk;dc=e;h=2": points(2, 2, 2, 2, 2, 2),
        "disk;dc=w;h=1": points(5, 5, 5, 5, 5, 5),
    }
)
GAP = None


def ask(target: str) -> dict[str, list[float | None]]:
    return {series.name: series.shown() for series in evaluate(SHELF, [target], START, END, now=END + 60, zone=UTC)}


@pytest.mark.parametrize(
    ("target", "name", "values"),
    [
        ("sumSeries(a.*)", "sumSeries(a.*)", [7, 11, 17, 29, -31, 115]),
        ("averageSeries(a.x,a.y)", "averageSeries(a.x,a.y)", [5.5, 2, 16.5, 4, 5, 33]),
        ("diffSeries(a.y,a.x)", "diffSeries(a.y,a.x)", [9, 2, 27, 4, 5, 54]),
        ("rangeOfSeries(a.*)", "rangeOfSeries(a.*)", [14, 7, 46, 21, 41, 54]),
        ("multiplySeries(a.x,a.y)", "multiplySeries(a.x,a.y)", [10, GAP, 90, GAP, GAP, 360]),
        ("divideSeries(a.y,a.x)", "divideSeries(a.y,a.x)", [10, GAP, 10, GAP, GAP, 10]),
        ("percentileOfSeries(a.*,50)", "percentileOfSeries(a.*,50)", [1, 9, 3, 25, 5, 49]),
        ("countSeries(a.*)", "countSeries(a.*)", [3] * 6),
        ("aggregate(a.*,'sum',0.9)", "sumSeries(a.*)", [7, GAP, 17, GAP, GAP, 115]),
        ("asPercent(a.x,200)", "asPercent(a.x,200)", [0.5, 1, 1.5, 2, 2.5, 3]),
        ("scale(a.y,0.1)", "scale(a.y,0.1)", [1, GAP, 3, GAP, GAP, 6]),
        ("offset(a.x,-1)", "offset(a.x,-1)", [0, 1, 2, 3, 4, 5]),
        ("absolute(a.z)", "absolute(a.z)", [4, 9, 16, 25, 36, 49]),
        ("squareRoot(a.z)", "squareRoot(a.z)", [GAP, 3, GAP, 5, GAP, 7]),
        ("scaleToSeconds(a.x,1)", "scaleToSeconds(a.x,1)", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]),
        ("derivative(a.z)", "derivative(a.z)", [GAP, 13, -25, 41, -61, 85]),
        ("nonNegativeDerivative(total.b)", "nonNegativeDerivative(total.b)", [GAP, 30, 30, GAP, 30, 30]),
        ("nonNegativeDerivative(total.b,199)", "nonNegativeDerivative(total.b)", [GAP, 30, 30, 60, 30, 30]),
        ("perSecond(total.b)", "perSecond(total.b)", [GAP, 3, 3, GAP, 3, 3]),
        ("integral(a.y)", "integral(a.y)", [10, GAP, 40, GAP, GAP, 100]),
        ("keepLastValue(a.y,1)", "keepLastValue(a.y)", [10, 10, 30, GAP, GAP, 60]),
        ("interpolate(a.y)", "interpolate(a.y)", [10, 20, 30, 40, 50, 60]),
        ("transformNull(a.y,0)", "transformNull(a.y,0)", [10, 0, 30, 0, 0, 60]),
        ("transformNull(a.y,default=7,referenceSeries=a.x)", "transformNull(a.y,7,referenceSeries)", [10, 7, 30, 7, 7, 60]),
        ("changed(total.b)", "changed(total.b)", [0, 1, 1, 1, 1, 1]),
        ("delay(a.x,2)", "delay(a.x,2)", [GAP, GAP, 1, 2, 3, 4]),
        ("delay(a.x,0)", "delay(a.x,0)", [1, 2, 3, 4, 5, 6]),
        ("summarize(a.x,'30s','sum')", 'summarize(a.x, "30s", "sum")', [3, 12, 6]),
        ("summarize(a.x,'30s','max',true)", 'summarize(a.x, "30s", "max", true)', [3, 6]),
        ("hitcount(a.x,'30s')", 'hitcount(a.x, "30s")', [60, 150]),
        ("hitcount(constantLine(2),'1min')", 'hitcount(2.0, "1min")', [120]),
        ("movingAverage(a.x,2)", "movingAverage(a.x,2)", [1, 1.5, 2.5, 3.5, 4.5, 5.5]),
        ("movingMax(a.z,'30s')", 'movingMax(a.z,"30s")', [-4, 9, 9, 25, 25, 49]),
        ("timeShift(a.x,'20s')", 'timeShift(a.x, "-20s")', [GAP, GAP, 1, 2, 3, 4]),
        ("removeAboveValue(a.x,3)", "removeAboveValue(a.x, 3)", [1, 2, 3, GAP, GAP, GAP]),
        ("removeBelowPercentile(a.x,50)", "removeBelowPercentile(a.x, 50)", [GAP, GAP, GAP, 4, 5, 6]),
        ("nPercentile(a.x,50)", "nPercentile(a.x, 50)", [4] * 6),
        ("stdev(a.x,2)", "stdev(a.x,2)", [0, 0.5, 0.5, 0.5, 0.5, 0.5]),
        ("minMax(a.x)", "minMax(a.x)", [0, 0.2, 0.4, 0.6, 0.8, 1]),
        ("stacked(a.x,'s')", "a.x", [1, 2, 3, 4, 5, 6]),
        ("threshold(2.5,'goal')", "goal", [2.5, 2.5, 2.5]),
        ("sumSeries(slow.s,a.x)", "sumSeries(slow.s,a.x)", [8.5]),
        ("linearRegression(a.x)", f"linearRegression(a.x, {START}, {END})", [1, 2, 3, 4, 5, 6]),
        ("fallbackSeries(gone,a.x)", "a.x", [1, 2, 3, 4, 5, 6]),
    ],
)
def test_values(target: str, name: str, values: list[float | None]) -> None:
    ((found, numbers),) = ask(target).items()
    assert found == name
    assert numbers == pytest.approx(values, abs=1e-6)


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ("alias(a.x,'b c')", ["b c"]),
        ("aliasByNode(a.*,1)", ["x", "y", "z"]),
        ("aliasByNode(scale(a.x,2),-1,0)", ["x.a"]),
        ("aliasByTags(seriesByTag('dc=e'),'h','name')", ["1.disk", "2.disk"]),
        ("aliasSub(a.x,'(.)\\.(.)','\\2-\\1')", ["x-a"]),
        ("aliasByMetric(scale(a.x,2))", ["x"]),
        ("aliasQuery(a.x,'x','z','last %d of %%')", ["last 49 of %"]),
        ("legendValue(a.x,'max')", ["a.x (max: 6)"]),
        ("substr(a.x,1)", ["x"]),
        ("upper(a.x,0)", ["A.x"]),
        ("groupByNode(a.*,0,'max')", ["a"]),
        ("groupByTags(seriesByTag('name=disk'),'sum','dc')", ["disk;dc=e", "disk;dc=w"]),
        ("sortByMaxima(a.*)", ["a.y", "a.z", "a.x"]),
        ("sortByName(a.*,false,true)", ["a.z", "a.y", "a.x"]),
        ("highestMax(a.*,1)", ["a.y"]),
        ("lowestAverage(a.*,2)", ["a.x", "a.z"]),
        ("limit(a.*,2)", ["a.x", "a.y"]),
        ("mostDeviant(a.*,1)", ["a.z"]),
        ("exclude(a.*,'[xy]')", ["a.z"]),
        ("filterSeries(a.*,'min','<',0)", ["a.z"]),
        ("maximumAbove(a.*,10)", ["a.y", "a.z"]),
        ("currentBelow(a.*,49)", ["a.x", "a.z"]),
        ("unique(a.x,a.*)", ["a.x", "a.y", "a.z"]),
        ("removeEmptySeries(a.*,0.9)", ["a.x", "a.z"]),
        ("reduceSeries(map(a.*,0),'diffSeries',1,'x','y')", ["a.reduce.diffSeries"]),
        ("applyByNode(a.*,0,'maxSeries(%.*)','most of %')", ["most of a"]),
        ("sumSeriesWithWildcards(a.*,1)", ["a"]),
    ],
)
def test_names(target: str, names: list[str]) -> None:
    assert list(ask(target)) == names


def test_a_forecast_lies_between_its_bands() -> None:
    lower, upper = ask("holtWintersConfidenceBands(a.x,3,'30s','30s')").items()
    ((_name, forecast),) = ask("holtWintersForecast(a.x,'30s','30s')").items()
    assert (lower[0], upper[0]) == ("holtWintersConfidenceLower(a.x)", "holtWintersConfidenceUpper(a.x)")
    known = [each for each in zip(lower[1], forecast, upper[1], strict=True) if None not in each]
    assert known
    assert all(low <= middle <= high for low, middle, high in known)  # type: ignore[operator]  # none of them is None


@pytest.mark.parametrize(
    "target",
    [
        "aliasQuery(a.x,'x','gone','%d')",
        "group(a.x,None)",
        "areaBetween(a.*)",
        "sumSeriesLists(a.*,a.x)",
        "asPercent(a.*,group(a.x,a.y))",
        "asPercent(a.*,5,1)",
        "reduceSeries(map(a.*,0),'alias',1,'x')",
        "verticalLine('00:00_20260101')",
        "groupByNode(a.*,0,'scale')",
        "nPercentile(a.x,0)",
        "stdev(a.x,0)",
        "legendValue(a.x,'p95')",
    ],
)
def test_what_cannot_be_made(target: str) -> None:
    with pytest.raises(QueryError):
        ask(target)
