"""Changes of statistics, live: told to those who follow them, together, and watched only where somebody follows."""

from __future__ import annotations

import asyncio
import http.client
import json
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from nilometer.testing.statistics import FakeStatistics
from nilometer.testing.statistics_served import BASE, Served, served
from nilometer.testing.waiting import PATIENCE
from nilometer.web.statistics.hub import StatisticsHub

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served() as found:
        yield found


@pytest.fixture
def fake(server: Served) -> FakeStatistics:
    made = FakeStatistics()
    server.held[0] = made
    return made


def events(stream: http.client.HTTPResponse) -> Iterator[dict[str, list[str]]]:
    """Yield the data of each event."""
    for line in stream:
        if line.startswith(b"data: "):
            yield json.loads(line[6:])


def test_changes_are_told_live(server: Served, fake: FakeStatistics) -> None:
    with closing(http.client.HTTPConnection(*server.address, timeout=PATIENCE)) as connection:
        connection.request("GET", BASE + "/live?ident=release-log&ident=users-1d-europe-prague")
        answer = connection.getresponse()
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.readline().startswith(b": ")
        told = events(answer)
        fake.tell("release-log", "volume-by-category-1m")
        assert next(told) == {"idents": ["release-log"]}
        for ident in ("volume-by-category-1m", "release-log", "users-1d-europe-prague", "release-log"):
            fake.tell(ident)
        found = set[str]()
        while found != {"release-log", "users-1d-europe-prague"}:
            found.update(next(told)["idents"])


async def all_changes(hub: StatisticsHub) -> None:
    first, second = hub.follow(frozenset()).updates(30), hub.follow(frozenset(["b"])).updates(30)
    hub.put(frozenset(["a"]))
    assert await anext(first) == frozenset({"a"})
    for _ in range(2000):
        hub.put(frozenset(["b", "c"]))
    assert await anext(first) == frozenset({"b", "c"})
    assert await anext(second) == frozenset({"b"})
    await first.aclose()
    await second.aclose()
    hub.put(frozenset(["d"]))
    assert hub.followers == 0


def test_many_changes_are_few_updates() -> None:
    hub = StatisticsHub(pause=0.01)
    asyncio.run(all_changes(hub))
    hub.close()


def test_statistics_are_watched_once_and_let_go() -> None:
    hub, old, new = StatisticsHub(), FakeStatistics(), FakeStatistics()
    for asked in (old, old, new):
        hub.watch(asked)
    assert (len(old.watching), len(new.watching)) == (0, 1)
    hub.close()
    assert not new.watching
