"""The contract of stores of events, as tests that run over any URL.

A test module derives `EventStoreContract` and gives it a fixture `url` of an empty store::

    class TestSqlite(EventStoreContract):
        @pytest.fixture
        def url(self, tmp_path: Path) -> str: ...

What a query finds and counts is compared with what `matches` says, so every store means the same by it.
"""
# assert is how a test speaks, and its name says what it states
# ruff: noqa: S101, D102

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import math
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from nilometer.backends import registry
from nilometer.backends._parts.held_events import HeldEvents
from nilometer.core.capability import EventStore
from nilometer.core.errors import InputError, Rejected, UrlError
from nilometer.core.event_query import EventQuery, matches
from nilometer.core.record import Event
from nilometer.testing.event_examples import START, several

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nilometer.core.event_query import By

TYPES = ("table.create.end", "table.create.error", "table.delete.end", "tables", "Table.create.end", "quelle.füllt", "a%b_c!d")
ODD = (
    Event("a", START, "odd", payload={"text": "100% of_it\\ 'quoted' \"twice\"", "deep": [[{"x": None}]]}),
    Event("a ", START, "odd ", tenant="T", publisher="p"),
    Event("A", START, "odd", tenant="t", payload={"big": 2**70, "tiny": 5e-324, "zero": "\x00", "line": "\n\x7f"}),
    Event("ä", START, "odd", tenant="é", context={"🌊": "𝄞", "ключ": "значение"}),
    Event("a\u0308", START, "odd", tenant="e\u0301"),
    Event("x" * 255, START, "y" * 255, "ü" * 255, "sample", "🌊" * 255, {"long": "z" * 300_000}),
    Event("old", -1234.5678, "odd"),
    Event("first", -62135596800.0, "odd"),
    Event("exact", 1_700_000_000.1234567, "odd", payload={"exact": 0.1}),
    Event("late", 253402300799.0, "odd"),
)
"""Events that a careless store mixes up, cuts or refuses."""
SINGLE = (
    EventQuery(),
    EventQuery(type="table.create.end"),
    EventQuery(type="table.*"),
    EventQuery(type="*.end"),
    EventQuery(type="table*"),
    EventQuery(type="t?ble*.en[cd]"),
    EventQuery(type="[!t]*"),
    EventQuery(type="a%b_c!d"),
    EventQuery(type="a%*"),
    EventQuery(type="quelle.f?llt"),
    EventQuery(type="**"),
    EventQuery(type=""),
    EventQuery(type="nothing.*"),
    EventQuery(tenant="tenant1"),
    EventQuery(tenant="TENANT1"),
    EventQuery(publisher="magnetodb.host3"),
    EventQuery(priority="error"),
    EventQuery(text='"rows":1'),
    EventQuery(text="Tĥread 1"),
    EventQuery(text="tĥread 1"),
    EventQuery(text="%"),
    EventQuery(text="_"),
    EventQuery(text="\x00"),
    EventQuery(text="'; DROP TABLE nilometer_events; --"),
    EventQuery(since=START + 5),
    EventQuery(until=START + 5),
    EventQuery(since=START + 3, until=START + 9),
    EventQuery(since=START + 9, until=START + 3),
    EventQuery(since=math.inf),
    EventQuery(id="table.delete.end-4"),
    EventQuery(id="nobody"),
    EventQuery(type="table.*", tenant="tenant0", priority="info", text="rows", since=START, until=START + 15),
)
BAD = (
    Event("nul", START, "a", tenant="\x00"),
    Event("half", START, "a", tenant="\ud800"),
    Event("x" * 256, START, "a"),
    Event("", START, "a"),
    Event("no-type", START, ""),
    Event("nan", math.nan, "a"),
    Event("inf", math.inf, "a"),
    Event("never", 1e15, "a"),
)


def mixed(count: int = 20) -> list[Event]:
    """Return events of several types, many of them of the same moments."""
    return [event for kind in TYPES for event in several(count, kind)]


@contextlib.contextmanager
def opened(url: str) -> Iterator[EventStore]:
    """Open a store, and close it in the end."""
    store = registry.open(url, registry.EVENT_STORE)
    try:
        yield store
    finally:
        store.close()


def pages(store: EventStore, query: EventQuery, limit: int) -> list[Event]:
    """Return all that a query finds, page by page."""
    found, cursor = store.find_events(query, limit)
    while cursor:
        assert len(found) % limit == 0
        page, cursor = store.find_events(query, limit, cursor)
        assert page
        found += page
    return found


def newest_first(events: Sequence[Event]) -> list[Event]:
    """Return events in the order in which a store gives them."""
    return sorted(events, key=lambda event: (event.time, event.id.encode()), reverse=True)


class EventStoreContract:
    """What every store of events keeps."""

    unchecked = False
    """Whether the store keeps whatever it is given."""

    def test_it_has_the_methods_of_its_capabilities(self, url: str) -> None:
        with opened(url) as store:
            assert isinstance(store, EventStore)

    def test_an_empty_store_answers(self, url: str) -> None:
        with opened(url) as store:
            assert store.find_events(EventQuery()) == ([], "")
            assert store.count_events(EventQuery(), 60, "type") == []
            assert store.known_events(["a"]) == set()
            assert store.drop_events(math.inf) == 0
            store.write_events([])
            assert store.find_events(EventQuery()) == ([], "")

    def test_events_come_back_as_they_were(self, url: str) -> None:
        with opened(url) as store:
            store.write_events(ODD)
        with opened(url) as store:
            assert store.find_events(EventQuery(), 100).events == newest_first(ODD)
            for event in ODD:
                assert store.find_events(EventQuery(id=event.id)) == ([event], "")
            assert store.known_events([event.id for event in ODD] + ["b", "B", "a  ", "\x00"]) == {event.id for event in ODD}

    def test_words_are_compared_to_the_letter(self, url: str) -> None:
        with opened(url) as store:
            store.write_events(ODD)
            for query in (
                EventQuery(tenant="T"),
                EventQuery(tenant="e\u0301"),
                EventQuery(type="odd "),
                EventQuery(tenant="é"),
            ):
                assert store.find_events(query).events == [event for event in ODD if matches(query, event)]

    def test_an_event_is_stored_once(self, url: str) -> None:
        events = several(5)
        changed = [dataclasses.replace(event, payload={"changed": True}, time=event.time + 100) for event in events]
        with opened(url) as store:
            store.write_events([*events, *events])
            store.write_events([*changed, *several(6)])
            assert store.find_events(EventQuery()).events == newest_first(several(6))

    @pytest.mark.parametrize("limit", [1, 7, 1000])
    def test_pages_hold_each_event_once(self, url: str, limit: int) -> None:
        events = mixed(4)
        with opened(url) as store:
            store.write_events(events)
            assert pages(store, EventQuery(), limit) == newest_first(events)
            wanted = [event for event in newest_first(events) if event.type.startswith("table.")]
            assert pages(store, EventQuery(type="table.*"), limit) == wanted

    def test_what_comes_meanwhile_moves_no_page(self, url: str) -> None:
        with opened(url) as store:
            store.write_events(several(6))
            first, cursor = store.find_events(EventQuery(), 3)
            store.write_events([Event("new", START + 60, "a"), Event("between", START + 2.5, "a")])
            second, _ = store.find_events(EventQuery(), 3, cursor)
            assert [event.id for event in first] == [f"table.create.end-{number}" for number in (5, 4, 3)]
            assert [event.id for event in second] == ["between", "table.create.end-2", "table.create.end-1"]

    def test_a_cursor_that_is_none_is_refused(self, url: str) -> None:
        with opened(url) as store:
            store.write_events(several(3))
            for cursor in ("x", "!", "AAAA", "=", "ä", store.find_events(EventQuery(), 1).cursor + "A"):
                with pytest.raises(InputError, match="cursor is none that was given"):
                    store.find_events(EventQuery(), 3, cursor)

    def test_queries_find_and_count_what_fits(self, url: str) -> None:
        events = mixed()
        oracle = HeldEvents(1_000_000)
        oracle.add(events)
        with opened(url) as store:
            store.write_events(events)
            for query in SINGLE:
                wanted = [event for event in newest_first(events) if matches(query, event)]
                assert store.find_events(query, 10_000) == (wanted, ""), query
                assert store.count_events(query, 7, "tenant", 1) == oracle.count(query, 7, "tenant", 1), query

    def test_counts_name_the_most_frequent(self, url: str) -> None:
        events = [*mixed(), *several(3, "rare"), Event("old", -10.0, "old")]
        oracle = HeldEvents(1_000_000)
        oracle.add(events)
        kinds: tuple[By, ...] = ("type", "tenant", "priority", "publisher")
        with opened(url) as store:
            store.write_events(events)
            for by, step, most in itertools.product(kinds, (0.5, 3, 86_400), (0, 1, 3, 100)):
                found = store.count_events(EventQuery(), step, by, most)
                assert found == oracle.count(EventQuery(), step, by, most)
                assert sum(each.count for each in found) == len(events)
                assert all(isinstance(each.time, float) for each in found)

    def test_old_events_are_dropped(self, url: str) -> None:
        events = mixed(100)
        with opened(url) as store:
            store.write_events(events)
            left, dropped = START + 50, 0
            while part := store.drop_events(left):
                dropped += part
            assert dropped == sum(event.time < left for event in events)
            assert pages(store, EventQuery(), 500) == newest_first([event for event in events if event.time >= left])

    def test_what_cannot_be_stored_is_rejected_by_its_id(self, url: str) -> None:
        if self.unchecked:
            return
        with opened(url) as store:
            for event in BAD:
                with pytest.raises(Rejected, match="an event"):
                    store.write_events([*several(2), event])
            assert store.find_events(EventQuery()).events == []

    def test_several_write_at_once(self, url: str) -> None:
        events = mixed(30)
        parts = [events[start : start + 60] for start in range(0, len(events), 30)]

        def write(part: Sequence[Event]) -> None:
            with opened(url) as store:
                store.write_events(part)

        with ThreadPoolExecutor(4) as workers:
            list(workers.map(write, parts))
        with opened(url) as store:
            assert pages(store, EventQuery(), 100) == newest_first(events)

    def test_an_unknown_option_is_refused_by_name(self, url: str) -> None:
        with pytest.raises(UrlError, match="no_such_option"):
            registry.open(f"{url}{'&' if '?' in url else '?'}no_such_option=1", registry.EVENT_STORE)

    def test_closing_twice_does_nothing(self, url: str) -> None:
        store = registry.open(url, registry.EVENT_STORE)
        store.write_events(several(1))
        store.close()
        store.close()
