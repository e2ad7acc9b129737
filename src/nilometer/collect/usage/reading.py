"""Usage added up where the store of events is read, as bytes: JSON and CSV.

Rules: an answer looks at `MOST_EVENTS` events, at most; a longer time is refused, not half answered.
"""

from __future__ import annotations

import csv
import io
import itertools
from typing import TYPE_CHECKING, Any

from nilometer.collect.usage.activity import events
from nilometer.collect.usage.period import Period
from nilometer.collect.usage.totals import BY, totals
from nilometer.core.errors import TooSlow
from nilometer.core.event_types import EVERY, Registry
from nilometer.core.wire import event as wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nilometer.collect.usage.totals import Group, Total
    from nilometer.core.capability import EventStore
    from nilometer.core.record import Event

MOST_EVENTS = 200_000
FIGURES = ("reads", "writes", "storage_gb_hours", "events")


def rows(found: Iterable[Event], by: Sequence[str], step: float) -> list[dict[str, Any]]:
    """Return totals as rows: `time` where there are slots, the names they are taken by, and `FIGURES`."""
    return [_row(group, total, by, step) for group, total in totals(found, Registry(EVERY), by, step).items()]


def names(by: Sequence[str], step: float) -> list[str]:
    """Return the columns of `rows`."""
    return [*(["time"] if step else []), *(name for name in BY if name in by), *FIGURES]


def as_json(store: EventStore, since: float, until: float, by: Sequence[str], step: float) -> bytes:
    """Return totals as JSON: ``by``, ``step`` and ``totals``, their times in seconds since the epoch. Raise `TooSlow`."""
    found = rows(_bounded(events(store, Period(since, until))), by, step)
    return wire.text({"by": list(by), "step": step, "totals": found}) + b"\n"


def as_csv(store: EventStore, since: float, until: float, by: Sequence[str], step: float) -> bytes:
    """Return totals as CSV. Raise `TooSlow`."""
    text = io.StringIO()
    writer = csv.DictWriter(text, names(by, step))
    writer.writeheader()
    writer.writerows(rows(_bounded(events(store, Period(since, until))), by, step))
    return text.getvalue().encode("utf-8", "replace")


def _row(group: Group, total: Total, by: Sequence[str], step: float) -> dict[str, Any]:
    figures = (total.reads, total.writes, total.storage, total.events)
    return (
        ({"time": group.time} if step else {})
        | {name: getattr(group, name) for name in BY if name in by}
        | dict(zip(FIGURES, figures, strict=True))
    )


def _bounded(found: Iterator[Event]) -> Iterator[Event]:
    yield from itertools.islice(found, MOST_EVENTS)
    if next(found, None) is not None:
        message = f"more than {MOST_EVENTS:,} events lie in this time; ask for a shorter one, or: nilometer usage totals"
        raise TooSlow(message)
