"""Several series over a time, each on a grid of its own: what charts and spreadsheets take.

Rules:

* A slot of the grid begins at a multiple of its step and holds the points from there to before the next; one without points is
  None.
* Without a step it is the one that the series was written with, or the smallest multiple of that with which there are no more
  than `points` slots.
* What is asked for is bounded before it is read: `MOST_SERIES`, `MOST_SLOTS`.
"""

from __future__ import annotations

import csv
import io
import json
import math
from bisect import bisect_left
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.chart import Line, Look, svg
from nilometer.query.grid import LOOK_BACK, USUAL_STEP, step_of, whole
from nilometer.query.limits import QueryError, TooMuch
from nilometer.query.picture import png

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nilometer.core.capability import Series, SeriesReader

AGGREGATES: dict[str, Callable[[Sequence[float]], float]] = {
    "mean": lambda values: math.fsum(values) / len(values),
    "sum": math.fsum,
    "max": max,
    "min": min,
    "last": lambda values: values[-1],
    "count": len,
}
MOST_SERIES = 500
MOST_SLOTS = 1_000_000
AT_A_TIME = 16


class Question(NamedTuple):
    """Which series, from when until when in seconds since the epoch, both included, and how their points are put together.

    `step` is in seconds, 0 for the series' own; `points` bounds the slots of each series, 0 does not.
    """

    paths: tuple[str, ...]
    start: int
    end: int
    step: int = 0
    points: int = 0
    aggregate: str = "mean"


class Row(NamedTuple):
    """A series on its grid: the first slot's time, the seconds between slots, a value for each."""

    path: str
    start: int
    step: int
    values: list[float | None]


def rows(reader: SeriesReader, question: Question) -> list[Row]:
    """Return each series, in order. Raise `QueryError`, `TooMuch`."""
    _check(question)
    made = []
    slots = 0
    for series in _read(reader, question):
        step = _step(series, question)
        slots += (question.end - question.start) // step + 1
        if slots > MOST_SLOTS:
            message = f"the answer has more than {MOST_SLOTS} values; ask for fewer series, a shorter time or a larger step"
            raise TooMuch(message)
        made.append(_row(series, question, step))
    return made


def _read(reader: SeriesReader, question: Question) -> Iterator[Series]:
    """Yield the points of each series and some before, which show its step: a few series at a time, for memory's sake."""
    begin = max(0, min(question.start, question.end - LOOK_BACK))
    for first in range(0, len(question.paths), AT_A_TIME):
        yield from reader.read(question.paths[first : first + AT_A_TIME], begin, question.end)


def _check(question: Question) -> None:
    if question.end < question.start:
        message = "until lies before from"
        raise QueryError(message)
    if len(question.paths) > MOST_SERIES:
        message = f"more than {MOST_SERIES} series; ask for fewer at a time"
        raise TooMuch(message)
    if question.aggregate not in AGGREGATES:
        message = f"aggregate is none of {', '.join(AGGREGATES)}"
        raise QueryError(message)


def _step(series: Series, question: Question) -> int:
    own = step_of(series.times) or USUAL_STEP
    if question.step or not question.points:
        return question.step or own
    return max(1, math.ceil((question.end - question.start + 1) / question.points / own)) * own


def _row(series: Series, question: Question, step: int) -> Row:
    first = question.start // step * step
    values: list[float | None] = [None] * ((question.end - first) // step + 1)
    known = whole(series.values)
    if known and isinstance(series.times, range) and step % series.times.step == 0:
        slot, folded = _folded(series.times, known, question, step)
        values[slot - first // step : slot - first // step + len(folded)] = folded
        return Row(series.path, first, step, values)
    points = zip(series.times, series.values, strict=True)
    pairs = [((time - first) // step, value) for time, value in points if time >= question.start and not math.isnan(value)]
    if len({place for place, _ in pairs}) == len(pairs) and question.aggregate != "count":
        for place, value in pairs:
            values[place] = value
    else:
        gathered: dict[int, list[float]] = {}
        for place, value in pairs:
            gathered.setdefault(place, []).append(value)
        for place, several in gathered.items():
            values[place] = float(AGGREGATES[question.aggregate](several))
    return Row(series.path, first, step, values)


def _folded(times: range, known: Sequence[float], question: Question, step: int) -> tuple[int, Sequence[float]]:
    """Return the number of the first slot that has points, counted from the epoch, and a value for it and each after it.

    The step of `times` divides that of the slots: each slot holds a slice of them.
    """
    begin, each = bisect_left(times, question.start), step // times.step
    if begin == len(times):
        return 0, []
    slot = times[begin] // step
    if each == 1 and question.aggregate != "count":
        return slot, known[begin:]
    fold = AGGREGATES[question.aggregate]
    cuts = [begin, *range(bisect_left(times, (slot + 1) * step), len(times), each), len(times)]
    return slot, [float(fold(known[start:end])) for start, end in pairwise(cuts)]


def as_json(reader: SeriesReader, question: Question) -> bytes:
    """Return ``{"from", "until", "series": [{"path", "start", "step", "values"}]}``. Raise as `rows` does."""
    series = [row._asdict() | {"values": _finite(row.values)} for row in rows(reader, question)]
    answer = {"from": question.start, "until": question.end, "series": series}
    return (json.dumps(answer, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n").encode("utf-8", "replace")


def _finite(values: Sequence[float | None]) -> Sequence[float | None]:
    """Return the values, None in place of those that JSON has no word for."""
    if math.isfinite(sum(value for value in values if value is not None)):
        return values
    return [value if value is not None and math.isfinite(value) else None for value in values]


def as_csv(reader: SeriesReader, question: Question) -> bytes:
    """Return a line for each value: ``path,time,value``, the time in UTC. Raise as `rows` does."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["path", "time", "value"])
    for row in rows(reader, question):
        for place, value in enumerate(row.values):
            if value is not None:
                moment = datetime.fromtimestamp(row.start + place * row.step, UTC)
                writer.writerow([_plain(row.path), f"{moment:%Y-%m-%dT%H:%M:%SZ}", value])
    return text.getvalue().encode("utf-8", "replace")


def _plain(path: str) -> str:
    """Return a path that no spreadsheet takes for a formula."""
    return f"'{path}" if path[:1] in "=+-@\t\r" else path


def as_svg(reader: SeriesReader, question: Question, look: Look) -> bytes:
    """Return a chart. Raise as `rows` does."""
    lines = [Line(row.path, row.start, row.step, row.values) for row in rows(reader, question)]
    title = look.title or (question.paths[0] if len(question.paths) == 1 else "")
    shown = Look(look.width, look.height, title, look.zone, legend=look.legend and len(lines) > 1)
    return svg(lines, question.start, question.end, shown).encode("utf-8", "replace")


def as_png(reader: SeriesReader, question: Question, look: Look) -> bytes:
    """Return the chart as a picture. Raise as `rows` and `png` do."""
    return png(as_svg(reader, question, look).decode())
