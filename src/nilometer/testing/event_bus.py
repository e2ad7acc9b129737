"""A store of events and a source of messages in this process, which can be away, and tell what was done with them.

They stand for a database and a bus where a test is about what happens around these.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from nilometer.core.errors import Rejected, Unavailable
from nilometer.core.event_query import Found
from nilometer.core.record import Event, Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.event_query import By, Count, EventQuery


def event(number: int | str, type: str = "magnetodb.table.create.end", time: float = 0.0) -> Event:  # noqa: A002 the field's name
    """Return an event that is told apart by its id."""
    return Event(str(number), time, type, "magnetodb.host1", "info", "acme")


class StoreInMemory:
    """A store of events. While `away` says why, it raises `Unavailable`; events whose id is in `refused` it rejects.

    `unconfirmed`: the next write is stored, but fails all the same.
    """

    def __init__(self) -> None:
        self.events: dict[str, Event] = {}
        self.away = ""
        self.refused: set[str] = set()
        self.unconfirmed = False
        self.writes: list[int] = []
        self.closed = False

    def known_events(self, ids: Sequence[str]) -> set[str]:
        """Return which of the ids are stored."""
        self._look()
        return set(ids) & self.events.keys()

    def write_events(self, events: Sequence[Event]) -> None:
        """Store all of them, or none."""
        self._look()
        if any(event.id in self.refused for event in events):
            message = "one of these cannot be stored"
            raise Rejected(message)
        self.writes.append(len(events))
        for each in events:
            self.events.setdefault(each.id, each)
        if self.unconfirmed:
            self.unconfirmed = False
            message = "the connection broke at the commit"
            raise Unavailable(message)

    def _look(self) -> None:
        if self.away:
            raise Unavailable(self.away)

    def find_events(self, query: EventQuery, limit: int = 100, cursor: str = "") -> Found:
        """Return all, newest first."""
        del query, cursor
        return Found(sorted(self.events.values(), key=lambda each: -each.time)[:limit], "")

    def count_events(self, query: EventQuery, step: float, by: By, most: int = 10) -> list[Count]:
        """Count nothing: no test asks."""
        raise NotImplementedError

    def drop_events(self, before: float) -> int:
        """Delete the two oldest, at most, of those that are old."""
        self._look()
        old = [each.id for each in sorted(self.events.values(), key=lambda each: each.time) if each.time < before][:2]
        for id in old:  # noqa: A001 the field's name
            del self.events[id]
        return len(old)

    def close(self) -> None:
        """Say so."""
        self.closed = True


class SourceInMemory:
    """A bus with one queue: what was received and is not settled comes again after `again`, as when a connection broke."""

    def __init__(self, *messages: Message) -> None:
        self._lock = threading.Lock()
        self.waiting = list(messages)
        self.taken: list[Message] = []
        self.settled: list[Message] = []
        self.away: Exception | None = None
        self.closed = False

    def send(self, *bodies: bytes) -> None:
        """Put messages into the queue."""
        with self._lock:
            self.waiting += [Message("events.info", body, 5.0) for body in bodies]

    def again(self) -> None:
        """Put what is not settled back into the queue."""
        with self._lock:
            self.waiting, self.taken = self.taken + self.waiting, []

    def receive(self, most: int, seconds: float) -> list[Message]:
        """Return what waits; wait for next to nothing."""
        if self.away is not None:
            raise self.away
        with self._lock:
            found, self.waiting = self.waiting[:most], self.waiting[most:]
            self.taken += found
        if not found:
            threading.Event().wait(min(seconds, 0.01))
        return found

    def settle(self, messages: Sequence[Message]) -> None:
        """Remember what was settled."""
        if self.away is not None:
            raise self.away
        with self._lock:
            self.taken = [each for each in self.taken if not any(each is other for other in messages)]
            self.settled += messages

    def close(self) -> None:
        """Say so."""
        self.closed = True
