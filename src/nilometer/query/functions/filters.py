"""Which series are shown, and which of their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.query.aggregates import aggregate_of, average, largest, percentile
from nilometer.query.functions.parts import each_known, each_value, enough_of, regular_expression, replaced
from nilometer.query.functions.table import (
    AGGREGATION,
    COUNT,
    FILTER_DATA,
    FILTER_SERIES,
    NUMBER,
    SERIES_LIST,
    SERIES_LISTS,
    X_FILES_FACTOR,
    Param,
    function,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.query.context import Context
    from nilometer.query.series import Points, Value

OPERATORS: dict[str, Callable[[Value, float], bool]] = {
    "=": lambda value, threshold: value is not None and value == threshold,
    "!=": lambda value, threshold: value is None or value != threshold,
    ">": lambda value, threshold: value is not None and value > threshold,
    ">=": lambda value, threshold: value is not None and value >= threshold,
    "<": lambda value, threshold: value is None or value < threshold,
    "<=": lambda value, threshold: value is None or value <= threshold,
}
HALF = 50


@function(
    FILTER_SERIES,
    SERIES_LIST,
    Param("func", AGGREGATION, required=True),
    Param("operator", "string", required=True, options=tuple(sorted(OPERATORS))),
    Param("threshold", "float", required=True),
    names=("filterSeries",),
)
def filter_series(context: Context, series_list: list[Points], func: str, operator: str, threshold: float) -> list[Points]:
    """Keep the series of which an aggregate fits: ``filterSeries(servers.*.cpu,"max",">",90)``."""
    del context
    fold, fits = aggregate_of(func), OPERATORS[operator]
    return [series for series in series_list if fits(fold(series.values), threshold)]


def _kept(name: str, func: str, operator: str, text: str) -> None:
    """Enter the function that keeps the series of which an aggregate is above or below a number."""

    def keep(context: Context, series_list: list[Points], n: float) -> list[Points]:
        return filter_series(context, series_list, func, operator, n)

    keep.__doc__ = text
    function(FILTER_SERIES, SERIES_LIST, NUMBER, names=(name,))(keep)


for _word, _func, _text in (
    ("average", "average", "average"),
    ("current", "last", "last value"),
    ("maximum", "max", "maximum"),
    ("minimum", "min", "minimum"),
):
    _kept(f"{_word}Above", _func, ">", f"Keep the series whose {_text} is above a number.")
    _kept(f"{_word}Below", _func, "<=", f"Keep the series whose {_text} is a number or below it.")


@function(FILTER_SERIES, SERIES_LIST, COUNT, names=("limit",))
def limit(context: Context, series_list: list[Points], n: int) -> list[Points]:
    """Keep the first series, so many of them."""
    del context
    return series_list[:n]


@function(FILTER_SERIES, SERIES_LIST, Param("pattern", "string", required=True), names=("grep",))
def grep(context: Context, series_list: list[Points], pattern: str) -> list[Points]:
    """Keep the series whose names a regular expression matches."""
    del context
    matches = regular_expression(pattern).search
    return [series for series in series_list if matches(series.name)]


@function(FILTER_SERIES, SERIES_LIST, Param("pattern", "string", required=True), names=("exclude",))
def exclude(context: Context, series_list: list[Points], pattern: str) -> list[Points]:
    """Leave out the series whose names a regular expression matches."""
    del context
    matches = regular_expression(pattern).search
    return [series for series in series_list if not matches(series.name)]


@function(FILTER_SERIES, SERIES_LIST, X_FILES_FACTOR, names=("removeEmptySeries",))
def remove_empty_series(context: Context, series_list: list[Points], factor: float | None) -> list[Points]:
    """Leave out the series without values, or with too small a share of them."""
    del context
    return [series for series in series_list if enough_of(series.values, factor)]


@function(FILTER_SERIES, SERIES_LISTS, names=("unique",))
def unique(context: Context, *series_lists: list[Points]) -> list[Points]:
    """Keep the first of the series with the same name."""
    del context
    found: dict[str, Points] = {}
    for series_list in series_lists:
        for series in series_list:
            found.setdefault(series.name, series)
    return list(found.values())


@function(FILTER_SERIES, SERIES_LIST, COUNT, names=("mostDeviant",))
def most_deviant(context: Context, series_list: list[Points], n: int) -> list[Points]:
    """Keep the series that deviate most from their own means."""
    del context
    deviations = []
    for series in series_list:
        mean = average(series.values)
        if mean is not None:
            squares = [(value - mean) ** 2 for value in series.values if value is not None]
            deviations.append((sum(squares) / len(squares), series))
    deviations.sort(key=lambda each: each[0], reverse=True)
    return [series for _, series in deviations][:n]


@function(FILTER_SERIES, SERIES_LIST, NUMBER, names=("averageOutsidePercentile",))
def average_outside_percentile(context: Context, series_list: list[Points], n: float) -> list[Points]:
    """Leave out the series whose average lies between two percentiles of all averages."""
    del context
    n = 100 - n if n < HALF else n
    averages = [average(series.values) for series in series_list]
    low, high = percentile(averages, 100 - n), percentile(averages, n)
    return [series for series, mean in zip(series_list, averages, strict=True) if not _between(low, mean, high)]


def _between(low: Value, value: Value, high: Value) -> bool:
    return low is not None and value is not None and high is not None and low < value < high


@function(FILTER_SERIES, SERIES_LIST, NUMBER, names=("removeBetweenPercentile",))
def remove_between_percentile(context: Context, series_list: list[Points], n: float) -> list[Points]:
    """Leave out the series that always lie between two percentiles of all series."""
    del context
    n = 100 - n if n < HALF else n
    columns = list(zip(*(series.values for series in series_list), strict=False))
    bounds = [(percentile(column, 100 - n), percentile(column, n)) for column in columns]
    return [
        series
        for series in series_list
        if any(not _between(low, value, high) for value, (low, high) in zip(series.values, bounds, strict=False))
    ]


@function(
    FILTER_SERIES,
    SERIES_LIST,
    Param("value", "float", required=True),
    Param("search", "string", required=True),
    Param("replace", "string", required=True),
    names=("useSeriesAbove",),
)
def use_series_above(context: Context, series_list: list[Points], value: float, search: str, replace: str) -> list[Points]:
    """Show other series, whose names come by replacing, for those that rise above a number."""
    pattern = regular_expression(search)
    names = [replaced(pattern, replace, each.name) for each in series_list if (largest(each.values) or 0) > value]
    if not names:
        return []
    return [series for series in context.again(context, context.parse(f"group({','.join(names)})")) if series.values]


@function(FILTER_DATA, SERIES_LIST, NUMBER, names=("removeAboveValue",))
def remove_above_value(context: Context, series_list: list[Points], n: float) -> list[Points]:
    """Leave out the values above a number."""
    del context
    for series in series_list:
        series.call(f"removeAboveValue({series.name}, {n:g})")
        each_known(series, lambda value: None if value > n else value)
    return series_list


@function(FILTER_DATA, SERIES_LIST, NUMBER, names=("removeBelowValue",))
def remove_below_value(context: Context, series_list: list[Points], n: float) -> list[Points]:
    """Leave out the values below a number."""
    del context
    for series in series_list:
        series.call(f"removeBelowValue({series.name}, {n:g})")
        each_value(series, lambda value: None if value is None or value < n else value)
    return series_list


@function(FILTER_DATA, SERIES_LIST, NUMBER, names=("removeAbovePercentile",))
def remove_above_percentile(context: Context, series_list: list[Points], n: float) -> list[Points]:
    """Leave out each series' values above a percentile of its own."""
    del context
    for series in series_list:
        series.call(f"removeAbovePercentile({series.name}, {n:g})")
        most = _own_percentile(series, n)
        series.values = [None if value is None or most is None or value > most else value for value in series.values]
    return series_list


@function(FILTER_DATA, SERIES_LIST, NUMBER, names=("removeBelowPercentile",))
def remove_below_percentile(context: Context, series_list: list[Points], n: float) -> list[Points]:
    """Leave out each series' values below a percentile of its own."""
    del context
    for series in series_list:
        series.call(f"removeBelowPercentile({series.name}, {n:g})")
        least = _own_percentile(series, n)
        series.values = [None if value is None or least is None or value < least else value for value in series.values]
    return series_list


def _own_percentile(series: Points, n: float) -> Value:
    found = percentile(series.values, n)
    if found is not None:
        series.tags["nPercentile"] = n
    return found
