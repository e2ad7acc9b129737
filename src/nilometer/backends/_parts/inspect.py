"""A flush as the reference server's console backend prints it: a date, then an object as Node's ``util.inspect`` shows it.

A flush holds aggregates, not samples and members: below ``timers`` and ``sets`` stand counts where statsd shows lists.

Source: statsd's ``backends/console.js``; the layout is that of ``util.inspect`` (Node 12 and later) but for its limit of depth.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from nilometer.core.record import Kind
from nilometer.core.wire.number import to_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nilometer.core.record import Flush

    Tree = Mapping[str, "Tree"] | Sequence[float] | float

WIDTH, BESIDE = 80, 11
"""Node puts an object on one line when its entries, two characters for each, its depth and these few fit into the width."""
PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
PERCENTILE = re.compile(r"count_(top)?(\d+)(?:_(\d+))?")


def dump(flush: Flush) -> str:
    """Return the flush as statsd's console backend prints it."""
    date = time.strftime("%a %b %d %Y %H:%M:%S GMT%z (%Z)", time.localtime(flush.window.timestamp))
    return f"Flushing stats at  {date}\n{inspect(tree(flush))}"


def tree(flush: Flush) -> dict[str, Tree]:
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
        "timer_data": timers,
        "counter_rates": rates,
        "sets": sets,
        "pctThreshold": _thresholds(flush),
    }


def _thresholds(flush: Flush) -> list[float]:
    """Return the percentiles that the timers' columns tell of: ``count_90`` is 90, ``count_top10`` -10, ``count_99_9`` 99.9."""
    names = dict.fromkeys(column.name for block in flush.blocks if block.kind is Kind.TIMER for column in block.columns)
    found = [match for match in map(PERCENTILE.fullmatch, names) if match]
    return [float(f"{'-' if top else ''}{whole}.{part or 0}") for top, whole, part in (match.groups() for match in found)]


def inspect(value: Tree, indent: int = 0) -> str:
    """Return the value as ``util.inspect`` shows it, in lines that are `indent` deep."""
    if isinstance(value, float | int):
        return to_text(value)
    pair = ("{", "}") if hasattr(value, "items") else ("[", "]")
    entries = _entries(value, indent + 2)
    if not entries:
        return "".join(pair)
    if sum(map(len, entries)) + 2 * len(entries) + indent + BESIDE <= WIDTH:
        return f"{pair[0]} {', '.join(entries)} {pair[1]}"
    between = ",\n" + " " * (indent + 2)
    return f"{pair[0]}\n{' ' * (indent + 2)}{between.join(entries)}\n{' ' * indent}{pair[1]}"


def _entries(value: Mapping[str, Tree] | Sequence[float], indent: int) -> list[str]:
    if isinstance(value, dict):
        return [f"{_key(key)}: {inspect(inner, indent)}" for key, inner in value.items()]
    return [to_text(number) for number in value if isinstance(number, float)]


def _key(key: str) -> str:
    if PLAIN_KEY.fullmatch(key):
        return key
    quote = '"' if "'" in key and '"' not in key else "'"
    escaped = key.replace("\\", "\\\\").replace(quote, "\\" + quote)
    return quote + "".join(c if c.isprintable() else f"\\x{ord(c):02X}" for c in escaped) + quote
