"""What the tests that compare two implementations share: how many random cases they try, and when two numbers are equal.

Rules:

* By default they try few cases; with ``NILOMETER_HYPOTHESIS=slow``, as `make test-slow` sets it, many, and the tests are slow
  ones. The cases are always the same, so that a change is judged by itself; fuzzers look for new ones.
* A test has to end long before `SECONDS` on a busy machine. There pytest-timeout stops it wherever it is; where that is in the
  middle of drawing a case, Hypothesis speaks of a `FlakyStrategyDefinition`, though no strategy is to blame.
"""

from __future__ import annotations

import math
import os
import struct
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from nilometer.core.record import Flush
    from nilometer.ingest.kernel import Kernel, Tally, Timed

SLOW = os.environ.get("NILOMETER_HYPOTHESIS") == "slow"
SECONDS = 900
MANY = 1500
"""A case takes two or three kernels through several windows: 20 to 60 ms, and several times that on a busy machine."""
MARKS = [pytest.mark.slow, pytest.mark.timeout(SECONDS)] if SLOW else []
"""What a module of such tests has as its `pytestmark`."""


def profile(examples: int) -> settings:
    """Return how random cases are made; `examples` of them where few are tried."""
    return settings(
        max_examples=MANY if SLOW else examples,
        derandomize=True,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def number(value: float) -> str:
    """Return a number to its last bit; all NaN are alike, and so are both zeros, as in text."""
    return "NaN" if math.isnan(value) else struct.pack("<d", value + 0.0).hex()


def rows(flush: Flush) -> list[tuple[Any, ...]]:
    """Return the rows of a flush, their numbers exact."""
    return [(*row[:3], number(row[3])) for row in flush.rows()]


def timed(values: tuple[Timed, ...]) -> list[tuple[Any, ...]]:
    """Return values with a time of their own, their numbers exact."""
    return [(*each[:3], number(each.value)) for each in values]


def gauges(kernel: Kernel) -> list[tuple[str, str]]:
    """Return a kernel's gauges, their numbers exact."""
    return [(key, number(value)) for key, value in zip(*kernel.gauges(), strict=True)]


def tally(found: Tally, *but: str) -> list[int]:
    """Return what was counted, but for what differs from run to run and what `but` names."""
    return [getattr(found, name) for name in found.__slots__ if name not in {"pause_ns", *but}]
