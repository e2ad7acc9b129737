"""The same series at other times."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from nilometer.query import times
from nilometer.query.functions.table import SERIES_LIST, TRANSFORM, Param, function
from nilometer.query.limits import TooMuch

if TYPE_CHECKING:
    from nilometer.query.context import Context
    from nilometer.query.series import Points

HOUR = 3600
MOST_SHIFTS = 1000
SHIFTS = ("1h", "6h", "12h", "1d", "2d", "7d", "14d", "30d")


def _backwards(interval: str) -> str:
    return f"-{interval}" if interval[0].isdigit() else interval


@function(
    TRANSFORM,
    SERIES_LIST,
    Param("timeShift", "interval", required=True, suggestions=SHIFTS),
    Param("resetEnd", "boolean", default=True),
    Param("alignDst", "boolean", default=False),
    names=("timeShift",),
)
def time_shift(context: Context, series_list: list[Points], interval: str, reset_end: bool, align_dst: bool) -> list[Points]:  # noqa: FBT001 as the language calls it
    """Show the series of an earlier time, to compare with today's: ``timeShift(requests,"7d")``."""
    interval = _backwards(interval)
    if not series_list:
        return []
    distance = times.seconds(interval)
    if align_dst:
        distance += _clocks(context, distance)
    first = series_list[0]
    shifted = context.first_argument(context.start + distance, context.end + distance)
    for series in shifted:
        series.tags["timeShift"] = interval
        series.name = f'timeShift({series.name}, "{interval}")'
        series.end = first.end if reset_end else series.end - series.start + first.start
        series.start = first.start
    return shifted


def _clocks(context: Context, distance: int) -> int:
    """Return what makes up for clocks that were put forward or back for all of the range."""

    def summer(time: int) -> bool:
        return bool(datetime.fromtimestamp(time, context.zone).dst())

    here = {summer(context.start), summer(context.end)}
    there = {summer(max(0, context.start + distance)), summer(max(0, context.end + distance))}
    if here == {True} and there == {False}:
        return HOUR
    return -HOUR if here == {False} and there == {True} else 0


@function(
    TRANSFORM,
    SERIES_LIST,
    Param("timeShiftUnit", "interval", default="1d", suggestions=SHIFTS),
    Param("timeShiftStart", "integer", default=0, tells=0),
    Param("timeShiftEnd", "integer", default=7),
    names=("timeStack",),
)
def time_stack(context: Context, series_list: list[Points], interval: str, start: int, end: int) -> list[Points]:
    """Show the series of several earlier times at once, from `timeShiftStart` to before `timeShiftEnd` units ago."""
    interval = _backwards(interval)
    if not series_list:
        return []
    if end - start > MOST_SHIFTS:
        message = f"more than {MOST_SHIFTS} shifts"
        raise TooMuch(message)
    first, distance = series_list[0], times.seconds(interval)
    made = []
    for number in range(start, end):
        for series in context.first_argument(context.start + number * distance, context.end + number * distance):
            series.tags["timeShiftUnit"], series.tags["timeShift"] = interval, number
            series.call(f"timeShift({series.name}, {interval}, {number})")
            series.start, series.end = first.start, first.end
            made.append(series)
    return made


@function(
    TRANSFORM,
    SERIES_LIST,
    Param("startSliceAt", "date", required=True),
    Param("endSliceAt", "date", default="now"),
    names=("timeSlice",),
)
def time_slice(context: Context, series_list: list[Points], start: str, end: str) -> list[Points]:
    """Show the values between two times alone: ``timeSlice(requests,"00:00 20260101","12:00 20260101")``."""
    first, last = (times.moment(text, context.now, context.zone) for text in (start, end))
    for series in series_list:
        series.tags["timeSliceStart"], series.tags["timeSliceEnd"] = first, last
        series.name = f"timeSlice({series.name}, {first}, {last})"
        times_of = (context.start + place * series.step for place in range(len(series.values)))
        series.values = [value if first <= time <= last else None for time, value in zip(times_of, series.values, strict=True)]
    return series_list
