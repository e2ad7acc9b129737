# ruff: noqa: RUF009  `option` makes a dataclass field; the first argument is its default
"""Sinks: the spool of each, how they are tried again, and the embedded store."""

from __future__ import annotations

from dataclasses import dataclass

from nilometer.core.quantity import Duration, Rollup, Size
from nilometer.core.sections import checks
from nilometer.core.setting import option

KIB, GIB = 1 << 10, 1 << 30
MINUTE, DAY = 60, 86400


@dataclass(frozen=True, slots=True)
class SpoolSection:
    """The queue on disk of each sink, for when it is away."""

    size: Size = option(
        Size(GIB), "Bytes that one sink's spool may take; the oldest flushes are dropped first.", minimum=64 * KIB
    )
    age: Duration = option(Duration(7 * DAY), "How long a flush may wait in a spool.", minimum=1)


@dataclass(frozen=True, slots=True)
class RetrySection:
    """How a sink that is away is tried again: exponential back-off with full jitter."""

    first: Duration = option(Duration(1), "Bound of the delay after the first failure; doubles each time.", minimum=0.01)
    most: Duration = option(Duration(MINUTE), "The most that the bound of the delay grows to.", minimum=0.01)


@dataclass(frozen=True, slots=True)
class HistorySection:
    """The embedded store of series. Options in the store's URL win over these."""

    retention: Duration = option(Duration(7 * DAY), "How long points are kept as they were flushed.", minimum=3600)
    rollups: tuple[Rollup, ...] = option(
        (Rollup(Duration(MINUTE), Duration(30 * DAY)), Rollup(Duration(10 * MINUTE), Duration(365 * DAY))),
        "Coarser points for longer times, as step:keep.",
        check=checks.rollup,
    )
