"""An event as a row of a table: its words, its time, its documents as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nilometer.core.errors import InputError, Rejected
from nilometer.core.wire import event as wire

if TYPE_CHECKING:
    from nilometer.core.record import Event

WORDS = ("id", "type", "publisher", "priority", "tenant")


def event_row(event: Event) -> dict[str, Any]:
    """Return an event's row. Raise `Rejected` when it is none that can be stored."""
    try:
        wire.check(event)
    except InputError as error:
        message = f"event {event.id!r:.100}: {error}"
        raise Rejected(message) from error
    words = {name: getattr(event, name) for name in WORDS}
    documents = {name: wire.text(getattr(event, name)).decode() for name in ("payload", "context")}
    return {**words, "time": float(event.time), **documents}
