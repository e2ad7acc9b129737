"""Who follows a hub learns of each flush; who does not keep up is let go; without followers a flush costs nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from nilometer.core.naming import Naming
from nilometer.core.url import parse
from nilometer.testing import flushes
from nilometer.web import following as shared
from nilometer.web.following import Full
from nilometer.web.hub import Hub
from nilometer.web.live import naming

if TYPE_CHECKING:
    from collections.abc import Iterator

END = 1_700_000_010.0
MARK = "stats.gauges.contract.mark"


@pytest.fixture
def made() -> Iterator[Hub]:
    each = Hub(Naming)
    yield each
    each.close()


async def following(made: Hub) -> None:
    follower = made.follow(frozenset([MARK, "stats.none"]))
    made.put(flushes.marked(END))
    made.put(flushes.marked(END + 10))
    updates = follower.updates(30)
    first, second = await anext(updates), await anext(updates)
    assert first is not None
    assert second is not None
    assert (first.time, second.time) == (END, END + 10)
    assert (first.interval, first.series) == (10, 1)
    assert first.values == {MARK: END}
    await updates.aclose()
    assert made.followers == 0


def test_a_follower_learns_the_values_of_its_paths_from_each_flush(made: Hub) -> None:
    asyncio.run(following(made))


async def silence(made: Hub) -> None:
    updates = made.follow(frozenset()).updates(0.01)
    assert await anext(updates) is None
    assert await anext(updates) is None
    await updates.aclose()


def test_silence_is_told(made: Hub) -> None:
    asyncio.run(silence(made))


async def falling_behind(made: Hub) -> None:
    slow = made.follow(frozenset())
    quick = made.follow(frozenset()).updates(30)
    for number in range(Hub.behind + 2):
        made.put(flushes.marked(END + 10 * number))
        assert await anext(quick)
    assert made.followers == 2
    assert [update async for update in slow.updates(30)] == []
    assert made.followers == 1
    await quick.aclose()


def test_who_does_not_keep_up_is_let_go(made: Hub) -> None:
    asyncio.run(falling_behind(made))


async def too_many(made: Hub) -> None:
    made.follow(frozenset())
    with pytest.raises(Full, match="1 follow already"):
        made.follow(frozenset())


def test_no_more_follow_than_may(made: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "MOST", 1)
    asyncio.run(too_many(made))


async def ending() -> list[object]:
    ended = Hub(Naming)
    follower = ended.follow(frozenset())
    ended.close()
    with pytest.raises(Full, match="ends"):
        ended.follow(frozenset())
    return [update async for update in follower.updates(30)]


def test_the_end_of_the_server_lets_everybody_go() -> None:
    assert asyncio.run(ending()) == []


def test_nothing_is_kept_while_nobody_follows(made: Hub) -> None:
    made.put(flushes.marked(END))
    assert made.followers == 0


def test_paths_are_those_of_the_store() -> None:
    assert naming(parse("sqlite:///a.db?prefix=x&suffix=y")) == Naming(prefix="x", suffix="y")
    assert naming(parse("memory://")) == naming(None) == Naming()
