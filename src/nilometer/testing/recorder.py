"""A client that sends nothing: it keeps the lines, for tests of what emits them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

Tags = Mapping[str, str] | Sequence[tuple[str, str]]


class Line(NamedTuple):
    """A line as it was emitted, its tags as a mapping."""

    kind: str
    stat: str
    value: float
    rate: float
    tags: dict[str, str]


class Recorder:
    """Keeps what is emitted, in `lines`."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def emit(self, kind: str, stat: str, value: float, rate: float = 1.0, tags: Tags = ()) -> None:
        """Keep a line."""
        self.lines.append(Line(kind, stat, value, rate, dict(tags)))

    def stats(self) -> list[str]:
        """Return the names, in the order of the lines."""
        return [line.stat for line in self.lines]

    def values(self, stat: str) -> list[float]:
        """Return the values of a name."""
        return [line.value for line in self.lines if line.stat == stat]

    def total(self, stat: str) -> float:
        """Return the sum of the values of a name."""
        return sum(self.values(stat))

    def clear(self) -> None:
        """Forget the lines."""
        self.lines.clear()
