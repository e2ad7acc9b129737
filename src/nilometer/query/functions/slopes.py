"""Each value against the ones before: differences, rates, sums so far, gaps."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from nilometer.query.aggregates import last
from nilometer.query.functions.parts import interval_of
from nilometer.query.functions.table import SERIES_LIST, SPECIAL, TRANSFORM, Param, function

if TYPE_CHECKING:
    from nilometer.query.context import Context
    from nilometer.query.series import Points, Value, Values

MAX_VALUE, MIN_VALUE = Param("maxValue", "float"), Param("minValue", "float")
INFINITY = float("inf")
LIMIT = Param("limit", "intOrInf", default=INFINITY)


@function(TRANSFORM, SERIES_LIST, names=("derivative",))
def derivative(context: Context, series_list: list[Points]) -> list[Points]:
    """Show by how much each value differs from the one before."""
    del context
    made = []
    for series in series_list:
        values: Values = []
        before: Value = None
        for value in series.values:
            values.append(None if value is None or before is None else value - before)
            before = value
        series.tags["derivative"] = 1
        made.append(series.copy(f"derivative({series.name})", values))
    return made


def _grown(value: Value, before: Value, most: Value, least: Value) -> tuple[Value, Value]:
    """Return by how much a counter grew that may have started again, and what it is compared with next."""
    if value is None:
        return None, None
    if (most is not None and value > most) or (least is not None and value < least):
        return None, None
    if before is None:
        return None, value
    if value >= before:
        return value - before, value
    if most is not None:
        return most + 1 + value - before - (least or 0), value
    return None if least is None else value - least, value


def _growth(values: Values, most: Value, least: Value) -> Values:
    found: Values = []
    before: Value = None
    for value in values:
        grown, before = _grown(value, before, most, least)
        found.append(grown)
    return found


@function(TRANSFORM, SERIES_LIST, MAX_VALUE, MIN_VALUE, names=("nonNegativeDerivative",))
def non_negative_derivative(context: Context, series_list: list[Points], most: Value, least: Value) -> list[Points]:
    """Show by how much a counter grew, None where it started again: ``nonNegativeDerivative(requests.total)``."""
    del context
    made = []
    for series in series_list:
        series.tags["nonNegativeDerivative"] = 1
        made.append(series.copy(f"nonNegativeDerivative({series.name})", _growth(series.values, most, least)))
    return made


@function(TRANSFORM, SERIES_LIST, MAX_VALUE, MIN_VALUE, names=("perSecond",))
def per_second(context: Context, series_list: list[Points], most: Value, least: Value) -> list[Points]:
    """Show by how much a counter grew in a second, None where it started again: ``perSecond(requests.total)``."""
    del context
    made = []
    for series in series_list:
        values = [None if grown is None else round(grown / series.step, 6) for grown in _growth(series.values, most, least)]
        series.tags["perSecond"] = 1
        made.append(series.copy(f"perSecond({series.name})", values))
    return made


@function(TRANSFORM, SERIES_LIST, names=("integral",))
def integral(context: Context, series_list: list[Points]) -> list[Points]:
    """Show the sum of all values so far."""
    del context
    made = []
    for series in series_list:
        total = 0.0
        values: Values = []
        for value in series.values:
            total += value or 0
            values.append(None if value is None else total)
        series.tags["integral"] = 1
        made.append(series.copy(f"integral({series.name})", values))
    return made


@function(TRANSFORM, SERIES_LIST, Param("intervalUnit", "string", required=True), names=("integralByInterval",))
def integral_by_interval(context: Context, series_list: list[Points], unit: str) -> list[Points]:
    """Show the sum of all values so far in each interval, begun anew with the next: ``integralByInterval(sales,"1d")``."""
    length = interval_of(unit)
    made = []
    for series in series_list:
        total, time = 0.0, series.start - context.start
        values: Values = []
        for value in series.values:
            if time // length != (time - series.step) // length:
                total = 0.0
            total += value or 0
            values.append(total)
            time += series.step
        series.tags["integralByInterval"] = unit
        made.append(series.copy(f"integralByInterval({series.name},'{unit}')", values))
    return made


@function(TRANSFORM, SERIES_LIST, Param("steps", "integer", required=True), names=("delay",))
def delay(context: Context, series_list: list[Points], steps: int) -> list[Points]:
    """Move the values later, by so many steps; earlier, by fewer than 0."""
    del context
    made = []
    for series in series_list:
        size = min(abs(steps), len(series.values))
        empty: Values = [None] * size
        rest = series.values[size:] if steps < 0 else series.values[: len(series.values) - size]
        series.tags["delay"] = steps
        made.append(series.copy(f"delay({series.name},{steps})", rest + empty if steps < 0 else empty + rest))
    return made


@function(TRANSFORM, SERIES_LIST, LIMIT, names=("keepLastValue",))
def keep_last_value(context: Context, series_list: list[Points], limit: float) -> list[Points]:
    """Repeat the last value through gaps of at most so many points."""
    del context
    for series in series_list:
        series.call(f"keepLastValue({series.name})")
        kept: Value = None
        missing = 0
        for place, value in enumerate([*series.values, 0.0]):
            if value is None:
                missing += 1
                continue
            if 0 < missing <= limit and kept is not None:
                series.values[place - missing : place] = [kept] * missing
            missing, kept = 0, value
    return series_list


@function(TRANSFORM, SERIES_LIST, LIMIT, names=("interpolate",))
def interpolate(context: Context, series_list: list[Points], limit: float) -> list[Points]:
    """Draw a straight line through gaps of at most so many points."""
    del context
    for series in series_list:
        series.call(f"interpolate({series.name})")
        values, known = series.values, -1
        for place, value in enumerate(values):
            if value is None:
                continue
            missing = place - known - 1
            begin = values[known] if known >= 0 else None
            if begin is not None and 0 < missing <= limit:
                for number in range(1, missing + 1):
                    values[known + number] = begin + number * (value - begin) / (missing + 1)
            known = place
    return series_list


@function(SPECIAL, SERIES_LIST, names=("changed",))
def changed(context: Context, series_list: list[Points]) -> list[Points]:
    """Show 1 where a value differs from the one before, 0 elsewhere."""
    del context
    for series in series_list:
        series.call(f"changed({series.name})")
        before: Value = None
        for place, value in enumerate(series.values):
            differs = before is not None and value is not None and value != before
            series.values[place] = int(differs)
            before = before if value is None else value
    return series_list


@function(
    TRANSFORM,
    SERIES_LIST,
    Param("default", "float", default=0, tells=0),
    Param("referenceSeries", "seriesList"),
    names=("transformNull",),
)
def transform_null(context: Context, series_list: list[Points], default: float, reference: list[Points] | None) -> list[Points]:
    """Show a number where there is no value; with a reference, only where the reference has one."""
    del context
    size = max((len(series.values) for series in reference or ()), default=0)
    there = [
        any(place < len(each.values) and each.values[place] is not None for each in reference or ()) for place in range(size)
    ]
    for series in series_list:
        series.tags["transformNull"] = default
        if reference:
            series.tags["referenceSeries"] = 1
            values = series.values + [None] * (size - len(series.values))
            fill = [*there, *([False] * (len(values) - size))]
            series.values = [default if value is None and wanted else value for value, wanted in zip(values, fill, strict=True)]
        else:
            series.values = [default if value is None else value for value in series.values]
        series.call(f"transformNull({series.name},{default:g}{',referenceSeries' if reference else ''})")
    return series_list


@function(TRANSFORM, SERIES_LIST, names=("compressPeriodicGaps",))
def compress_periodic_gaps(context: Context, series_list: list[Points]) -> list[Points]:
    """Leave out gaps that come between all values, as of a series written less often than its step says."""
    del context
    for series in series_list:
        series.call(f"compressPeriodicGaps({series.name})")
        first, distance = _period(series.values)
        if distance:
            step = distance * int(series.step)
            series.start += first * int(series.step)
            values = series.values[first:]
            series.values = [last(values[at : at + distance]) for at in range(0, len(values), distance)]
            series.end, series.step = series.start + step * (len(series.values) - 1), step
    return series_list


def _period(values: Values) -> tuple[int, int]:
    """Return where the first value is, after the first place, and how far apart they are: 0 where that cannot be seen."""
    places = islice((place for place, value in enumerate(values) if value and place), 2)
    first, second = next(places, 0), next(places, 0)
    third = second + (second - first)
    if second - first < 2 or third > len(values) - 2 or not values[third]:  # noqa: PLR2004 beside each other, the end
        return 0, 0
    return (first, second - first) if values[third - 1] is None and values[third + 1] is None else (0, 0)
