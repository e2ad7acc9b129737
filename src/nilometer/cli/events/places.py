"""Where events are: a running server, or a store by its URL. Both give pages, and follow what comes.

Rules:

* Following begins with the last events there are, oldest first; no event is given twice.
* A server that goes away is told of and asked again; what it got meanwhile is read from its store. The first answer must come.
* A store is looked at every second, from `OVERLAP` seconds before the newest event on: one that is stored later than that after
  its own time is not seen.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from contextlib import closing
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

from nilometer.backends import registry
from nilometer.cli.asking import API, checked, get, link_to
from nilometer.cli.link import Answer
from nilometer.core.backoff import Backoff
from nilometer.core.clock import SYSTEM
from nilometer.core.errors import InputError, Unavailable
from nilometer.core.event_query import Found
from nilometer.core.wire import event as wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from nilometer.cli.link import Access
    from nilometer.core.event_query import EventQuery
    from nilometer.core.record import Event

PAGE = 1000
OVERLAP = 60.0
REMEMBERED = 50_000
EVERY = 1.0
SILENCE = 60.0
"""Seconds without a word after which a server is asked again; it says something every 15."""
DATA = b"data: "


class Place(Protocol):
    """Where events are."""

    def page(self, query: EventQuery, limit: int, cursor: str) -> Found:
        """Return a page of events, newest first."""

    def follow(self, query: EventQuery, last: int) -> Iterator[Event]:
        """Yield the `last` events, oldest first, and then whatever comes."""


def place(url: str, store: str | None, access: Access, tell: Callable[[str], None]) -> Place:
    """Return where the options of a command say that events are. Raise `ConfigError`."""
    return Served(url, access, tell) if store is None else Stored(store)


class Seen:
    """Which events were given already, of those that came last."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._order: deque[str] = deque()
        self.newest = 0.0

    def new(self, events: Iterable[Event]) -> Iterator[Event]:
        """Yield those that were not given."""
        for event in events:
            self.newest = max(self.newest, event.time)
            if event.id not in self._ids:
                self._ids.add(event.id)
                self._order.append(event.id)
                yield event
        while len(self._order) > REMEMBERED:
            self._ids.discard(self._order.popleft())

    def missed(self, page: Callable[[EventQuery, int, str], Found], query: EventQuery) -> Iterator[Event]:
        """Yield, oldest first, what a place has that was not given."""
        found, cursor = page(replace(query, since=self.newest - OVERLAP), PAGE, "")
        while cursor and len(found) < REMEMBERED:
            more, cursor = page(replace(query, since=self.newest - OVERLAP), PAGE, cursor)
            found += more
        yield from self.new(reversed(found))


class Served:
    """A running server."""

    def __init__(self, url: str, access: Access, tell: Callable[[str], None]) -> None:
        self._link, self._tell = link_to(url, access), tell

    def page(self, query: EventQuery, limit: int, cursor: str) -> Found:
        """Return a page of events, newest first. Raise `Unavailable`."""
        found = get(self._link, "/events?" + urlencode(_parameters(query) | {"limit": limit, "cursor": cursor}))
        try:
            return Found([_event(each) for each in found["events"]], str(found["cursor"] or ""))
        except (KeyError, TypeError, InputError) as error:
            message = f"{self._link.url}: what answers is no Nilometer"
            raise Unavailable(message) from error

    def follow(self, query: EventQuery, last: int) -> Iterator[Event]:
        """Yield the `last` events, oldest first, and then whatever comes."""
        seen, waits, connected = Seen(), Backoff(1.0, 10.0), False
        while True:
            try:
                for event in self._stream(query):
                    if event is None and connected:
                        yield from seen.missed(self.page, query)
                    elif event is None:
                        yield from seen.new(reversed(self.page(query, last, "").events if last else []))
                        seen.newest = seen.newest or SYSTEM.time()
                        connected = True
                    else:
                        yield from seen.new([event])
                    waits.reset()
            except Unavailable as error:
                if not connected:
                    raise
                self._tell(f"{error}; asking again")
                SYSTEM.wait(threading.Event(), 0.5 + waits.failed())

    def _stream(self, query: EventQuery) -> Iterator[Event | None]:
        """Yield None once the server streams, and then each event."""
        path = f"{API}/events/live?" + urlencode(_parameters(query))
        with closing(self._link.lines(path, SILENCE)) as lines:
            first = next(lines)
            if isinstance(first, Answer):
                checked(f"{self._link.url}{path}", first)
            yield None
            for line in lines:
                if isinstance(line, bytes) and line.startswith(DATA):
                    yield self._told(line)

    def _told(self, line: bytes) -> Event:
        try:
            return _event(json.loads(line[len(DATA) :]))
        except (ValueError, RecursionError, InputError) as error:
            message = f"{self._link.url}: what answers is no Nilometer"
            raise Unavailable(message) from error


class Stored:
    """A store, by its URL."""

    def __init__(self, url: str) -> None:
        self._store = registry.open(url, registry.EVENT_STORE)

    def page(self, query: EventQuery, limit: int, cursor: str) -> Found:
        """Return a page of events, newest first. Raise `NilometerError`."""
        return self._store.find_events(query, limit, cursor)

    def follow(self, query: EventQuery, last: int) -> Iterator[Event]:
        """Yield the `last` events, oldest first, and then whatever comes."""
        seen, began = Seen(), SYSTEM.time()
        recent = self.page(query, max(last, PAGE), "").events
        for old in recent[last:]:
            list(seen.new([old]))
        yield from seen.new(reversed(recent[:last]))
        seen.newest = seen.newest or began
        while True:
            yield from seen.missed(self.page, query)
            SYSTEM.wait(threading.Event(), EVERY)


def _parameters(query: EventQuery) -> dict[str, Any]:
    """Return a query as the API takes it; times are whole seconds there."""
    found = {name: value for name, value in asdict(query).items() if isinstance(value, str) and value}
    times = {"since": query.since, "until": query.until}
    return found | {name: int(value) for name, value in times.items() if abs(value) != float("inf")}


def _event(found: object) -> Event:
    return wire.from_object(found, time=0.0, id="")
