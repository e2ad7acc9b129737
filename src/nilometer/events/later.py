"""A store of events that is opened when it is first asked: who has no events does not pay for it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from nilometer.backends import registry
from nilometer.core.errors import ConfigError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.capability import EventStore
    from nilometer.core.event_query import By, Count, EventQuery, Found
    from nilometer.core.record import Event
    from nilometer.core.url import Url


class Later:
    """The store at a URL. What is wrong with the URL, or missing to open it, is `Unavailable` when it is asked."""

    def __init__(self, url: Url) -> None:
        self._url, self._lock = url, threading.Lock()
        self._opened: EventStore | None = None

    @property
    def _store(self) -> EventStore:
        with self._lock:
            if self._opened is None:
                try:
                    self._opened = registry.open(self._url, registry.EVENT_STORE)
                except ConfigError as error:
                    raise Unavailable(str(error)) from error
            return self._opened

    def known_events(self, ids: Sequence[str]) -> set[str]:
        """Return which of the ids are stored."""
        return self._store.known_events(ids)

    def write_events(self, events: Sequence[Event]) -> None:
        """Store all of the events, or raise."""
        self._store.write_events(events)

    def find_events(self, query: EventQuery, limit: int = 100, cursor: str = "") -> Found:
        """Return a page of events."""
        return self._store.find_events(query, limit, cursor)

    def count_events(self, query: EventQuery, step: float, by: By, most: int = 10) -> list[Count]:
        """Count events in slots."""
        return self._store.count_events(query, step, by, most)

    def drop_events(self, before: float) -> int:
        """Delete old events."""
        return self._store.drop_events(before)

    def close(self) -> None:
        """Close the store, if it was opened."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()
