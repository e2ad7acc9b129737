"""Values that came with their own time: a flush for each time, beside the one of the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.core.record import Flush, Kind, Window, block
from nilometer.ingest.kernel import MAX_TIMESTAMPS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nilometer.ingest.kernel import Timed


def flushes(timed: Iterable[Timed], interval: float) -> tuple[list[Flush], int]:
    """Return the flushes in order of time, each over `interval` seconds, and how many values had no place.

    Counters of one name and time are added up, of gauges the last one counts. At most `MAX_TIMESTAMPS` times have a place.
    """
    by_time: dict[int, dict[Kind, dict[str, float]]] = {}
    lost = 0
    for each in timed:
        if each.timestamp not in by_time and len(by_time) >= MAX_TIMESTAMPS:
            lost += 1
            continue
        kinds = by_time.setdefault(each.timestamp, {Kind.COUNTER: {}, Kind.GAUGE: {}})
        before = kinds[each.kind].get(each.key, 0.0) if each.kind is Kind.COUNTER else 0.0
        kinds[each.kind][each.key] = before + each.value
    return [_flush(timestamp, kinds, interval) for timestamp, kinds in sorted(by_time.items())], lost


def _flush(timestamp: int, kinds: dict[Kind, dict[str, float]], interval: float) -> Flush:
    counters, gauges = kinds[Kind.COUNTER], kinds[Kind.GAUGE]
    rates = [count / interval for count in counters.values()]
    blocks = (
        block(Kind.COUNTER, {"rate": rates, "count": counters.values()}, counters),
        block(Kind.GAUGE, {"value": gauges.values()}, gauges),
    )
    return Flush(Window(timestamp - interval, timestamp, interval), tuple(each for each in blocks if each.count))
