"""Values gathered into longer steps."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from nilometer.query import times
from nilometer.query.aggregates import aggregate_of
from nilometer.query.functions.parts import enough, interval_of
from nilometer.query.functions.table import AGGREGATION, INTERVAL, SERIES_LIST, TRANSFORM, Param, function

if TYPE_CHECKING:
    from nilometer.query.context import Context
    from nilometer.query.series import Points, Values

FUNC = Param("func", AGGREGATION, default="sum")
DAY, HOUR, MINUTE = 86_400, 3600, 60
WHOLE = ("years", "months", "weeks", "days", "hours", "minutes", "seconds")
FIELDS = ("month", "day", "hour", "minute", "second")
KEPT = {"years": 0, "months": 1, "weeks": 2, "days": 2, "hours": 3, "minutes": 4, "seconds": 5}
"""How many of the fields stay when a time is cut to a unit; those after them become their first."""


@function(TRANSFORM, SERIES_LIST, INTERVAL, FUNC, Param("alignToFrom", "boolean", default=False), names=("summarize",))
def summarize(context: Context, series_list: list[Points], interval: str, func: str, align: bool) -> list[Points]:  # noqa: FBT001 as the language calls it
    """Gather the values of each interval: ``summarize(requests.count,"1h","sum")``."""
    length = interval_of(interval)
    made = []
    for series in series_list:
        start, end = series.start, series.end
        if not align:
            start, end = start - start % length, end - end % length + length
        values, aligned_end = _gathered(context, series, func, range(start, end, length))
        series.tags["summarize"], series.tags["summarizeFunction"] = interval, func
        name = f'summarize({series.name}, "{interval}", "{func}"{", true" if align else ""})'
        made.append(series.copy(name, values, start=start, end=aligned_end if align else end, step=length))
    return made


def _gathered(context: Context, series: Points, func: str, times_of: range) -> tuple[Values, int]:
    """Return what the values from each of the times to the next become, and where the last interval ends."""
    fold, length = aggregate_of(func), times_of.step
    context.spend(len(times_of))
    values: Values = []
    at = 0
    size = min(len(series.values), -(-(series.end - series.start) // series.step))
    per_interval = length / series.step
    for time in times_of:
        begin, known = at, 0
        while at < size and (now := series.start + at * series.step) < time + length:
            if now <= time:
                begin = at
            known += now >= time and series.values[at] is not None
            at += 1
        fits = enough(known, per_interval, series.x_files_factor)
        values.append(fold(series.values[begin:at]) if fits else None)
    return values, times_of.start + len(times_of) * length


@function(
    TRANSFORM,
    SERIES_LIST,
    INTERVAL,
    FUNC,
    Param("alignTo", "string", options=(None, *WHOLE, True, False)),
    names=("smartSummarize",),
)
def smart_summarize(context: Context, series_list: list[Points], interval: str, func: str, align: object) -> list[Points]:
    """Gather the values of each interval, from the start of the range or of its ``hours``, ``days``, ``weeks3`` and so on."""
    length = interval_of(interval)
    if align is not None and not isinstance(align, bool):
        series_list = context.first_argument(_cut(context, str(align)), context.end)
    made = []
    for series in series_list:
        values, end = _gathered(context, series, func, range(series.start, series.end, length))
        series.tags["smartSummarize"], series.tags["smartSummarizeFunction"] = interval, func
        made.append(series.copy(f'smartSummarize({series.name}, "{interval}", "{func}")', values, end=end, step=length))
    return made


def _cut(context: Context, unit: str) -> int:
    """Return the start of the range, cut to a unit; a week may say its first day, ``weeks3`` is Wednesday."""
    start = datetime.fromtimestamp(context.start, context.zone)
    whole = times.unit(unit)
    first = {"month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0}
    month, day, hour, minute, second = (
        getattr(start, field) if place < KEPT[whole] else first[field] for place, field in enumerate(FIELDS)
    )
    cut = start.replace(month=month, day=day, hour=hour, minute=minute, second=second)
    if whole == "weeks":
        weekday = int(unit[-1]) if unit[-1].isdecimal() else 1
        cut -= timedelta(days=(start.isoweekday() - weekday) % 7)
    return int(cut.timestamp())


@function(TRANSFORM, SERIES_LIST, INTERVAL, Param("alignToInterval", "boolean", default=False), names=("hitcount",))
def hit_count(context: Context, series_list: list[Points], interval: str, align: bool) -> list[Points]:  # noqa: FBT001 as the language calls it
    """Count hits in each interval, the values being hits for each second: ``hitcount(requests.rate,"1h")``."""
    length = interval_of(interval)
    if align:
        whole = DAY if length >= DAY else HOUR if length >= HOUR else MINUTE if length >= MINUTE else 1
        unit = {DAY: "days", HOUR: "hours", MINUTE: "minutes", 1: "seconds"}[whole]
        series_list = context.first_argument(_cut(context, unit), context.end)
        for series in series_list:
            series.end = series.start + (series.end - series.start) // length * length + length
    made = []
    for series in series_list:
        size = math.ceil((series.end - series.start) / length)
        context.spend(size)
        start = series.end - size * length
        series.tags["hitcount"] = interval
        name = f'hitcount({series.name}, "{interval}"{", true" if align else ""})'
        made.append(series.copy(name, _hits(series, length, start, size), start=start, step=length))
    return made


def _hits(series: Points, length: int, start: int, size: int) -> Values:
    """Share the hits of each step out to the intervals that it lies in."""
    buckets: list[list[float]] = [[] for _ in range(size)]
    for place, value in enumerate(series.values):
        if value is None:
            continue
        begin = series.start + place * int(series.step) - start
        first, first_rest = divmod(begin, length)
        if first >= size:
            break
        last, last_rest = divmod(begin + int(series.step), length)
        if last >= size:
            last, last_rest = size - 1, length
        if first == last:
            if first >= 0:
                buckets[first].append(value * (last_rest - first_rest))
            continue
        if first >= 0:
            buckets[first].append(value * (length - first_rest))
        for between in range(first + 1, last):
            buckets[between].append(value * length)
        if last_rest > 0:
            buckets[last].append(value * last_rest)
    return [sum(bucket) if bucket else None for bucket in buckets]
