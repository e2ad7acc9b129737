"""Several series become one: sums, averages, aggregates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.query.aggregates import SERIES, aggregate_of, percentile, power, whole_of
from nilometer.query.functions.parts import aligned, enough_of, expressions
from nilometer.query.functions.table import (
    AGGREGATION,
    COMBINE,
    NUMBER,
    SERIES_LIST,
    SERIES_LISTS,
    X_FILES_FACTOR,
    Param,
    function,
)
from nilometer.query.limits import QueryError
from nilometer.query.series import Points, rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.query.context import Context
    from nilometer.query.series import Value

FUNC = Param("func", AGGREGATION, required=True)
POSITION = Param("position", "node", multiple=True)


@function(COMBINE, SERIES_LIST, FUNC, X_FILES_FACTOR, names=("aggregate",))
def aggregate(context: Context, series_list: list[Points], func: str, x_files_factor: float | None = None) -> list[Points]:
    """Aggregate the series into one by a function: ``aggregate(servers.*.cpu, "sum")``."""
    name = func.removesuffix(SERIES)
    fold = aggregate_of(name)
    if not series_list:
        return []
    start, end, step = aligned(series_list)
    factor = context.x_files_factor if x_files_factor is None else x_files_factor
    whole = whole_of(name) if (factor or 0.0) <= 1 else None

    def folded(row: Sequence[Value]) -> Value:
        return fold(row) if enough_of(row, factor) else None

    if whole is None:
        values = list(map(folded, rows(series_list)))
    else:
        values = [folded(row) if None in row else whole(row) for row in rows(series_list)]
    made = f"{name}Series({expressions(series_list)})"
    first = series_list[0].tags
    tags = {tag: value for tag, value in first.items() if all(each.tags.get(tag) == value for each in series_list)}
    tags = {**tags, "name": tags.get("name", made), "aggregatedBy": name}
    return [Points(made, start, end, step, values, x_files_factor=factor, tags=tags)]


def together(series_lists: Sequence[list[Points]]) -> list[Points]:
    """Return the series of all lists."""
    return [series for each in series_lists for series in each]


@function(COMBINE, SERIES_LISTS, names=("sumSeries", "sum"), aggregator=True)
def sum_series(context: Context, *series_lists: list[Points]) -> list[Points]:
    """Add up the series at each time: ``sumSeries(servers.*.requests)``."""
    return aggregate(context, together(series_lists), "sum")


@function(COMBINE, SERIES_LISTS, names=("averageSeries", "avg"), aggregator=True)
def average_series(context: Context, *series_lists: list[Points]) -> list[Points]:
    """Take the mean of the series at each time: ``averageSeries(servers.*.cpu)``."""
    return aggregate(context, together(series_lists), "average")


@function(COMBINE, SERIES_LISTS, names=("diffSeries",), aggregator=True)
def diff_series(context: Context, *series_lists: list[Points]) -> list[Points]:
    """Subtract all series from the first: ``diffSeries(requests.all,requests.failed)``."""
    return aggregate(context, together(series_lists), "diff")


@function(COMBINE, SERIES_LISTS, names=("stddevSeries",), aggregator=True)
def deviation_series(context: Context, *series_lists: list[Points]) -> list[Points]:
    """Take the standard deviation of the series at each time."""
    return aggregate(context, together(series_lists), "stddev")


@function(COMBINE, SERIES_LISTS, names=("minSeries",), aggregator=True)
def min_series(context: Context, *series_lists: list[Points]) -> list[Points]:
    """Take the smallest of the series at each time."""
    return aggregate(context, together(series_lists), "min")


@function(COMBINE, SERIES_LISTS, names=("maxSeries",), aggregator=True)
def max_series(context: Context, *series_lists: list[Points]) -> list[Points]:
    """Take the largest of the series at each time."""
    return aggregate(context, together(series_lists), "max")


@function(COMBINE, SERIES_LISTS, names=("rangeOfSeries",), aggregator=True)
def range_series(context: Context, *series_lists: list[Points]) -> list[Points]:
    """Take the distance of the smallest and the largest of the series at each time."""
    return aggregate(context, together(series_lists), "rangeOf")


@function(COMBINE, SERIES_LISTS, names=("multiplySeries",), aggregator=True)
def multiply_series(context: Context, *series_lists: list[Points]) -> list[Points]:
    """Multiply the series at each time, None where one is None; a single series stays as it is."""
    if len(series_lists) == 1 and len(series_lists[0]) == 1:
        return series_lists[0]
    return aggregate(context, together(series_lists), "multiply")


@function(COMBINE, Param("seriesList", "seriesList", required=True, multiple=True), names=("powSeries",), aggregator=True)
def pow_series(context: Context, *series_lists: list[Points]) -> list[Points]:
    """Raise the first series to the power of the second, the result to that of the third, and so on."""
    series_list = together(series_lists)
    if not series_list:
        return []
    start, end, step = aligned(series_list)
    values: list[Value] = []
    for row in rows(series_list):
        result = row[0]
        for exponent in row[1:]:
            result = power(result, exponent)
        values.append(result)
    return [context.made(f"powSeries({','.join(series.name for series in series_list)})", start, end, step, values)]


@function(COMBINE, Param("seriesLists", "seriesList", multiple=True), names=("countSeries",), aggregator=True)
def count_series(context: Context, *series_lists: list[Points]) -> list[Points]:
    """Count the series."""
    series_list = together(series_lists)
    if not series_lists:
        return [context.made("0", context.start, context.end, max(1, (context.end - context.start) // 2), [0, 0, 0])]
    if not series_list:
        return []
    start, end, step = aligned(series_list)
    made = f"countSeries({expressions(series_list)})"
    return [context.made(made, start, end, step, [len(row) for row in rows(series_list)])]


@function(COMBINE, SERIES_LIST, NUMBER, Param("interpolate", "boolean", default=False), names=("percentileOfSeries",))
def percentile_of_series(context: Context, series_list: list[Points], n: float, interpolate: bool) -> list[Points]:  # noqa: FBT001 as the language calls it
    """Take a percentile of the series at each time: ``percentileOfSeries(servers.*.latency,95)``."""
    if n <= 0:
        message = "the percentile has to be greater than 0"
        raise QueryError(message)
    if not series_list:
        return []
    start, end, step = aligned(series_list)
    values = [percentile(row, n, interpolate=interpolate) for row in rows(series_list)]
    return [context.made(f"percentileOfSeries({series_list[0].path_expression},{n:g})", start, end, step, values)]


@function(COMBINE, SERIES_LIST, FUNC, POSITION, names=("aggregateWithWildcards",))
def aggregate_with_wildcards(context: Context, series_list: list[Points], func: str, *positions: int) -> list[Points]:
    """Aggregate the series whose names are alike but for the parts at some positions, counted from 0."""
    groups: dict[str, list[Points]] = {}
    for series in series_list:
        parts = enumerate(series.name.split("."))
        groups.setdefault(".".join(part for place, part in parts if place not in positions), []).append(series)
    made = []
    for name, members in groups.items():
        for series in aggregate(context, members, func):
            series.name = name
            made.append(series)
    return made


@function(COMBINE, SERIES_LIST, POSITION, names=("sumSeriesWithWildcards",), aggregator=True)
def sum_with_wildcards(context: Context, series_list: list[Points], *positions: int) -> list[Points]:
    """Add up the series whose names are alike but for the parts at some positions, counted from 0."""
    return aggregate_with_wildcards(context, series_list, "sum", *positions)


@function(COMBINE, SERIES_LIST, POSITION, names=("averageSeriesWithWildcards",), aggregator=True)
def average_with_wildcards(context: Context, series_list: list[Points], *positions: int) -> list[Points]:
    """Take the mean of the series whose names are alike but for the parts at some positions, counted from 0."""
    return aggregate_with_wildcards(context, series_list, "average", *positions)


@function(COMBINE, SERIES_LIST, POSITION, names=("multiplySeriesWithWildcards",), aggregator=True)
def multiply_with_wildcards(context: Context, series_list: list[Points], *positions: int) -> list[Points]:
    """Multiply the series whose names are alike but for the parts at some positions, counted from 0."""
    return aggregate_with_wildcards(context, series_list, "multiply", *positions)
