"""Series of one list against those of another, pair by pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nilometer.query.aggregates import product, quotient
from nilometer.query.functions.combine import FUNC, aggregate
from nilometer.query.functions.parts import aligned, each_value, key_of
from nilometer.query.functions.table import COMBINE, X_FILES_FACTOR, Param, function
from nilometer.query.limits import QueryError
from nilometer.query.series import rows

if TYPE_CHECKING:
    from nilometer.query.context import Context
    from nilometer.query.series import Points

FIRST = Param("seriesListFirstPos", "seriesList", required=True)
SECOND = Param("seriesListSecondPos", "seriesList", required=True)


def _as_many(first: list[Points], second: list[Points]) -> None:
    if len(first) != len(second):
        message = f"both lists need as many series; they have {len(first)} and {len(second)}"
        raise QueryError(message)


@function(COMBINE, FIRST, SECOND, FUNC, X_FILES_FACTOR, names=("aggregateSeriesLists",))
def aggregate_lists(
    context: Context, first: list[Points], second: list[Points], func: str, x_files_factor: float | None = None
) -> list[Points]:
    """Aggregate the first series of both lists, then the second ones, and so on."""
    _as_many(first, second)
    made = []
    for one, other in zip(first, second, strict=True):
        (series,) = aggregate(context, [one, other], func, x_files_factor)
        series.name = f"{series.name.partition('Series(')[0]}Series({one.name},{other.name})"
        made.append(series)
    return made


@function(COMBINE, FIRST, SECOND, names=("sumSeriesLists",), aggregator=True)
def sum_lists(context: Context, first: list[Points], second: list[Points]) -> list[Points]:
    """Add up the series of two lists, pair by pair."""
    return aggregate_lists(context, first, second, "sum")


@function(COMBINE, FIRST, SECOND, names=("diffSeriesLists",), aggregator=True)
def diff_lists(context: Context, first: list[Points], second: list[Points]) -> list[Points]:
    """Subtract the series of the second list from those of the first, pair by pair."""
    return aggregate_lists(context, first, second, "diff")


@function(COMBINE, FIRST, SECOND, names=("multiplySeriesLists",), aggregator=True)
def multiply_lists(context: Context, first: list[Points], second: list[Points]) -> list[Points]:
    """Multiply the series of two lists, pair by pair."""
    return aggregate_lists(context, first, second, "multiply")


def _divided(context: Context, dividend: Points, divisor: Points) -> Points:
    name = f"divideSeries({dividend.name},{divisor.name})"
    both = [dividend, divisor]
    start, end, step = aligned(both)
    return context.made(name, start, end, step, [quotient(*row) for row in rows(both)])


@function(
    COMBINE,
    Param("dividendSeriesList", "seriesList", required=True),
    Param("divisorSeriesList", "seriesList", required=True),
    names=("divideSeriesLists",),
)
def divide_lists(context: Context, dividends: list[Points], divisors: list[Points]) -> list[Points]:
    """Divide the series of the first list by those of the second, pair by pair."""
    _as_many(dividends, divisors)
    return [_divided(context, dividend, divisor) for dividend, divisor in zip(dividends, divisors, strict=True)]


@function(
    COMBINE,
    Param("dividendSeriesList", "seriesList", required=True),
    Param("divisorSeries", "seriesList", required=True),
    names=("divideSeries",),
)
def divide_series(context: Context, dividends: list[Points], divisors: list[Points]) -> list[Points]:
    """Divide each series by one: ``divideSeries(servers.*.errors,requests.all)``."""
    if not divisors:
        for series in dividends:
            series.call(f"divideSeries({series.name},MISSING)")
            each_value(series, lambda _: None)
        return dividends
    if len(divisors) > 1:
        message = f"the divisor has to be one series, not {len(divisors)}"
        raise QueryError(message)
    return [_divided(context, dividend, divisors[0]) for dividend in dividends]


@function(
    COMBINE,
    Param("seriesListAvg", "seriesList", required=True),
    Param("seriesListWeight", "seriesList", required=True),
    Param("nodes", "nodeOrTag", multiple=True),
    names=("weightedAverage",),
)
def weighted_average(context: Context, averages: list[Points], weights: list[Points], *nodes: Any) -> list[Points]:  # noqa: ANN401 numbers and tags
    """Take the mean of series, each with a weight, paired by parts of their names or tags."""
    _as_many(averages, weights)
    pairs: dict[str, list[Points | None]] = {}
    for average, weight in zip(averages, weights, strict=True):
        pairs.setdefault(key_of(average, nodes), [None, None])[0] = average
        pairs.setdefault(key_of(weight, nodes), [None, None])[1] = weight
    products = []
    for average, weight in pairs.values():  # type: ignore[assignment]  # one of each pair may be missing
        if average is None or weight is None:
            continue
        name = f"product({weight.name},{average.name})"
        values = [product(*row) for row in rows([average, weight])]
        products.append(context.made(name, average.start, average.end, average.step, values))
    if not products:
        return []
    (above,), (below,) = aggregate(context, products, "sum"), aggregate(context, weights, "sum")
    values = [quotient(*row) for row in rows([above, below])]
    lists = [",".join(sorted({series.path_expression for series in each})) for each in (averages, weights)]
    name = f"weightedAverage({', '.join([*lists, ','.join(map(str, nodes))])})"
    return [context.made(name, above.start, above.end, above.step, values)]
