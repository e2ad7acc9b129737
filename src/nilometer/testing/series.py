"""A store of series in memory, as tests fill it: the reader of `nilometer.core.capability` over plain dictionaries."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

from nilometer.core.capability import Series

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Shelf:
    """Series by path, their values by time."""

    def __init__(self, series: Mapping[str, Mapping[int, float]]) -> None:
        self._series = series

    def find(self, pattern: str = "*", limit: int = 10_000, after: str = "") -> list[str]:
        """Return the paths after `after` that match the glob, sorted, at most `limit`."""
        return [path for path in sorted(fnmatch.filter(self._series, pattern)) if path > after][:limit]

    def read(self, paths: Sequence[str], start: float, end: float) -> list[Series]:
        """Return the points of each path with ``start <= time <= end``."""
        found = []
        for path in paths:
            points = sorted((time, value) for time, value in self._series.get(path, {}).items() if start <= time <= end)
            found.append(Series(path, [time for time, _ in points], [value for _, value in points]))
        return found

    def close(self) -> None:
        """Keep everything."""
