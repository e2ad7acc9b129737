"""What one asks a store of events, and what it answers.

Rules:

* `matches` is what the conditions mean; a store that finds events by other means finds the same.
* Events are in order of time, then of id, newest first; so is a cursor (`core/cursor.py`).
"""

from __future__ import annotations

import fnmatch
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from nilometer.core.record import Event

By = Literal["type", "tenant", "priority", "publisher"]
"""What events can be counted by."""


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events: all conditions hold together.

    `type` is a glob over the whole type (``*`` crosses dots). `tenant`, `publisher` and `priority` are whole words, empty for
    all. `text` stands somewhere in the payload, as JSON writes it. ``since <= time < until``, seconds since the epoch. With an
    `id` it is that event alone.
    """

    type: str = "*"
    tenant: str = ""
    publisher: str = ""
    priority: str = ""
    text: str = ""
    since: float = -math.inf
    until: float = math.inf
    id: str = ""


class Found(NamedTuple):
    """One page of events, newest first, and the cursor of the next, empty at the end."""

    events: list[Event]
    cursor: str


class Count(NamedTuple):
    """How many events had `key` in the slot that begins at `time`, seconds since the epoch."""

    key: str
    time: float
    count: int  # type: ignore[assignment]  # no one counts in a tuple of this kind


def matches(query: EventQuery, event: Event) -> bool:
    """Return whether the event is one of those that are asked for."""
    return (
        query.since <= event.time < query.until
        and all(wanted in ("", found) for wanted, found in _words(query, event))
        and fnmatch.fnmatchcase(event.type, query.type)
        and (not query.text or query.text in payload_text(event))
    )


def _words(query: EventQuery, event: Event) -> tuple[tuple[str, str], ...]:
    return (
        (query.id, event.id),
        (query.tenant, event.tenant),
        (query.publisher, event.publisher),
        (query.priority, event.priority),
    )


def payload_text(event: Event) -> str:
    """Return the payload as JSON writes it: without spaces between its parts, letters of any script as they are."""
    from nilometer.core.wire import event as wire  # noqa: PLC0415 it needs the records, which need nothing

    return wire.text(event.payload).decode()


def slot(time: float, step: float) -> float:
    """Return when the slot of `step` seconds begins in which a time lies."""
    return time // step * step
