"""What a usage event says of its period and of whom to bill.

Source: https://wiki.openstack.org/wiki/SystemUsageData, fields ``audit_period_beginning`` and ``audit_period_ending``
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.core.errors import InputError
from nilometer.core.wire import rfc3339

if TYPE_CHECKING:
    from nilometer.core.record import Event

DOMAINS = ("project_domain", "project_domain_id", "domain", "domain_id", "user_domain", "user_domain_id")
"""Who is billed, by the names that requests' contexts and payloads have for it; the first that is there counts."""


def domain(event: Event) -> str:
    """Return the domain that an event belongs to, empty where nobody says."""
    for place in (event.context, event.payload):
        for name in DOMAINS:
            if isinstance(value := place.get(name), str) and value:
                return value
    return ""


def hours(event: Event) -> float:
    """Return how long the period of a usage event is, in hours; 0 where it does not say."""
    beginning, ending = (moment(event.payload.get(f"audit_period_{name}")) for name in ("beginning", "ending"))
    return max(ending - beginning, 0.0) / 3600 if beginning is not None and ending is not None else 0.0


def moment(value: object) -> float | None:
    """Return a time as seconds since the epoch, None for what is none."""
    if not isinstance(value, str):
        return None
    try:
        return rfc3339.decode(value, naive=True)
    except InputError:
        return None
