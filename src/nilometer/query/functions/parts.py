"""What several families of functions need: names by node, a common grid, intervals."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from nilometer.query import times
from nilometer.query.limits import MOST_NAME, QueryError, TooMuch
from nilometer.query.parse import first_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from nilometer.query.series import Points, Value, Values

MOST_STEP = 10 * 366 * 86_400


def each_value(series: Points, change: Callable[[Value], Value]) -> None:
    """Change a series' values one by one."""
    series.values = [change(value) for value in series.values]


def each_known(series: Points, change: Callable[[float], Value]) -> None:
    """Change a series' values one by one, but for those that are None."""
    series.values = [None if value is None else change(value) for value in series.values]


def regular_expression(text: str) -> re.Pattern[str]:
    """Compile a user's regular expression. Raise `QueryError`."""
    try:
        return re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        message = f"{text[:100]!r} is no regular expression: {error}"
        raise QueryError(message) from error


def replaced(pattern: re.Pattern[str], replacement: str, name: str) -> str:
    """Return a name with what the pattern matches replaced. Raise `QueryError`."""
    if len(replacement) * (len(name) + 1) > MOST_NAME * MOST_NAME:
        message = f"{replacement[:40]!r}… is too long a replacement"
        raise TooMuch(message)
    try:
        return pattern.sub(replacement, name)
    except (re.error, IndexError) as error:
        message = f"{replacement[:100]!r} is no replacement for it: {error}"
        raise QueryError(message) from error


def interval_of(text: str) -> int:
    """Return the seconds of an interval, without its sign. Raise `QueryError` for none."""
    length = abs(times.seconds(text))
    if length == 0:
        message = f"{text!r} is no time at all"
        raise QueryError(message)
    return length


def node_or_tag(series: Points, node: Any, path: str | None) -> str:  # noqa: ANN401 a number, or a tag's name
    """Return a part of the series' name by its number, or the value of a tag."""
    try:
        if node == int(node):
            return (path or series.name).split(";", 2)[0].split(".")[int(node)]
    except (ValueError, TypeError, IndexError, OverflowError):
        pass
    return series.tags.get(str(node), "")


def key_of(series: Points, nodes: Iterable[Any]) -> str:
    """Return parts of the series' name and values of its tags, joined by dots."""
    path = first_path(series.name) if series.name.endswith(")") else None
    return ".".join(node_or_tag(series, node, path) for node in nodes)


def grouped(series_list: Iterable[Points], nodes: Sequence[Any]) -> dict[str, list[Points]]:
    """Return the series by their keys, in order of appearance."""
    groups: dict[str, list[Points]] = {}
    for series in series_list:
        groups.setdefault(key_of(series, nodes), []).append(series)
    return groups


def aligned(series_list: Sequence[Points]) -> tuple[int, int, int]:
    """Show all series with one step; return start, end and that step. There is at least one series."""
    step = math.lcm(*(int(series.step) for series in series_list))
    if step > MOST_STEP:
        message = f"the steps of the series have no common multiple of less than {MOST_STEP} s"
        raise TooMuch(message)
    for series in series_list:
        series.per_point = step // int(series.step)
    start = min(series.start for series in series_list)
    end = max(series.end for series in series_list)
    return start, end - (end - start) % step, step


def expressions(series_list: Iterable[Points]) -> str:
    """Return the path expressions of series, each once."""
    return ",".join(dict.fromkeys(series.path_expression for series in series_list))


def enough(known: int, total: float, factor: float | None) -> bool:
    """Say whether so many known values of all are enough."""
    return bool(known and total) and known / total >= (factor or 0.0)


def enough_of(values: Sequence[Value], factor: float | None) -> bool:
    """Say whether enough of the values are known."""
    return enough(len(values) - values.count(None), len(values), factor)


def nothing(series: Points) -> Values:
    """Return as many None as the series shows values."""
    return [None] * len(series.shown())
