"""Series out of nothing: constants, times, waves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nilometer.query.aggregates import aggregate_of
from nilometer.query.functions.table import AGGREGATION, CALCULATE, SERIES_LIST, SPECIAL, TRANSFORM, Param, function
from nilometer.query.limits import QueryError

if TYPE_CHECKING:
    from nilometer.query.context import Context
    from nilometer.query.series import Points, Value, Values

NAME = Param("name", "string", required=True)
STEP = Param("step", "integer", default=60)
MINUTE = 60


@function(SPECIAL, Param("value", "float", required=True), names=("constantLine",))
def constant_line(context: Context, value: Value) -> list[Points]:
    """Show a number throughout the range."""
    step = max(1, (context.end - context.start) // 2)
    series = context.made(str(value), context.start, context.end, step, [value, value, value])
    series.path_expression = f"constantLine({value})"
    return [series]


@function(
    CALCULATE,
    SERIES_LIST,
    Param("func", AGGREGATION, default="average"),
    Param("keepStep", "boolean", default=False),
    names=("aggregateLine",),
)
def aggregate_line(context: Context, series_list: list[Points], func: str, keep_step: bool) -> list[Points]:  # noqa: FBT001 as the language calls it
    """Show an aggregate of all of a series' values throughout the range."""
    fold = aggregate_of(func)
    made = []
    for series in series_list:
        value = fold(series.values)
        name = f"aggregateLine({series.name}, {'None' if value is None else format(value, 'g')})"
        if keep_step:
            made.append(series.copy(name, [value] * len(series.values)))
        else:
            (line,) = constant_line(context, value)
            line.call(name)
            made.append(line)
    return made


def _times(context: Context, step: int) -> range:
    if step <= 0:
        message = f"a step of {step} s leads nowhere"
        raise QueryError(message)
    found = range(context.start, context.end, step)
    context.spend(len(found))
    return found


@function(CALCULATE, NAME, names=("identity",))
def identity(context: Context, name: str) -> list[Points]:
    """Show the time of each minute as its value, in seconds since 1970."""
    series = context.made(name, context.start, context.end, MINUTE, list(_times(context, MINUTE)))
    series.path_expression = f'identity("{name}")'
    return [series]


@function(TRANSFORM, NAME, STEP, names=("timeFunction", "time"))
def time_function(context: Context, name: str, step: int) -> list[Points]:
    """Show the time as the value, in seconds since 1970."""
    values: Values = [float(time) for time in _times(context, step)]
    return [context.made(name, context.start, context.end, step, values)]


@function(TRANSFORM, NAME, Param("amplitude", "integer", default=1), STEP, names=("sinFunction", "sin"))
def sine(context: Context, name: str, amplitude: int, step: int) -> list[Points]:
    """Show the sine of the time."""
    values: Values = [math.sin(time) * amplitude for time in _times(context, step)]
    return [context.made(name, context.start, context.end, step, values)]
