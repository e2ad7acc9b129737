"""A chart of a statistic as JSON, as CSV with a column for each series, and as a drawing in SVG.

Rules:

* In a drawing of lines a value stands in the middle of its window, in one of bars over all of it.
* A series is called by the words of its key; all others together ``others``; the only one of all keys by its column.
"""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from nilometer.core.chart import Day, Line, Stack, calendar, stacked, svg
from nilometer.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.core.chart import Look
    from nilometer.statistics.chart import Chart, Series

Style = Literal["lines", "bars", "calendar"]
OTHERS, NO_WORD = "others", "(none)"


def as_json(chart: Chart) -> str:
    """Return ``ident``, ``group``, ``column``, ``begins`` and ``times`` of the windows, ``series`` and ``left_out``."""
    told = {
        "ident": chart.ident,
        "group": str(chart.group),
        "column": chart.column,
        "begins": chart.begins,
        "times": chart.ends,
        "series": [_told(chart, series) for series in chart.series],
        "left_out": chart.left_out,
    }
    return json.dumps(told, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def as_csv(chart: Chart) -> str:
    """Return a line for each window: its end, then a value of each series."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("timestamp", *(name(chart, series) for series in chart.series)))
    writer.writerows(zip(map(float, chart.ends), *(series.values for series in chart.series), strict=True))
    return text.getvalue()


def as_svg(chart: Chart, style: Style, look: Look) -> str:
    """Return a drawing. Raise `InputError` when the style is not for such a chart."""
    titled = replace(look, title=look.title or chart.ident)
    if style == "calendar":
        return calendar(list(_days(chart)), titled)
    spans = list(zip(chart.begins, chart.ends, strict=True))
    if style == "bars":
        return stacked([Stack(name(chart, series), series.values) for series in chart.series], spans, titled)
    middles = [(begin + end) / 2 for begin, end in spans]
    lines = [Line(name(chart, series), 0, 0, series.values, times=middles) for series in chart.series]
    return svg(lines, chart.begins[0], chart.ends[-1], titled)


def _days(chart: Chart) -> Iterator[Day]:
    """Yield the days of the one series. Raise `InputError` for windows that are no days, and for several series."""
    if chart.group.unit != "d" or len(chart.series) > 1:
        message = "style: a calendar is of days, group=1d, and of one series: choose a key, or add all up with by="
        raise InputError(message)
    zone = UTC if chart.group.zone == "UTC" else ZoneInfo(chart.group.zone)
    values = chart.series[0].values if chart.series else [None] * len(chart.begins)
    for begin, value in zip(chart.begins, values, strict=True):
        yield Day(datetime.fromtimestamp(begin, zone).date(), value)


def name(chart: Chart, series: Series) -> str:
    """Return what a series is called."""
    if series.key is None:
        return OTHERS
    return ", ".join(NO_WORD if word is None else word for word in series.key) or chart.column


def _told(chart: Chart, series: Series) -> dict[str, Any]:
    key = None if series.key is None else dict(zip(chart.keys, series.key, strict=True))
    values = [None if value is None or not math.isfinite(value) else value for value in series.values]
    total = series.total if math.isfinite(series.total) else None
    return {"name": name(chart, series), "key": key, "total": total, "values": values}
