"""Flushes to test with: every kind of series, many of them, and values that not every system can hold."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable
from dataclasses import replace

from nilometer.core.record import Block, Column, Flush, Kind, Window, block
from nilometer.ingest._reference import ReferenceKernel
from nilometer.ingest.kernel import STATSD, Aggregation, Rule

Example = Callable[[float], Flush]

INTERVAL = 10.0
TIMER_STATISTICS = {"upper_90": (3.0, 8.25), "count": (4.0, 2.0), "count_ps": (0.4, 0.2), "mean": (2.5, 7.5)}


def every_kind(end: float) -> Flush:
    """Return a flush with every kind of series, tags and a negative gauge, whose window ends at `end` (epoch seconds)."""
    blocks = (
        block(
            Kind.COUNTER, {"rate": [1.5, 0.1], "count": [15.0, 1.0]}, ["contract.requests", "contract.errors;code=500;zone=a"]
        ),
        block(Kind.TIMER, TIMER_STATISTICS, ["contract.latency", "contract.wait;zone=b"]),
        block(Kind.GAUGE, {"value": [-5.5, 1e21, 0.0]}, ["contract.heat", "contract.large", "contract.idle"]),
        block(Kind.SET, {"count": [3.0]}, ["contract.users"]),
    )
    return Flush(window(end), blocks, processing_ms=1.25)


def many(end: float, count: int = 10_000) -> Flush:
    """Return a flush of that many counters."""
    names = [f"contract.many.{number:05}" for number in range(count)]
    counts = [float(number + 1) for number in range(count)]
    return Flush(window(end), (block(Kind.COUNTER, {"rate": [each / INTERVAL for each in counts], "count": counts}, names),))


def foreign(end: float) -> Flush:
    """Return a flush whose keys hold other scripts, quotes and spaces: what arrives with `sanitize` off."""
    names = ["contract.größe", "contract.水位", "contract.it's", 'contract.a"b\\c', "contract.zone;stadt=köln"]
    return Flush(window(end), (block(Kind.GAUGE, {"value": [1.0, 2.0, 3.0, 4.0, 5.0]}, names),))


def extreme(end: float) -> Flush:
    """Return a flush with NaN, the infinities, the smallest and the largest number, and one ordinary."""
    values = [math.nan, math.inf, -math.inf, 5e-324, 1.7976931348623157e308, 7.0]
    names = [f"contract.extreme.{number}" for number in range(len(values))]
    return Flush(window(end), (block(Kind.GAUGE, {"value": values}, names),))


def gaps(end: float) -> Flush:
    """Return a flush in which one of two timers has no `mean`."""
    columns = (
        Column("count", array("d", [0.0, 2.0])),
        Column("mean", array("d", [0.0, 4.5]), present=b"\0\1"),
    )
    return Flush(window(end), (Block(Kind.TIMER, b"contract.rest\ncontract.work", 2, columns),))


def sketched(end: float) -> Flush:
    """Return a flush of timers as a kernel computes them, two of them busy, with sketches, and some that come without."""
    kernel = ReferenceKernel()
    own, plain = Rule("sketched", sketch=True), Aggregation(percentiles=(50.0,))
    kernel.configure(replace(plain, rules=(own,)))
    kernel.feed(b"contract.sketched.idle:1|ms", "", STATSD)
    kernel.flush(INTERVAL)
    lines = [f"contract.sketched;zone=a:{1.05**number * 3}|ms" for number in range(199)]
    lines += [*(f"contract.sketched.few:{number}|ms" for number in (7, 7, 9)), "contract.plain:1|ms", "contract.count:1|c"]
    kernel.feed("\n".join(lines).encode(), "", STATSD)
    return Flush(window(end), kernel.flush(INTERVAL).blocks)


def empty(end: float) -> Flush:
    """Return a flush without series."""
    return Flush(window(end), ())


def window(end: float) -> Window:
    """Return the ten seconds before `end`."""
    return Window(end - INTERVAL, end, INTERVAL)


def marked(end: float, value: float | None = None) -> Flush:
    """Return a flush of one gauge that tells its own window: its value is `value`, or `end`."""
    return Flush(window(end), (block(Kind.GAUGE, {"value": [end if value is None else value]}, ["contract.mark"]),))
