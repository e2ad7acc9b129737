"""A series as the language has it: values on a grid, a name, tags.

Rules:

* Value number `i` stands for the time ``start + i * step``; None where nothing is known. `end` is the time after the last.
* A series shows each `per_point` values as one, made by `consolidation`, where at least `x_files_factor` of them are known.
* Tags are text, whatever is set.

Source: graphite-web 1.1, whose results these are to be, to the digit.
"""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from nilometer.query.limits import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

Value = float | None
Values = list[Value]
CALLED = re.compile(r"[a-z]+[(].+[)]$", re.IGNORECASE)
AVG_ZERO = "avg_zero"


def _average(known: Sequence[float]) -> float:
    return sum(known) / len(known)


CONSOLIDATIONS: dict[str, Callable[[Sequence[float]], float]] = {
    "sum": sum,
    "average": _average,
    "avg": _average,
    AVG_ZERO: _average,
    "max": max,
    "min": min,
    "first": lambda known: known[0],
    "last": lambda known: known[-1],
}


class Tags(dict[str, str]):
    """Tags by name; what is set becomes text."""

    def __setitem__(self, tag: str, value: object) -> None:
        """Set a tag."""
        super().__setitem__(tag, str(value))


def tags_of(path: str) -> Tags:
    """Return the tags in a path, its name among them: of ``a.b;dc=x`` they are name ``a.b`` and dc ``x``."""
    name, *parts = path.split(";")
    tags: dict[str, str] = {}
    for part in parts:
        tag, _, value = part.partition("=")
        if not tag or not value:
            return Tags(name=path)
        tags[tag] = value
    tags["name"] = name.lstrip("~") or path
    return Tags(tags)


class Points:
    """One series of an answer."""

    __slots__ = (
        "color",
        "consolidation",
        "end",
        "name",
        "options",
        "path_expression",
        "per_point",
        "start",
        "step",
        "tags",
        "values",
        "x_files_factor",
    )

    def __init__(  # noqa: PLR0913 what a series is
        self,
        name: str,
        start: int,
        end: int,
        step: int,
        values: Iterable[Value],
        *,
        consolidation: str = "average",
        tags: Mapping[str, str] | None = None,
        x_files_factor: float | None = None,
        path_expression: str | None = None,
    ) -> None:
        self.name, self.start, self.end, self.step, self.values = name, start, end, step, list(values)
        self.path_expression = path_expression or name
        self.consolidation, self.per_point = consolidation, 1
        self.x_files_factor = 0.0 if x_files_factor is None else x_files_factor
        if isinstance(tags, Tags):
            self.tags = tags
        elif tags:
            self.tags = Tags(tags)
        else:
            self.tags = Tags(name=name) if CALLED.match(name) else tags_of(name)
        self.options: dict[str, Any] = {}
        self.color = ""

    def copy(
        self, name: str, values: Iterable[Value], *, start: int | None = None, end: int | None = None, step: int = 0
    ) -> Points:
        """Return a series with the same tags, and what else is not said; its name is its path expression."""
        return Points(
            name,
            self.start if start is None else start,
            self.end if end is None else end,
            step or self.step,
            values,
            consolidation=self.consolidation,
            tags=self.tags,
            x_files_factor=self.x_files_factor,
        )

    def call(self, name: str) -> None:
        """Give it a name that is its path expression, too."""
        self.name = self.path_expression = name

    def shown(self) -> Values:
        """Return the values as they are shown. Raise `QueryError` for an unknown consolidation."""
        fold = CONSOLIDATIONS.get(self.consolidation)
        if self.per_point <= 1:
            return self.values
        if fold is None:
            message = f"{self.consolidation!r} is no consolidation; one of {', '.join(CONSOLIDATIONS)}"
            raise QueryError(message)
        size = self.per_point
        return [self._folded(self.values[at : at + size], fold) for at in range(0, len(self.values), size)]

    def _folded(self, values: Values, fold: Callable[[Sequence[float]], float]) -> Value:
        known = [value for value in values if value is not None]
        if not known or len(known) / self.per_point < self.x_files_factor:
            return None
        return fold([value or 0 for value in values] if self.consolidation == AVG_ZERO else known)

    def points(self) -> list[tuple[Value, int]]:
        """Return values with their times, as they are shown."""
        times = range(int(self.start), int(self.end) + 1, int(self.step * self.per_point))
        return list(zip(self.shown(), times, strict=False))


def rows(series: Sequence[Points]) -> Iterable[tuple[Value, ...]]:
    """Yield what the series show at each time; those that end early show None."""
    return zip_longest(*(each.shown() for each in series))
