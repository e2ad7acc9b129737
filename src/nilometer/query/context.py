"""What the functions of one request share: its range, its store, its bounds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING

from nilometer.query import find, grid
from nilometer.query.grid import Slots, Span
from nilometer.query.series import Points

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nilometer.core.capability import SeriesReader
    from nilometer.query.limits import Budget
    from nilometer.query.parse import Constant, Node
    from nilometer.query.series import Values

AT_A_TIME = 200
"""Series that are read before their points are counted."""
MOST_BEFORE = 8 * 86_400
"""Seconds before the range that functions may ask for without wider steps, so that what they make fits to its values."""


class Source:
    """A store as one request reads it: each pattern once for each range.

    `now` is the last second there is, `length` that of the request's range in seconds.
    """

    def __init__(self, reader: SeriesReader, now: int, length: int, budget: Budget) -> None:
        self._reader, self._now, self._length, self.budget = reader, now, length, budget
        self._paths: dict[object, list[str]] = {}
        self._read: dict[tuple[object, int, int], list[Slots]] = {}

    def by_path(self, pattern: str, start: int, end: int) -> list[Slots]:
        """Return the series that a pattern means."""
        return self._slots(pattern, lambda: find.leaves(self._reader, pattern), start, end)

    def by_tags(self, expressions: Sequence[str], start: int, end: int) -> list[Slots]:
        """Return the series that fit tag expressions."""
        return self._slots(tuple(expressions), lambda: find.by_tags(self._reader, expressions), start, end)

    def _slots(self, key: object, look_up: Callable[[], list[str]], start: int, end: int) -> list[Slots]:
        if start > self._now or end <= start:
            return []
        end = min(end, self._now)
        known = (key, start, end)
        if known in self._read:
            self.budget.take(0, _size(self._read[known]))
            return self._read[known]
        if key not in self._paths:
            self._paths[key] = look_up()
        paths, found = self._paths[key], list[Slots]()
        self.budget.take(len(paths), 0)
        for at in range(0, len(paths), AT_A_TIME):
            span = Span(start, end, max(self._length, end - start - MOST_BEFORE))
            read = grid.read(self._reader, paths[at : at + AT_A_TIME], span, self._now)
            self.budget.take(0, _size(read))
            found += read
        self._read[known] = found
        return found


def _size(slots: Sequence[Slots]) -> int:
    return sum(len(each.values) for each in slots)


@dataclass(slots=True)
class Context:
    """The range asked for, in whole seconds, `end` included; and what goes with it.

    `again` evaluates a node for another range; `args` are the nodes that the present call was written with.
    """

    source: Source
    start: int
    end: int
    again: Callable[[Context, Node], list[Points]]
    parse: Callable[[str], Node]
    zone: tzinfo = UTC
    now: int = 0
    x_files_factor: float = 0.0
    template: Mapping[str, Constant] = field(default_factory=dict)
    args: tuple[Node, ...] = ()
    stacks: dict[str, list[float]] = field(default_factory=dict)

    def between(self, start: int, end: int) -> Context:
        """Return the context of another range."""
        return replace(self, start=start, end=end)

    def first_argument(self, start: int, end: int) -> list[Points]:
        """Return what the present call's first argument is for another range."""
        return self.again(self.between(max(0, start), end), self.args[0])

    def series(self, slots: Sequence[Slots], expression: str) -> list[Points]:
        """Return what was read as series of the language, their values their own."""
        return [
            Points(
                each.path,
                each.start,
                each.end,
                each.step,
                each.values,
                x_files_factor=self.x_files_factor,
                path_expression=expression,
            )
            for each in slots
        ]

    def made(self, name: str, start: int, end: int, step: int, values: Values) -> Points:
        """Return a series that a function made."""
        return Points(name, start, end, step, values, x_files_factor=self.x_files_factor)

    def spend(self, points: int) -> None:
        """Count points before they are made. Raise `TooMuch`."""
        self.source.budget.take(0, max(0, points))
