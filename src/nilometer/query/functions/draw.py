"""How series are drawn: colours, widths, stacks, lines at a time or a value.

Where nothing is drawn, only names and tags change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.query import times
from nilometer.query.functions.make import constant_line
from nilometer.query.functions.table import GRAPH, SERIES_LIST, Param, function
from nilometer.query.limits import QueryError

if TYPE_CHECKING:
    from nilometer.query.context import Context
    from nilometer.query.series import Points, Values

LABEL, COLOR = Param("label", "string"), Param("color", "string")
UNNAMED = "__DEFAULT__"
STACKED, INVISIBLE, AREA_BETWEEN = "stacked", "invisible", "areaBetween"
INFINITE, SECOND_AXIS = "drawAsInfinite", "secondYAxis"
PAIR = 2


@function(GRAPH, SERIES_LIST, Param("theColor", "string", required=True), names=("color",))
def color(context: Context, series_list: list[Points], the_color: str) -> list[Points]:
    """Draw the series in a colour: ``color(errors,"red")``."""
    del context
    for series in series_list:
        series.color = the_color
    return series_list


@function(GRAPH, SERIES_LIST, Param("alpha", "float", required=True), names=("alpha",))
def alpha(context: Context, series_list: list[Points], opacity: float) -> list[Points]:
    """Draw the series with an opacity from 0 to 1."""
    del context
    for series in series_list:
        series.options["alpha"] = opacity
    return series_list


@function(GRAPH, SERIES_LIST, Param("width", "float", required=True), names=("lineWidth",))
def line_width(context: Context, series_list: list[Points], width: float) -> list[Points]:
    """Draw the series with lines so many pixels wide."""
    del context
    for series in series_list:
        series.options["lineWidth"] = width
    return series_list


@function(GRAPH, SERIES_LIST, Param("dashLength", "integer", default=5), names=("dashed",))
def dashed(context: Context, series_list: list[Points], length: int) -> list[Points]:
    """Draw the series with dashes so many pixels long."""
    del context
    for series in series_list:
        series.tags["dashed"] = series.options["dashed"] = length
        series.name = f"dashed({series.name}, {length:g})"
    return series_list


@function(GRAPH, SERIES_LIST, names=(INFINITE,))
def draw_as_infinite(context: Context, series_list: list[Points]) -> list[Points]:
    """Draw a vertical line wherever a value is not 0."""
    del context
    for series in series_list:
        series.options[INFINITE] = True
        series.tags[INFINITE] = 1
        series.name = f"{INFINITE}({series.name})"
    return series_list


@function(GRAPH, SERIES_LIST, names=(SECOND_AXIS,))
def second_axis(context: Context, series_list: list[Points]) -> list[Points]:
    """Draw the series on an axis of their own."""
    del context
    for series in series_list:
        series.options[SECOND_AXIS] = True
        series.tags[SECOND_AXIS] = 1
        series.name = f"{SECOND_AXIS}({series.name})"
    return series_list


@function(GRAPH, SERIES_LIST, Param("stack", "string"), names=(STACKED,))
def stacked(context: Context, series_list: list[Points], stack: str | None) -> list[Points]:
    """Stack the series on each other, and on those with the same stack's name."""
    stack = UNNAMED if stack is None else stack
    below = context.stacks.setdefault(stack, [])
    made = []
    for series in series_list:
        below.extend([0.0] * (len(series.values) - len(below)))
        values: Values = []
        for place, value in enumerate(series.values):
            below[place] += value or 0
            values.append(None if value is None else below[place])
        name = series.name
        if stack == UNNAMED:
            series.tags[STACKED] = stack
            name = f"{STACKED}({series.name})"
        copy = series.copy(name, values)
        copy.options[STACKED] = True
        made.append(copy)
    return made


@function(GRAPH, SERIES_LIST, names=(AREA_BETWEEN,))
def area_between(context: Context, series_list: list[Points]) -> list[Points]:
    """Draw the area between two series."""
    del context
    if len(series_list) != PAIR:
        message = f"the area lies between two series, not {len(series_list)}"
        raise QueryError(message)
    lower, upper = series_list
    lower.options |= {STACKED: True, INVISIBLE: True}
    upper.options[STACKED] = True
    upper.tags[AREA_BETWEEN] = 1
    lower.tags = upper.tags
    lower.name = upper.name = f"{AREA_BETWEEN}({upper.path_expression})"
    return series_list


@function(GRAPH, Param("value", "float", required=True), LABEL, COLOR, names=("threshold",))
def threshold(context: Context, value: float, label: str | None, the_color: str | None) -> list[Points]:
    """Draw a horizontal line: ``threshold(99.9,"goal","red")``."""
    (series,) = constant_line(context, value)
    series.name = label or series.name
    series.color = the_color or ""
    return [series]


@function(GRAPH, Param("ts", "date", required=True), LABEL, COLOR, names=("verticalLine",))
def vertical_line(context: Context, when: str, label: str | None, the_color: str | None) -> list[Points]:
    """Draw a vertical line at a time: ``verticalLine("12:30_20260131","deployed")``."""
    moment = times.moment(when, context.now, context.zone)
    if not context.start <= moment <= context.end:
        message = f"{when} lies outside the range that is shown"
        raise QueryError(message)
    series = context.made(label or when, moment, moment, 1, [1.0, 1.0])
    series.options[INFINITE] = True
    series.color = the_color or ""
    return [series]
