"""Events held in this process, by id, in order of arrival. Safe to use from several threads."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

from nilometer.core.cursor import Place, cursor, place
from nilometer.core.event_query import Count, Found, matches, slot

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nilometer.core.event_query import By, EventQuery
    from nilometer.core.record import Event


class HeldEvents:
    """At most `most` events; beyond that the ones that came first are dropped."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._events: dict[str, Event] = {}

    def add(self, events: Iterable[Event]) -> None:
        """Keep those whose id is not there yet."""
        with self._lock:
            for event in events:
                self._events.setdefault(event.id, event)
            for old in list(self._events)[: max(len(self._events) - self._most, 0)]:
                del self._events[old]

    def all(self) -> list[Event]:
        """Return the events in order of arrival."""
        with self._lock:
            return list(self._events.values())

    def known(self, ids: Sequence[str]) -> set[str]:
        """Return those of the ids that are held."""
        with self._lock:
            return self._events.keys() & set(ids)

    def find(self, query: EventQuery, limit: int, after: str) -> Found:
        """Return a page as `EventStore.find_events` does."""
        behind = place(after)
        found = sorted((event for event in self.all() if matches(query, event)), key=_place, reverse=True)
        rest = found if behind is None else [event for event in found if _place(event) < behind]
        page = rest[:limit]
        return Found(page, cursor(*_place(page[-1])) if page and len(rest) > limit else "")

    def count(self, query: EventQuery, step: float, by: By, most: int) -> list[Count]:
        """Count as `EventStore.count_events` does."""
        found = [(getattr(event, by), event.time) for event in self.all() if matches(query, event)]
        totals = Counter(key for key, _ in found)
        kept = {key for key, _ in sorted(totals.items(), key=lambda item: (-item[1], item[0]))[:most]}
        counts = Counter((key if key in kept else "", slot(time, step)) for key, time in found)
        return sorted(Count(key, time, count) for (key, time), count in counts.items())

    def drop(self, before: float) -> int:
        """Delete what is older than `before`."""
        with self._lock:
            old = [event.id for event in self._events.values() if event.time < before]
            for each in old:
                del self._events[each]
        return len(old)


def _place(event: Event) -> Place:
    return Place(event.time, event.id)
