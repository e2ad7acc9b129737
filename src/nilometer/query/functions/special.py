"""What fits nowhere else: consolidation, shares of known values, alternatives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.query.aggregates import percentile
from nilometer.query.functions.table import CALCULATE, NUMBER, SERIES_LIST, SPECIAL, Param, function
from nilometer.query.limits import QueryError
from nilometer.query.series import CONSOLIDATIONS

if TYPE_CHECKING:
    from nilometer.query.context import Context
    from nilometer.query.series import Points


@function(
    SPECIAL,
    SERIES_LIST,
    Param("consolidationFunc", "string", required=True, options=tuple(CONSOLIDATIONS)),
    names=("consolidateBy",),
)
def consolidate_by(context: Context, series_list: list[Points], func: str) -> list[Points]:
    """Say how values become one where there are more than are shown: ``consolidateBy(errors,"sum")``."""
    del context
    for series in series_list:
        series.consolidation = func
        series.tags["consolidateBy"] = func
        series.call(f'consolidateBy({series.name},"{func}")')
    return series_list


@function(SPECIAL, SERIES_LIST, names=("cumulative",))
def cumulative(context: Context, series_list: list[Points]) -> list[Points]:
    """Add values up where there are more than are shown."""
    return consolidate_by(context, series_list, "sum")


@function(SPECIAL, SERIES_LIST, Param("xFilesFactor", "float", required=True), names=("setXFilesFactor", "xFilesFactor"))
def set_x_files_factor(context: Context, series_list: list[Points], factor: float) -> list[Points]:
    """Say which share of values has to be known where several become one, from 0 to 1."""
    context.x_files_factor = factor
    for series in series_list:
        series.x_files_factor = factor
        series.tags["xFilesFactor"] = factor
    return series_list


@function(SPECIAL, SERIES_LIST, Param("fallback", "seriesList", required=True), names=("fallbackSeries",))
def fallback_series(context: Context, series_list: list[Points], fallback: list[Points]) -> list[Points]:
    """Show other series where there are none: ``fallbackSeries(errors,constantLine(0))``."""
    del context
    return series_list or fallback


@function(CALCULATE, SERIES_LIST, NUMBER, names=("nPercentile",))
def n_percentile(context: Context, series_list: list[Points], n: float) -> list[Points]:
    """Show a percentile of all of a series' values throughout the range."""
    del context
    if n <= 0:
        message = "the percentile has to be greater than 0"
        raise QueryError(message)
    made = []
    for series in series_list:
        value = percentile(series.values, n)
        if value is not None:
            series.tags["nPercentile"] = n
            size = (series.end - series.start) // series.step
            made.append(series.copy(f"nPercentile({series.name}, {n:g})", [value] * size))
    return made


@function(SPECIAL, Param("tagExpressions", "string", required=True, multiple=True), names=("seriesByTag",))
def series_by_tag(context: Context, *expressions: str) -> list[Points]:
    """Show the series whose tags fit: ``seriesByTag("name=requests","dc=~ea.*","code!=200")``."""
    slots = context.source.by_tags(expressions, context.start, context.end)
    shown = ",".join(f"'{each}'" for each in expressions)
    return context.series(slots, f"seriesByTag({shown})")
