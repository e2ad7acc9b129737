"""The pipe of events to one sink; its rules are those of `batches`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.core.batches import BatchWorker
from nilometer.core.record import Event
from nilometer.core.spool import Codec, SpoolOf
from nilometer.core.wire import event_batch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.capability import EventSink

Batch = tuple[Event, ...]
EventSpool = SpoolOf[Batch]
EVENTS: Codec[Batch] = Codec("batch of events", "events", "event", event_batch.encode, event_batch.decode, len)
"""How batches lie in a spool."""


class EventWorker(BatchWorker[Event]):
    """Writes events to one sink, in order."""

    noun = "events"
    stage = "event"
    _sink: EventSink

    def _store(self, items: Sequence[Event]) -> None:
        self._sink.write_events(items)

    def _told(self, item: Event) -> str:
        return f"an event of the type {item.type}"
