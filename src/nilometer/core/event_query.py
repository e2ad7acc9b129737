"""What one asks a store of events, and what it answers.

Rules:

* `matches` is what the conditions mean; a store that finds events by other means finds the same.
* Events are in order of time, then of id, newest first. A cursor is the place of the last one given; it holds nothing that an
  event does not tell.
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
import math
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from nilometer.core.errors import InputError

if TYPE_CHECKING:
    from nilometer.core.record import Event

By = Literal["type", "tenant", "priority", "publisher"]
"""What events can be counted by."""
TIME = struct.Struct(">d")


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


class Place(NamedTuple):
    """Where an event stands in the order of all."""

    time: float
    id: str


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


def cursor(time: float, id: str) -> str:  # noqa: A002 the field's own word
    """Return the cursor behind the event of this time and id."""
    return base64.urlsafe_b64encode(TIME.pack(time) + id.encode("utf-8", "replace")).decode().rstrip("=")


def place(text: str) -> Place | None:
    """Return the place that a cursor tells, None for the empty one. Raise `InputError` for one that is none."""
    if not text:
        return None
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
        found = Place(TIME.unpack(data[: TIME.size])[0], data[TIME.size :].decode())
    except (binascii.Error, ValueError, struct.error):
        found = Place(math.nan, "")
    if not math.isfinite(found.time) or "\x00" in found.id or cursor(*found) != text:
        message = "cursor is none that was given; begin without one"
        raise InputError(message)
    return found


def slot(time: float, step: float) -> float:
    """Return when the slot of `step` seconds begins in which a time lies."""
    return time // step * step
