"""A look at the open window, and the deletion of series from it.

Rules:

* To look changes nothing.
* A deleted series is gone from the window and from what is kept, the gauges of the last flush included.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from nilometer.core.record import Kind
from nilometer.ingest._reference.members import Members
from nilometer.ingest._reference.table import series
from nilometer.ingest.inspection import MOST_ITEMS, Peeked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.ingest._reference.table import Table, Window


def order(window: Window) -> Iterator[tuple[Kind, str]]:
    """Yield all series, kind by kind, in order of first arrival."""
    for kind in Kind:
        yield from ((kind, key) for key in series(window, kind))


def peek(window: Window, kind: Kind, most: int) -> Peeked:
    """Return the first `most` series of a kind."""
    seen = Peeked(kind, list(islice(series(window, kind), most)), count=len(series(window, kind)))
    for key in seen.keys:
        if kind is Kind.TIMER:
            held = window.timers[key]
            seen.values.append(float(held.count() if held else 0))
            seen.samples.append(held.values[:MOST_ITEMS] if held else [])
        elif kind is Kind.SET:
            members = window.sets[key] or Members()
            seen.values.append(float(len(members)))
            seen.members.append(list(islice(members, MOST_ITEMS)))
        else:
            seen.values.append(window.count(key) if kind is Kind.COUNTER else window.gauges[key])
    return seen


def keys(window: Window, kind: Kind, prefix: str, most: int) -> list[str]:
    """Return the first `most` keys of a kind that start with `prefix`."""
    return list(islice((key for key in series(window, kind) if key.startswith(prefix)), most))


def delete(table: Table, kind: Kind, key: str) -> bool:
    """Delete a series. Return whether there was one."""
    if key not in series(table, kind):
        return False
    table.forget(kind, key)
    return True
