"""What tests of the series store share: flushes of gauges, a store on a clock of its own, upkeep without its pace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.core import url
from nilometer.core.record import Flush, Kind, Window, block
from nilometer.history.store import Store
from nilometer.testing.clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

BEGIN = 1_000_000_800
"""A whole hour, in seconds since the epoch."""
PREFIX = "prefix=&prefix_gauge="
"""Options under which a gauge's path is its name."""


def gauges(end: float, values: Mapping[str, float], interval: float = 10.0) -> Flush:
    """Return a flush of gauges whose window ends at `end`."""
    built = block(Kind.GAUGE, {"value": list(values.values())}, list(values))
    return Flush(Window(end - interval, end, interval), (built,))


class Diary:
    """A store in `folder`, and the clock it goes by."""

    def __init__(self, folder: Path, query: str = "", start: float = BEGIN) -> None:
        self.file = folder / "history.db"
        self.clock = ManualClock(start)
        self.store = Store(url.parse(f"sqlite:///{self.file}?{PREFIX}&{query}".rstrip("&")), self.clock)

    def write(self, end: float, values: Mapping[str, float], interval: float = 10.0) -> None:
        """Write a flush, with the clock at its end where that is later than the clock."""
        self.clock.advance(max(end - self.clock.time(), 0))
        self.store.write(gauges(end, values, interval))

    def settle(self) -> None:
        """Do all upkeep that is due, whatever its pace, as if enough writes had left every hour alone."""
        writer = self.store.writer()
        writer.settle()
        while writer.tend(1e9, lambda: True):
            pass

    def read(self, path: str, start: float = 0, end: float = 1e10) -> dict[int, float]:
        """Return the points of a path."""
        (series,) = self.store.read([path], start, end)
        return dict(zip(series.times, series.values, strict=True))

    def close(self) -> None:
        """Close the store."""
        self.store.close()
