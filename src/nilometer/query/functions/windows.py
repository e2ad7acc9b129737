"""A value from those before it: moving windows, the exponential moving average, deviations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nilometer.query.aggregates import aggregate_of, average, known
from nilometer.query.functions.parts import enough, interval_of
from nilometer.query.functions.table import AGGREGATION, CALCULATE, SERIES_LIST, WINDOW, X_FILES_FACTOR, Param, function
from nilometer.query.limits import QueryError

if TYPE_CHECKING:
    from nilometer.query.context import Context
    from nilometer.query.series import Points, Values


def _before(series_list: list[Points], window: int | str) -> int:
    """Return how many seconds before the range a window needs."""
    if isinstance(window, str):
        return interval_of(window)
    if window <= 0:
        message = f"a window of {window} points holds nothing"
        raise QueryError(message)
    return int(max(series.step for series in series_list)) * window


def _shown(window: int | str) -> str:
    return f'"{window}"' if isinstance(window, str) else str(window)


@function(
    CALCULATE,
    SERIES_LIST,
    WINDOW,
    Param("func", AGGREGATION, default="average"),
    X_FILES_FACTOR,
    names=("movingWindow",),
)
def moving_window(
    context: Context, series_list: list[Points], window: int | str, func: str = "average", x_files_factor: float | None = None
) -> list[Points]:
    """Aggregate, at each time, the values of a window before it, of so many points or of an interval."""
    if not series_list:
        return []
    fold, before = aggregate_of(func), _before(series_list, window)
    tag = "moving" + func.capitalize()
    made = []
    for series in context.first_argument(context.start - before, context.end):
        size = before // int(series.step) if isinstance(window, str) else window
        factor = series.x_files_factor if x_files_factor is None else x_files_factor
        values: Values = []
        for end in range(size + 1, len(series.values) + 1):
            found = known(series.values[end - size : end])
            values.append(fold(found) if enough(len(found), size, factor) else None)
        series.tags[tag] = window
        made.append(series.copy(f"{tag}({series.name},{_shown(window)})", values, start=series.start + before))
    return made


@function(CALCULATE, SERIES_LIST, WINDOW, X_FILES_FACTOR, names=("movingAverage",))
def moving_average(context: Context, series_list: list[Points], window: int | str, factor: float | None) -> list[Points]:
    """Take the mean of the points before each time: ``movingAverage(requests,10)``, ``movingAverage(requests,"5min")``."""
    return moving_window(context, series_list, window, "average", factor)


@function(CALCULATE, SERIES_LIST, WINDOW, X_FILES_FACTOR, names=("movingMedian",))
def moving_median(context: Context, series_list: list[Points], window: int | str, factor: float | None) -> list[Points]:
    """Take the median of the points before each time."""
    return moving_window(context, series_list, window, "median", factor)


@function(CALCULATE, SERIES_LIST, WINDOW, X_FILES_FACTOR, names=("movingSum",))
def moving_sum(context: Context, series_list: list[Points], window: int | str, factor: float | None) -> list[Points]:
    """Take the sum of the points before each time."""
    return moving_window(context, series_list, window, "sum", factor)


@function(CALCULATE, SERIES_LIST, WINDOW, X_FILES_FACTOR, names=("movingMin",))
def moving_min(context: Context, series_list: list[Points], window: int | str, factor: float | None) -> list[Points]:
    """Take the smallest of the points before each time."""
    return moving_window(context, series_list, window, "min", factor)


@function(CALCULATE, SERIES_LIST, WINDOW, X_FILES_FACTOR, names=("movingMax",))
def moving_max(context: Context, series_list: list[Points], window: int | str, factor: float | None) -> list[Points]:
    """Take the largest of the points before each time."""
    return moving_window(context, series_list, window, "max", factor)


@function(CALCULATE, SERIES_LIST, WINDOW, names=("exponentialMovingAverage",))
def exponential_moving_average(context: Context, series_list: list[Points], window: int | str) -> list[Points]:
    """Take a mean in which each value weighs less the longer ago it was."""
    if not series_list:
        return []
    before = _before(series_list, window)
    weight = 2.0 / ((before if isinstance(window, str) else window) + 1)
    made = []
    for series in context.first_argument(context.start - before, context.end):
        size = before // int(series.step) if isinstance(window, str) else window
        series.tags["exponentialMovingAverage"] = window
        name = f"exponentialMovingAverage({series.name},{_shown(window)})"
        mean = average(series.values[:size]) or 0
        values: Values = [round(mean, 6)]
        for value in series.values[size:]:
            mean = mean if value is None else weight * value + (1 - weight) * mean
            values.append(None if value is None else round(mean, 6))
        made.append(series.copy(name, values, start=series.start + before))
    return made


@function(
    CALCULATE,
    SERIES_LIST,
    Param("points", "integer", required=True),
    Param("windowTolerance", "float", default=0.1),
    names=("stdev",),
)
def deviation(context: Context, series_list: list[Points], points: int, tolerance: float) -> list[Points]:
    """Take the standard deviation of so many points before each time, where enough of them are known."""
    del context
    if points <= 0:
        message = f"a window of {points} points holds nothing"
        raise QueryError(message)
    made = []
    for series in series_list:
        series.tags["stdev"] = points
        made.append(series.copy(f"stdev({series.name},{points})", _deviations(series.values, points, tolerance)))
    return made


def _deviations(values: Values, points: int, tolerance: float) -> Values:
    count, total, squares = 0, 0.0, 0.0
    found: Values = []
    for place, value in enumerate(values):
        left = values[place - points] if place >= points else None
        if left is not None:
            count, total, squares = count - 1, total - left, squares - left**2
        if value is not None:
            count, total, squares = count + 1, total + value, squares + value**2
        spread = count * squares - total**2
        found.append(math.sqrt(spread) / count if count > 0 and count / points >= tolerance and spread >= 0 else None)
    return found
