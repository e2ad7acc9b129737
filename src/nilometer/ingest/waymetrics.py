"""What the server measures about ways in of messages: those to events (`eventmetrics`), to statistics (`statisticsmetrics`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nilometer.core.event_status import WayStatus


def totals(prefix: str, ways: Iterable[WayStatus], label: Callable[[str], str]) -> dict[str, float]:
    """Return the counts since the start; `label` makes a name of a way's."""
    found: dict[str, float] = {}
    for way in ways:
        name = f"{prefix}.{label(way.name)}"
        found |= {f"{name}.received": way.received, f"{name}.stored": way.stored}
        found |= {f"{name}.duplicates": way.duplicates, f"{name}.bad": way.bad}
    return found


def gauges(prefix: str, ways: Iterable[WayStatus], label: Callable[[str], str]) -> dict[str, float]:
    """Return how each way is now; the lag from its first message on."""
    found: dict[str, float] = {}
    for way in ways:
        name = f"{prefix}.{label(way.name)}"
        found |= {f"{name}.waiting": way.waiting, f"{name}.up": float(not way.error)}
        if way.lag is not None:
            found[f"{name}.lag"] = round(way.lag, 3)
    return found
