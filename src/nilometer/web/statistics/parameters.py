"""Parameters of the routes over statistics, and what they mean to a store."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import HTTPException, Path, Query

from nilometer.core.chart.frame import LARGEST, SMALLEST
from nilometer.core.errors import did_you_mean
from nilometer.core.statistics.change import LONGEST
from nilometer.query import times
from nilometer.statistics import drawing, grouping
from nilometer.statistics.formats import names
from nilometer.web.errors import answering
from nilometer.web.parameters import DIGITS

if TYPE_CHECKING:
    from nilometer.statistics.plugin import Statistic

MOST = 10_000
"""Rows of a page."""
MOST_WORDS = 20
MOST_SERIES = 100
LONGEST_CURSOR = 32_000
LONGEST_IDENT = 400
MOST_FOLLOWED = 100
FORMS = "seconds since 1970, ISO 8601, or Graphite's forms such as `-1h`"

Ident = Annotated[str, Path(max_length=LONGEST_IDENT, description="as the list of statistics tells it")]
Followed = Annotated[
    list[Annotated[str, Query(max_length=LONGEST_IDENT)]],
    Query(alias="ident", max_length=MOST_FOLLOWED, description="which statistics; all without one"),
]
Since = Annotated[str, Query(max_length=100, description=f"timestamps from then on: {FORMS}; empty for the beginning")]
Until = Annotated[
    str, Query(max_length=100, description=f"timestamps until then: {FORMS}; empty for all windows that have begun")
]
Order = Annotated[Literal["asc", "desc"], Query(description="of timestamps, and of keys within one")]
Keys = Annotated[
    list[Annotated[str, Query(max_length=2 * LONGEST)]],
    Query(
        alias="key",
        max_length=MOST_WORDS,
        description="`NAME=WORD`: rows whose key has that word; `NAME` alone: rows without one",
        examples=[["category=git"]],
    ),
]
From = Annotated[str, Query(max_length=100, description=f"from when on: {FORMS}; empty for 60 windows")]
Till = Annotated[str, Query(max_length=100, description=f"until when, not included: {FORMS}; empty for now")]
Group = Annotated[
    str,
    Query(
        max_length=100, description="into which windows: `15m`, `1h`, `1d@Europe/Prague`; empty for good ones", examples=["1h"]
    ),
]
By = Annotated[
    list[Annotated[str, Query(max_length=LONGEST)]],
    Query(max_length=MOST_WORDS, description="columns of the key that tell series apart; all without one, none if empty"),
]
Series = Annotated[int, Query(ge=1, le=MOST_SERIES, description="how many; all others are one more"), DIGITS]
Column = Annotated[str, Query(max_length=100, description="of a distribution: `count`, `mean`, `p95` …", examples=["p95"])]
Style = Annotated[drawing.Style, Query(description="of the drawing; a calendar is of one series of days, `group=1d&by=`")]
Size = Annotated[int, Query(ge=SMALLEST, le=LARGEST, description="of the chart, in pixels"), DIGITS]
Title = Annotated[str, Query(max_length=200)]
Top = Annotated[
    int | None,
    Query(ge=0, le=MOST, description="of each window only so many rows, the largest; 0: all; by default as the plugin says"),
    DIGITS,
]
Limit = Annotated[int, Query(ge=1, le=MOST), DIGITS]
Cursor = Annotated[str, Query(max_length=LONGEST_CURSOR, description="`cursor` of the page before")]


def span(statistic: Statistic, since: str, until: str) -> tuple[float, float]:
    """Return the timestamps that two texts mean, both included. Raise `HTTPException`.

    Rows of windows that have not begun are of messages dated in the future: they are shown to who asks for them.
    """
    now = int(time.time())
    end = float(statistic.window.slot(now)) if statistic.windowed else math.inf
    with answering():
        return times.moment(since, now) if since else -math.inf, times.moment(until, now) if until else end


def words(statistic: Statistic, keys: list[str]) -> tuple[tuple[int, str | None], ...]:
    """Return the words that a key must have, by the places of its columns. Raise `HTTPException`."""
    parts = [each.partition("=") for each in keys]
    return tuple((_place(statistic, "key", name), word if equals else None) for name, equals, word in parts)


def places(statistic: Statistic, by: list[str]) -> tuple[int, ...]:
    """Return the places of the key's columns that series are told apart by. Raise `HTTPException`."""
    if not by:
        return tuple(range(len(statistic.plugin.keys)))
    return tuple(sorted({_place(statistic, "by", name) for name in by if name}))


def _place(statistic: Statistic, parameter: str, name: str) -> int:
    known = statistic.plugin.keys
    if name not in known:
        there = f"there is {names(known)}{did_you_mean(name, known)}"
        raise HTTPException(400, f"{parameter}: {statistic.ident} has no column {name[:100]!r} in its key; {there}")
    return known.index(name)


def time_of_chart(statistic: Statistic, since: str, until: str) -> tuple[float, float, float]:
    """Return when a chart begins, when it ends, and what time it is. Raise `HTTPException`."""
    now = int(time.time())
    with answering():
        end = times.moment(until, now) if until else now + 1
        return times.moment(since, now) if since else end - grouping.usual(statistic.window), end, now
