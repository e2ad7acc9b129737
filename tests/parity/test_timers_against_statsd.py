"""Timers, pipelines and odd calls beside the package ``statsd``: what its own tests ask of it, asked of both over real sockets.

Theirs raises when a TCP server is away, ours counts: an application never ends of its metrics.
"""

from __future__ import annotations

import asyncio
import functools
import socket
from typing import TYPE_CHECKING, Any

import pytest
import statsd  # type: ignore[import-untyped]  # it has no types

import nilometer
from nilometer.testing._server import Server
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KINDS = {"StatsClient": socket.SOCK_DGRAM, "TCPStatsClient": socket.SOCK_STREAM}
BIG = 1_234_568_901_234


def managed(client: Any) -> None:  # noqa: ANN401 their client or ours, as below
    with client.timer("manager") as timer:
        assert timer.ms is None
        with pytest.raises(RuntimeError):
            timer.send()
    assert isinstance(timer.ms, float)
    with pytest.raises(TimeoutError), client.timer("manager.error"):
        raise TimeoutError


def decorated(client: Any) -> None:  # noqa: ANN401 see above
    @client.timer("decorator")  # type: ignore[untyped-decorator]  # see above
    def one(first: int, second: int) -> list[int]:
        """Say so."""
        return [first, second]

    @client.timer("decorator.other")  # type: ignore[untyped-decorator]  # see above
    def other(first: int, second: int = 2, *, third: int = 3) -> list[int]:
        return [third, second, first]

    @client.timer("decorator.error")  # type: ignore[untyped-decorator]  # see above
    def wrong() -> None:
        raise ValueError

    assert (one(4, 2), other(4), other(5, 6, third=7), one(1, 1)) == ([4, 2], [3, 2, 4], [7, 6, 5], [1, 1])
    assert (one.__name__, one.__doc__) == ("one", "Say so.")
    with pytest.raises(ValueError, match=r"^$"):
        wrong()


def of_functions(client: Any) -> None:  # noqa: ANN401 see above
    assert client.timer("partial")(functools.partial(pow, 2))(3) == 8
    done: list[str] = []

    @client.timer("coroutine")  # type: ignore[untyped-decorator]  # see above
    async def later(word: str) -> str:
        await asyncio.sleep(0)
        done.append(word)
        return word

    assert asyncio.run(later("x")) == "x"
    assert done == ["x"]


def by_hand(client: Any) -> None:  # noqa: ANN401 see above
    timer = client.timer("object").start()
    assert timer.ms is None
    with pytest.raises(RuntimeError):
        timer.send()
    timer.stop(send=False)
    timer.send()
    with pytest.raises(RuntimeError):
        timer.send()
    with pytest.raises(RuntimeError):
        client.timer("object").stop()
    client.timer("object.again").start().stop()


def together(client: Any) -> None:  # noqa: ANN401 see above
    client.pipeline().send()
    pipe = client.pipeline()
    pipe.incr("pipe.up")
    pipe.decr("pipe.down")
    pipe.timing("pipe.time", 320)
    pipe.send()
    pipe.send()
    with client.pipeline() as pipe:
        pipe.gauge("pipe.gauge", -10, delta=False)
        pipe.incr("pipe.after")
        with pipe.timer("pipe.manager"):
            pass
        pipe.timer("pipe.decorator")(len)("abc")
        pipe.timer("pipe.object").start().stop()
        with pipe.pipeline() as inner:
            inner.incr("pipe.inner")
    with client.pipeline() as pipe:
        for _ in range(32):
            pipe.incr("sixteen_char_str")


def odd(client: Any) -> None:  # noqa: ANN401 see above
    for method in (client.gauge, client.incr, client.timing):
        method("big", BIG)
    client.set("set", "a-b.c")
    client.gauge("below", -1, 1)
    client.incr("never", rate=0)


SCENES: tuple[Callable[[Any], None], ...] = (managed, decorated, of_functions, by_hand, together, odd)


@pytest.fixture(params=["127.0.0.1", "::1"], ids=["ipv4", "ipv6"])
def host(request: pytest.FixtureRequest) -> Iterator[str]:
    return request.param  # type: ignore[no-any-return]  # one of the texts above


@pytest.mark.parametrize("kind", KINDS)
def test_scenes_make_the_same_lines_in_the_same_order(kind: str, host: str) -> None:
    server = Server((host, 0), KINDS[kind])
    for scene in SCENES:
        theirs, ours = (played(getattr(module, kind), server, scene) for module in (statsd, nilometer))
        assert ours == theirs, scene.__name__
    server.leave()


def played(kind: Any, server: Server, scene: Callable[[Any], None]) -> list[tuple[str, str]]:  # noqa: ANN401 a class of theirs or ours
    """Return name and what follows it of every line of a scene; of a time only its type, for none is like another."""
    server.inbox.clear()
    client = kind(*server.address, ipv6=":" in server.address[0])
    scene(client)
    client.incr("end")
    getattr(client, "flush", tuple)()
    client.close()
    until(lambda: b"end:1|c" in b"\n".join(server.inbox.parts()), "the last line", 10)
    found = b"\n".join(server.inbox.parts()).decode().split()
    return [(name, rest.partition("|")[2] if rest.endswith("|ms") else rest) for name, _, rest in map(split, found)]


def split(line: str) -> tuple[str, str, str]:
    """Return a line's name and what follows it."""
    return line.partition(":")


def test_nobody_there_raises_nothing_and_is_counted() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        client = nilometer.TCPStatsClient(*taken.getsockname())
        for scene in SCENES:
            scene(client)
        client.close()
    assert client.losses()["network"] > 0
