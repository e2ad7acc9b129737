"""A flush as the reference server's console backend prints it: a date, then an object as Node's ``util.inspect`` shows it.

A flush holds aggregates, not samples and members: below ``timers`` and ``sets`` stand counts where statsd shows lists.

Source: statsd's ``backends/console.js``.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from nilometer.core.record import Kind
from nilometer.core.wire.inspect import Style, inspect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.record import Flush
    from nilometer.core.wire.inspect import Tree

PRETTY = Style(depth=5, colours=True)
HISTOGRAM = "histogram."


def dump(flush: Flush, percentiles: Sequence[float] = (), style: Style = Style()) -> str:  # noqa: B008 it is frozen
    """Return the flush as statsd's console backend prints it; `percentiles` are those of the settings."""
    date = time.strftime("%a %b %d %Y %H:%M:%S GMT%z (%Z)", time.localtime(flush.window.timestamp))
    return f"Flushing stats at  {date}\n{inspect(tree(flush, percentiles), style)}"


def tree(flush: Flush, percentiles: Sequence[float]) -> dict[str, Tree]:
    """Return the flush under the names that statsd gives its parts."""
    counters: dict[str, Tree] = {}
    rates: dict[str, Tree] = {}
    gauges: dict[str, Tree] = {}
    sets: dict[str, Tree] = {}
    timers: dict[str, dict[str, Tree]] = {}
    places = {(Kind.COUNTER, "count"): counters, (Kind.COUNTER, "rate"): rates, (Kind.SET, "count"): sets}
    for kind, key, statistic, value in flush.rows():
        if kind is Kind.TIMER:
            timers.setdefault(key, {})[statistic] = value
        elif kind is Kind.GAUGE:
            gauges[key] = value
        elif (kind, statistic) in places:
            places[kind, statistic][key] = value
    return {
        "counters": counters,
        "timers": {key: data["count"] for key, data in timers.items() if "count" in data},
        "gauges": gauges,
        "timer_data": {key: _nested(data) for key, data in timers.items()},
        "counter_rates": rates,
        "sets": sets,
        "pctThreshold": list(percentiles),
    }


def _nested(data: dict[str, Tree]) -> dict[str, Tree]:
    """Return a timer's statistics with its bins as an object of their own."""
    bins = {name.removeprefix(HISTOGRAM): value for name, value in data.items() if name.startswith(HISTOGRAM)}
    plain = {name: value for name, value in data.items() if not name.startswith(HISTOGRAM)}
    return {**plain, "histogram": bins} if bins else plain
