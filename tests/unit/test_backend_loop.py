"""The loop in a thread: what it runs ends in time, and what was wrong comes through."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from nilometer.backends._parts.loop import Loop
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop("a loop under test")
    yield made
    made.close()


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "a loop under test"]


async def echo(value: int) -> int:
    await asyncio.sleep(0)
    return value


async def fail() -> None:
    message = "as it was"
    raise KeyError(message)


def test_it_starts_with_the_first_work_and_ends_with_close(loop: Loop) -> None:
    assert threads() == []
    assert [loop.run(echo(number), 10) for number in range(3)] == [0, 1, 2]
    assert len(threads()) == 1
    loop.close()
    loop.close()
    assert threads() == []
    assert loop.run(echo(5), 10) == 5


def test_what_is_raised_comes_through(loop: Loop) -> None:
    with pytest.raises(KeyError, match="as it was"):
        loop.run(fail(), 10)


def test_work_that_takes_too_long_is_cancelled(loop: Loop) -> None:
    ended = threading.Event()

    async def slow() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            ended.set()

    with pytest.raises(TimeoutError):
        loop.run(slow(), 0.01)
    until(ended.is_set, "the work is cancelled")


def test_work_is_ended_by_close_with_an_error_of_the_network(loop: Loop) -> None:
    begun = threading.Event()

    async def slow() -> None:
        begun.set()
        await asyncio.sleep(1000)

    def close() -> None:
        begun.wait()
        loop.close()

    closer = threading.Thread(target=close)
    closer.start()
    with pytest.raises(ConnectionAbortedError):
        loop.run(slow(), 1000)
    closer.join()
