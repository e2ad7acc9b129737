"""``asPercent``: series as percentages of a total, of their sum, or of totals by group."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from nilometer.query.aggregates import product, quotient, total
from nilometer.query.functions.parts import aligned, expressions, grouped, nothing
from nilometer.query.functions.table import COMBINE, SERIES_LIST, Param, function
from nilometer.query.limits import QueryError
from nilometer.query.series import rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.query.context import Context
    from nilometer.query.series import Points, Value, Values


def _percent(value: Value, whole: Value) -> Value:
    return product(quotient(value, whole), 100.0)


def _of(context: Context, series: Points, whole: Points) -> Points:
    name = f"asPercent({series.name},{whole.name})"
    start, end, step = aligned([series, whole])
    return context.made(name, start, end, step, [_percent(*row) for row in rows([series, whole])])


@function(
    COMBINE,
    SERIES_LIST,
    Param("total", "any"),
    Param("nodes", "nodeOrTag", multiple=True),
    names=("asPercent", "pct"),
    aggregator=True,
)
def as_percent(context: Context, series_list: list[Points], whole: Any = None, *nodes: Any) -> list[Points]:  # noqa: ANN401 series or a number; numbers and tags
    """Show the series as percentages of their sum, of a number or a series, or of totals with the same nodes."""
    if not series_list:
        return []
    aligned(series_list)
    if nodes:
        return _by_group(context, series_list, whole, nodes)
    if whole is None:
        text = f"sumSeries({expressions(series_list)})"
        return _of_values(context, series_list, [total(row) for row in rows(series_list)], text)
    if not isinstance(whole, list):
        number = _number(whole)
        return _of_values(context, series_list, [number] * len(series_list[0].values), str(whole))
    if len(whole) == len(series_list):
        pairs = zip(*(sorted(each, key=lambda series: series.name) for each in (series_list, whole)), strict=True)
        return [_of(context, series, other) for series, other in pairs]
    if len(whole) != 1:
        message = f"the total has to be one series, or as many as there are ({len(series_list)}), not {len(whole)}"
        raise QueryError(message)
    aligned([*series_list, *whole])
    return _of_values(context, series_list, whole[0].shown(), whole[0].name)


def _number(value: Any) -> float:  # noqa: ANN401 to be checked
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        message = f"the total is a number or series, not {value!r}"
        raise QueryError(message) from error


def _of_values(context: Context, series_list: Sequence[Points], values: Values, text: str) -> list[Points]:
    made = []
    for series in series_list:
        percentages = [_percent(value, whole) for value, whole in zip_longest(series.shown(), values)]
        name = f"asPercent({series.name},{text or series.path_expression})"
        made.append(context.made(name, series.start, series.end, series.step, percentages))
    return made


def _summed(context: Context, series_list: list[Points]) -> Points:
    if len(series_list) == 1:
        return series_list[0]
    name = f"sumSeries({expressions(series_list)})"
    start, end, step = aligned(series_list)
    return context.made(name, start, end, step, [total(row) for row in rows(series_list)])


def _by_group(context: Context, series_list: list[Points], whole: Any, nodes: Sequence[Any]) -> list[Points]:  # noqa: ANN401 series, or nothing
    if whole is not None and not isinstance(whole, list):
        message = "with nodes, the total is series or none"
        raise QueryError(message)
    groups = grouped(series_list, nodes)
    wholes = {key: _summed(context, each) for key, each in (groups if whole is None else grouped(whole, nodes)).items()}
    made = []
    for key in dict.fromkeys([*groups, *wholes]):
        if key not in groups:
            missing = wholes[key]
            values = nothing(missing)
            made.append(context.made(f"asPercent(MISSING,{missing.name})", missing.start, missing.end, missing.step, values))
            continue
        for series in groups[key]:
            if key in wholes:
                made.append(_of(context, series, wholes[key]))
            else:
                values = nothing(series)
                made.append(context.made(f"asPercent({series.name},MISSING)", series.start, series.end, series.step, values))
    return made
