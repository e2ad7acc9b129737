"""The order of series, and the first of an order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nilometer.query.aggregates import aggregate_of, largest, smallest
from nilometer.query.functions.table import AGGREGATION, COUNT, FILTER_SERIES, SERIES_LIST, SORTING, Param, function

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.query.aggregates import Aggregate
    from nilometer.query.context import Context
    from nilometer.query.series import Points

FUNC = Param("func", AGGREGATION, default="average")
REVERSE = Param("reverse", "boolean", default=False)
LAST = float("-inf")
DIGITS = re.compile(r"\d+")


def _by(fold: Aggregate) -> Callable[[Points], float]:
    """Return a key of order; series without a value come as the smallest."""

    def key(series: Points) -> float:
        value = fold(series.values)
        return LAST if value is None else value

    return key


@function(SORTING, SERIES_LIST, FUNC, REVERSE, names=("sortBy",))
def sort_by(context: Context, series_list: list[Points], func: str, reverse: bool) -> list[Points]:  # noqa: FBT001 as the language calls it
    """Sort the series by an aggregate."""
    del context
    return sorted(series_list, key=_by(aggregate_of(func)), reverse=reverse)


@function(SORTING, SERIES_LIST, Param("natural", "boolean", default=False), REVERSE, names=("sortByName",))
def sort_by_name(context: Context, series_list: list[Points], natural: bool, reverse: bool) -> list[Points]:  # noqa: FBT001 as the language calls it
    """Sort the series by name; naturally, ``server2`` comes before ``server10``."""
    del context
    if natural:
        return sorted(
            series_list, key=lambda series: DIGITS.sub(lambda found: found.group().zfill(10), series.name), reverse=reverse
        )
    return sorted(series_list, key=lambda series: series.name, reverse=reverse)


@function(SORTING, SERIES_LIST, names=("sortByTotal",))
def sort_by_total(context: Context, series_list: list[Points]) -> list[Points]:
    """Sort the series by their sums, largest first."""
    return sort_by(context, series_list, "sum", reverse=True)


@function(SORTING, SERIES_LIST, names=("sortByMaxima",))
def sort_by_maxima(context: Context, series_list: list[Points]) -> list[Points]:
    """Sort the series by their maxima, largest first."""
    return sort_by(context, series_list, "max", reverse=True)


@function(SORTING, SERIES_LIST, names=("sortByMinima",))
def sort_by_minima(context: Context, series_list: list[Points]) -> list[Points]:
    """Sort the series that rise above 0 by their minima, smallest first."""
    del context
    return sorted((each for each in series_list if (largest(each.values) or 0) > 0), key=_by(smallest))


@function(FILTER_SERIES, SERIES_LIST, COUNT, FUNC, names=("highest",))
def highest(context: Context, series_list: list[Points], n: int, func: str) -> list[Points]:
    """Keep the series with the highest aggregates: ``highest(servers.*.cpu,5,"max")``."""
    return sort_by(context, series_list, func, reverse=True)[:n]


@function(FILTER_SERIES, SERIES_LIST, COUNT, FUNC, names=("lowest",))
def lowest(context: Context, series_list: list[Points], n: int, func: str) -> list[Points]:
    """Keep the series with the lowest aggregates: ``lowest(servers.*.free,5,"min")``."""
    return sort_by(context, series_list, func, reverse=False)[:n]


@function(FILTER_SERIES, SERIES_LIST, COUNT, names=("highestCurrent",))
def highest_current(context: Context, series_list: list[Points], n: int) -> list[Points]:
    """Keep the series with the highest last values."""
    return highest(context, series_list, n, "current")


@function(FILTER_SERIES, SERIES_LIST, COUNT, names=("highestMax",))
def highest_max(context: Context, series_list: list[Points], n: int) -> list[Points]:
    """Keep the series with the highest maxima."""
    return highest(context, series_list, n, "max")


@function(FILTER_SERIES, SERIES_LIST, COUNT, names=("highestAverage",))
def highest_average(context: Context, series_list: list[Points], n: int) -> list[Points]:
    """Keep the series with the highest averages."""
    return highest(context, series_list, n, "average")


@function(FILTER_SERIES, SERIES_LIST, COUNT, names=("lowestCurrent",))
def lowest_current(context: Context, series_list: list[Points], n: int) -> list[Points]:
    """Keep the series with the lowest last values."""
    return lowest(context, series_list, n, "current")


@function(FILTER_SERIES, SERIES_LIST, COUNT, names=("lowestAverage",))
def lowest_average(context: Context, series_list: list[Points], n: int) -> list[Points]:
    """Keep the series with the lowest averages."""
    return lowest(context, series_list, n, "average")
