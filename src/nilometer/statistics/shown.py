"""Rows as they are served: objects of a ``timestamp``, the words of the key, and the columns of the statistic's kind.

============ =====================================================================================================
kind         columns beside ``timestamp`` and the keys
============ =====================================================================================================
sum          the plugin's `value`: a whole number as an integer
distinct     the plugin's `value`: how many
distribution ``count``, ``mean``, ``lower``, ``upper``, and the percentiles 50, 90, 95 and 99 as ``p50`` …
latest       the plugin's `value`: a text
============ =====================================================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.core.sketch import Sketch
from nilometer.core.statistics import Kind
from nilometer.core.statistics.change import MOST_EXACT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from nilometer.core.statistics import Row
    from nilometer.statistics.plugin import Cell, Plugin

PERCENTILES = (50, 90, 95, 99)
MEASURES: dict[str, Callable[[Sketch], float | int | None]] = {
    "count": lambda sketch: sketch.count,
    "mean": lambda sketch: sketch.sum / sketch.count if sketch.count else None,
    "lower": lambda sketch: sketch.low,
    "upper": lambda sketch: sketch.high,
    **{f"p{each}": lambda sketch, fraction=each / 100: sketch.quantile(fraction) for each in PERCENTILES},  # type: ignore[misc]  # mypy takes the default for a parameter
}
"""What is shown of a distribution."""


def columns(plugin: Plugin) -> tuple[str, ...]:
    """Return the names of a row's columns, in order."""
    values = tuple(MEASURES) if plugin.kind is Kind.DISTRIBUTION else (plugin.value,)
    return ("timestamp", *plugin.keys, *values)


def shown(plugin: Plugin, rows: Iterable[Row]) -> Iterator[dict[str, Cell]]:
    """Yield the object of each row."""
    names = columns(plugin)
    for row in rows:
        yield dict(zip(names, (float(row.time), *row.key, *_values(plugin.kind, row)), strict=True))


def _values(kind: Kind, row: Row) -> tuple[Cell, ...]:
    if kind is Kind.LATEST:
        return (row.text,)
    if kind is not Kind.DISTRIBUTION:
        return (number(row.value),)
    sketch = Sketch.decode(row.sketch)
    return tuple(measure(sketch) for measure in MEASURES.values())


def number(value: float) -> float | int:
    """Return a whole number as an integer."""
    return int(value) if value.is_integer() and abs(value) < MOST_EXACT else value
