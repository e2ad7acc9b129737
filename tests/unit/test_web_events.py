"""Events towards clients: pages of bounded size, followers who get what they ask for, stores in this process."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import threading
from typing import TYPE_CHECKING

import pytest

from nilometer.backends import memory, registry
from nilometer.core import url as urls
from nilometer.core.errors import InputError
from nilometer.core.event_query import EventQuery
from nilometer.events import reading as answers
from nilometer.testing.event_examples import several
from nilometer.web import events, following
from nilometer.web.event_hub import EventHub
from nilometer.web.reading import NoReader, Reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.core.capability import EventStore

NAME = "web-events"


@pytest.fixture
def store() -> Iterator[EventStore]:
    yield registry.open(f"memory://{NAME}", registry.EVENT_STORE)
    memory.forget(NAME)


@pytest.fixture
def hub() -> Iterator[EventHub]:
    made = EventHub()
    yield made
    made.close()


def test_a_page_of_large_events_ends_before_its_limit(store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "LARGEST", 3000)
    monkeypatch.setattr(answers, "FIRST", 2)
    large = [dataclasses.replace(event, payload={"text": "x" * 1000}) for event in several(10)]
    store.write_events(large)
    found, cursor, pages = list[str](), "", 0
    while cursor is not None:
        page = json.loads(answers.page(store, EventQuery(), 100, cursor))
        assert len(page["events"]) <= 4
        found, cursor, pages = found + [event["id"] for event in page["events"]], page["cursor"], pages + 1
    assert found == [event.id for event in reversed(large)]
    assert pages == 3


async def filtered(hub: EventHub) -> None:
    some, errors = hub.follow(EventQuery(type="a.*")), hub.follow(EventQuery(priority="error"))
    first, second = some.updates(30), errors.updates(30)
    hub.put([*several(6, "a.b"), *several(6, "c")])
    assert [event.type for event in await anext(first) or ()] == ["a.b"] * 6
    assert [event.id for event in await anext(second) or ()] == ["a.b-4", "c-4"]
    await first.aclose()
    await second.aclose()
    assert hub.followers == 0


def test_a_follower_gets_the_events_that_it_asks_for(hub: EventHub) -> None:
    asyncio.run(filtered(hub))


async def flooded(hub: EventHub, blocked: threading.Event) -> None:
    updates = hub.follow(EventQuery()).updates(30)
    for _ in range(following.WAITING + 10):
        hub.put(several(1))
    blocked.set()
    assert len([update async for update in updates]) <= hub.behind + following.WAITING + 1


def test_events_that_come_faster_than_they_go_let_everybody_go(monkeypatch: pytest.MonkeyPatch, hub: EventHub) -> None:
    blocked = threading.Event()
    given = EventHub.updates

    def slow(*arguments: object) -> object:
        blocked.wait()
        return given(*arguments)  # type: ignore[arg-type]  # handed on as they come

    monkeypatch.setattr(EventHub, "updates", slow)
    asyncio.run(flooded(hub, blocked))


def test_a_store_in_this_process_is_read_here(store: EventStore) -> None:
    store.write_events(several(2))
    reading = Reading(lambda: urls.parse(f"memory://{NAME}"), registry.EVENT_STORE)
    found = json.loads(reading.call("nilometer.events.reading:page", EventQuery(), 10, ""))
    assert [event["id"] for event in found["events"]] == ["table.create.end-1", "table.create.end-0"]
    with pytest.raises(InputError):
        reading.call("nilometer.events.reading:page", EventQuery(), 10, "zz")
    reading.close()


def test_without_a_store_the_cure_is_told() -> None:
    with pytest.raises(NoReader, match="do this"):
        Reading(lambda: None, registry.EVENT_STORE, "do this").call("x:y")


@pytest.mark.parametrize(
    ("step", "length", "wanted"), [(0, 60, 1), (0, 3600, 30), (0, 86_400, 1800), (0, 1e9, 366 * 86_400), (7, 700, 7)]
)
def test_a_step_is_chosen_for_the_time_asked_for(step: int, length: float, wanted: float) -> None:
    assert events._step(step, 1000.0, 1000.0 + length) == wanted
