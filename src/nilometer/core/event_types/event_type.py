"""One type of events."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nilometer.core.event_types.payloads import Payload

COUNTED = "events.{type}"
"""The name of an event's counter; ``{type}`` is its type, cleaned."""


class Usage(enum.StrEnum):
    """What an event counts for when usage is added up: rows read, rows written, gigabytes stored for one period."""

    READS = "reads"
    WRITES = "writes"
    STORAGE = "storage"


@dataclass(frozen=True, slots=True)
class EventType:
    """One type of events, or with ``*`` in its name a family of them.

    `priority`: how urgent it is unless the caller says otherwise. `drivers`: the names of those that get it, none for all.
    `metric`: its counter. `usage`: what it counts for, as much as the payload's field `amount` says, else `amount_else`.
    `payload`: the dataclass of what it holds. `enabled`: whether it goes out unless it is switched on.
    """

    name: str
    help: str = ""
    priority: str = "info"
    drivers: tuple[str, ...] = ()
    metric: str = COUNTED
    usage: Usage | None = None
    amount: str = "rows_impacted"
    amount_else: float = 1.0
    payload: type[Payload] | None = None
    enabled: bool = True
