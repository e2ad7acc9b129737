"""Stores that are measured, and how: made in minutes by a clock of their own, as hours or days of flushes would make them.

Each flush has timers with ten statistics, every value a random walk with two decimals.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from array import array
from operator import add
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.record import Block, Column, Flush, Kind, Window
from nilometer.testing.clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nilometer.history.store import Store

STATISTICS = ("mean_90", "upper_90", "sum_90", "std", "upper", "lower", "count", "sum", "mean", "median")
INTERVAL = 10
BEGIN = 1_000_000_800
"""The start of an hour."""
WALKS = 1000
"""Different walks; series share them."""
STEPS = range(-100, 101)
"""Hundredths by which a value changes."""
SERVICES = 40
TOLD = 360
"""Flushes between two notes on how far it is."""


class MeasuredClock(ManualClock):
    """Time of day by hand, so that hours pass in minutes; measured time by the machine, so that upkeep has its true limits."""

    def monotonic(self) -> float:
        """Return the machine's monotonic time."""
        return time.monotonic()


def flushes(timers: int, count: int) -> Iterator[Flush]:
    """Yield flushes of so many timers, ten series each."""
    chance = random.Random(1)  # noqa: S311 not a secret
    names = "\n".join(f"service{index % SERVICES}.host{index // SERVICES}.request" for index in range(timers)).encode()
    walks = [[chance.randint(0, 50_000) for _ in range(WALKS)] for _ in STATISTICS]
    for turn in range(1, count + 1):
        columns = []
        for name, walk in zip(STATISTICS, walks, strict=True):
            walk[:] = map(add, walk, chance.choices(STEPS, k=WALKS))
            values = array("d", [value / 100 for value in walk]) * (timers // WALKS + 1)
            columns.append(Column(name, values[:timers]))
        end = BEGIN + turn * INTERVAL
        yield Flush(Window(end - INTERVAL, end, INTERVAL), (Block(Kind.TIMER, names, timers, tuple(columns)),))


def milliseconds(start: float) -> float:
    """Return the milliseconds since `start`."""
    return (time.perf_counter() - start) * 1000


class Write(NamedTuple):
    """How many milliseconds a write took, and the jobs of upkeep that were under way after it."""

    took: float
    jobs: frozenset[str]


def fill(store: Store, clock: ManualClock, source: Iterable[Flush], count: int) -> list[Write]:
    """Write the flushes; return how each write went."""
    writes: list[Write] = []
    for turn, flush in enumerate(source, 1):
        clock.advance(INTERVAL)
        start = time.perf_counter()
        store.write(flush)
        writes.append(Write(milliseconds(start), store.writer().upkeep.under_way))
        if turn % TOLD == 0:
            took = [write.took for write in writes]
            note = f"{turn}/{count} flushes, median {statistics.median(took):.0f} ms, worst {max(took):.0f} ms"
            print(note, file=sys.stderr, flush=True)
    return writes


def percent(took: Sequence[float], share: float) -> float:
    """Return the value below which this share lies."""
    return sorted(took)[int(len(took) * share)]


def spread(took: Sequence[float]) -> str:
    """Return median, 99th percentile and worst, as cells of a table."""
    if not took:
        return "– | – | –"
    return f"{statistics.median(took):.1f} | {percent(took, 0.99):.1f} | {max(took):.1f}"
