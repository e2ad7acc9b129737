"""Series as bytes: JSON, CSV, raw, dygraph, rickshaw, SVG.

Rules:

* JSON shows at most `most` points of each series, where that is asked for: so many values become one that steps stay whole and
  stand at multiples of their length, so that a chart does not tremble as time goes on.
* Values that are not finite are null, infinity is 1e9999, as graphite-web writes them.

Source: graphite-web 1.1, "The Render URL API", format.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from nilometer.core.chart import Line, svg
from nilometer.query.limits import QueryError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from nilometer.core.chart import Look
    from nilometer.query.series import Points, Value

NO_STEP = 1
HEXADECIMAL = re.compile(r"[0-9a-fA-F]{6}(?:[0-9a-fA-F]{2})?")
COLOURS = {
    "black": "#000000",
    "white": "#ffffff",
    "blue": "#6464ff",
    "green": "#00c800",
    "red": "#ff0000",
    "yellow": "#ffff00",
    "orange": "#ffa500",
    "purple": "#c864ff",
    "brown": "#966432",
    "cyan": "#00ffff",
    "aqua": "#009696",
    "gray": "#afafaf",
    "grey": "#afafaf",
    "magenta": "#ff00ff",
    "pink": "#ff6464",
    "gold": "#c8c800",
    "rose": "#c896c8",
    "darkblue": "#0000ff",
    "darkgreen": "#009600",
    "darkred": "#c80032",
    "darkgray": "#6f6f6f",
    "darkgrey": "#6f6f6f",
}
"""Graphite's names of colours."""


def narrow(series_list: Sequence[Points], most: int) -> None:
    """Show at most so many points of each series."""
    length = max(series.end for series in series_list) - min(series.start for series in series_list)
    for series in series_list:
        points = length / series.step
        if most == 1:
            series.per_point = max(NO_STEP, len(series.values))
        elif most < points:
            series.per_point = math.ceil(points / most)
            whole = series.per_point * int(series.step)
            nudge = whole + series.start % series.step - series.start % whole
            series.start += nudge
            series.values = series.values[max(0, nudge // series.step - 1) :]


def to_json(series_list: Sequence[Points], most: int | None, *, nulls: bool = True, indent: int | None = None) -> bytes:
    """Write ``[{"target", "tags", "datapoints": [[value, time], …]}, …]``."""
    told: list[dict[str, Any]] = []
    if any(series.values for series in series_list):
        if most:
            narrow(series_list, most)
        for series in series_list:
            points = [(_finite(value), time) for value, time in series.points()]
            points = points if nulls else [point for point in points if point[0] is not None]
            if points or nulls:
                told.append({"target": series.name, "tags": series.tags, "datapoints": points})
    return json.dumps(told, indent=indent).replace("Infinity,", "1e9999,").encode()


def _finite(value: Value) -> Value:
    return None if value is None or math.isnan(value) else value


def to_csv(series_list: Sequence[Points], zone: tzinfo) -> bytes:
    """Write a line for each point: name, time of the zone, value."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for series in series_list:
        for place, value in enumerate(series.shown()):
            time = datetime.fromtimestamp(series.start + place * series.step, zone)
            writer.writerow((series.name, time.strftime("%Y-%m-%d %H:%M:%S"), value))
    return text.getvalue().encode()


def to_raw(series_list: Sequence[Points]) -> bytes:
    """Write a line for each series: ``name,start,end,step|value,value,None``."""
    lines = []
    for series in series_list:
        values = ",".join(map(repr, series.shown()))
        lines.append(f"{series.name},{series.start},{series.end},{series.step}|{values}\n")
    return "".join(lines).encode()


def to_dygraph(series_list: Sequence[Points]) -> bytes:
    """Write ``{"labels", "data": [[milliseconds, value, …], …]}``, the times those of the first series."""
    if not series_list:
        return b"{}"
    first = series_list[0]
    times = range(first.start, first.end, first.step)
    lines = [[time * 1000, *(_at(series, place) for series in series_list)] for place, time in enumerate(times)]
    return json.dumps({"labels": ["Time", *(series.name for series in series_list)], "data": lines}).encode()


def _at(series: Points, place: int) -> Value:
    return _finite(series.values[place]) if place < len(series.values) else None


def to_rickshaw(series_list: Sequence[Points], indent: int | None = None) -> bytes:
    """Write ``[{"target", "datapoints": [{"x": time, "y": value}, …]}, …]``."""
    told = []
    for series in series_list:
        pairs = zip(range(series.start, series.end, series.step), series.shown(), strict=False)
        told.append({"target": series.name, "datapoints": [{"x": time, "y": _finite(value)} for time, value in pairs]})
    return json.dumps(told, indent=indent).encode()


def to_svg(series_list: Sequence[Points], span: range, look: Look) -> bytes:
    """Draw the series as lines, each with the colour that ``color()`` gave it."""
    lines = [
        Line(series.name, series.start, series.step, series.values, COLOURS.get(series.color, _hexadecimal(series.color)))
        for series in series_list
        if not series.options.get("invisible")
    ]
    return svg(lines, span.start, span.stop, look).encode("utf-8", "replace")


def _hexadecimal(colour: str) -> str:
    digits = colour.removeprefix("#")
    return f"#{digits}" if HEXADECIMAL.fullmatch(digits) else ""


def no_drawing(kind: str) -> QueryError:
    """Return the error for a picture that cannot be made here."""
    return QueryError(f"format={kind} is not to be had here; ask for format=png, svg, json, csv or raw")
