"""Reads, writes and storage added up over all publishers, by service, domain and project.

Rules:

* What an event counts for, the registry of event types says: rows read or written, as many as its payload tells.
* Storage is in gigabyte hours: what a table took, times the length of the period that its usage event covers. An event that
  does not say its period counts for none.
* A domain is what the request's context, else the payload, calls so; without one it is empty.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.event_types import Usage
from nilometer.core.event_types.audit import domain, hours, moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nilometer.core.event_types import Registry
    from nilometer.core.record import Event

BY = ("service", "domain", "project")
"""What totals can be taken by."""
MOST = 10_000
"""Totals that are made, at most; the rest is one, whose names are all `OTHER`."""
OTHER = "(other)"


class Group(NamedTuple):
    """What a total is of: names, empty where totals are not taken by that, and the time at which its slot begins."""

    time: float
    service: str
    domain: str
    project: str


@dataclass(slots=True)
class Total:
    """Rows read, rows written, gigabyte hours stored, and the events that said so."""

    reads: float = 0.0
    writes: float = 0.0
    storage: float = 0.0
    events: int = 0


def totals(events: Iterable[Event], types: Registry, by: Sequence[str] = BY, step: float = 0) -> dict[Group, Total]:
    """Return the totals by group, in order; in slots of `step` seconds, 0 for a single one, which begins at 0."""
    found: dict[Group, Total] = {}
    for event in events:
        counted = types.usage(event)
        amount = 0.0 if counted is None else counted.amount
        if counted is not None and counted.usage is Usage.STORAGE:
            amount *= hours(event)
        if counted is None or amount <= 0:
            continue
        group = _group(event, counted.service, by, step)
        if group not in found and len(found) >= MOST:
            group = Group(group.time, OTHER, OTHER, OTHER)
        total = found.setdefault(group, Total())
        setattr(total, str(counted.usage), getattr(total, str(counted.usage)) + amount)
        total.events += 1
    return dict(sorted(found.items()))


def _group(event: Event, service: str, by: Sequence[str], step: float) -> Group:
    names = {"service": service, "domain": domain(event), "project": event.tenant}
    moment = _beginning(event) if step else 0.0
    return Group(math.floor(moment / step) * step if step else 0.0, *(names[name] if name in by else "" for name in BY))


def _beginning(event: Event) -> float:
    """Return when what is told happened: for a usage event the beginning of its period, which it is told after."""
    found = moment(event.payload.get("audit_period_beginning"))
    return event.time if found is None else found
