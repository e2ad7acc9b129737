"""The client beside the package ``statsd``: the same calls make the same lines, as far as servers read them."""

from __future__ import annotations

import socket
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import statsd  # type: ignore[import-untyped]  # it has no types

import nilometer
from nilometer.ingest._reference.line import read
from nilometer.ingest._reference.reading import Value
from nilometer.testing._server import Server
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CALLS: dict[str, Callable[[Any], object]] = {
    "incr": lambda client: client.incr("a.b"),
    "incr by": lambda client: client.incr("a", 10),
    "incr by a fraction": lambda client: client.incr("a", 0.25),
    "incr by keyword": lambda client: client.incr(stat="a", count=2, rate=1),
    "decr": lambda client: client.decr("a"),
    "decr by": lambda client: client.decr("a", 5),
    "gauge": lambda client: client.gauge("a", 3.5),
    "gauge below zero": lambda client: client.gauge("a", -7),
    "gauge up": lambda client: client.gauge("a", 2, delta=True),
    "gauge down": lambda client: client.gauge("a", -2, delta=True),
    "gauge by nothing": lambda client: client.gauge("a", 0, delta=True),
    "positional": lambda client: client.gauge("a", 1, 1, True),  # noqa: FBT003 as people write it
    "timing": lambda client: client.timing("a", 350),
    "timing of a part": lambda client: client.timing("a", 0.125),
    "timing of a timedelta": lambda client: client.timing("a", timedelta(minutes=1, microseconds=500)),
    "set": lambda client: client.set("a", "ann"),
    "set of a number": lambda client: client.set("a", 12),
}
"""Calls whose lines hold nothing of chance."""


def lines(
    made: Any,  # noqa: ANN401 their client or ours
    server: Server,
    call: Callable[[Any], object],
    *,
    several: bool,
) -> list[str]:
    """Return the lines of a call, by itself or in a pipeline."""
    if several:
        with made.pipeline() as pipe:
            pipe.incr("first")
            call(pipe)
    else:
        call(made)
        getattr(made, "flush", tuple)()
    want = 2 if several else 1
    until(lambda: len(b"\n".join(server.inbox.parts()).split()) >= want, "lines", 10)
    made.close()
    until(lambda: b"".join(server.inbox.parts()), "lines", 10)
    return b"\n".join(server.inbox.parts()).decode().split()


def clients(transport: str, place: object) -> list[partial[Any]]:
    """Return what makes their client and ours, by the same arguments."""
    names = {"udp": "StatsClient", "tcp": "TCPStatsClient", "unix": "UnixSocketStatsClient"}
    where = place if isinstance(place, tuple) else (place,)
    return [partial(getattr(module, names[transport]), *where, prefix="pre.fix") for module in (statsd, nilometer)]


@pytest.mark.parametrize("several", [False, True], ids=["alone", "pipeline"])
@pytest.mark.parametrize("transport", ["udp", "tcp", "unix"])
def test_calls_make_the_same_lines(transport: str, several: bool, tmp_path: Path) -> None:  # noqa: FBT001 a parameter
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    server = Server(str(tmp_path / "socket") if transport == "unix" else ("127.0.0.1", 0), kind)
    theirs, ours = clients(transport, server.address)
    for name, call in CALLS.items():
        server.inbox.clear()
        wanted = lines(theirs(), server, call, several=several)
        server.inbox.clear()
        found = lines(ours(), server, call, several=several)
        assert [understood(text) for text in found] == [understood(text) for text in wanted], name
    server.leave()


def understood(text: str) -> object:
    """Return what a line means to statsd; the text of a number may differ."""
    found = read(text.encode(), "statsd", sanitize=True)
    values = [value for value in found.values if isinstance(value, Value)]
    assert len(values) == 1, text
    (sample,) = values[0].samples
    return (
        found.key,
        values[0].type,
        values[0].rate,
        sample.number,
        sample.change,
        sample.text if values[0].type == "set" else "",
    )


def test_samples_have_their_rate_on_the_line() -> None:
    server = Server(("127.0.0.1", 0), socket.SOCK_DGRAM)
    for module in (statsd, nilometer):
        server.inbox.clear()
        client = module.StatsClient(*server.address)
        for _ in range(500):
            client.incr("a", rate=0.5)
            client.timing("t", 1, rate=0.5)
            client.set("s", "x", rate=0.5)
            client.gauge("g", 1, rate=0.5)
        client.close()
        until(lambda: len(b"\n".join(server.inbox.parts()).split()) > 800, "half of the lines", 10)
        found = {
            (read(text, "statsd", sanitize=True).key, text.rpartition(b"|")[2])
            for text in b"\n".join(server.inbox.parts()).split()
        }
        assert found == {(key, b"@0.5") for key in ("a", "t", "s", "g")}, module
    server.leave()


def test_a_timer_is_used_in_the_same_ways() -> None:
    server = Server(("127.0.0.1", 0), socket.SOCK_DGRAM)
    for module in (statsd, nilometer):
        client = module.StatsClient(*server.address)
        timer = client.timer("a").start()
        assert timer.stop(send=False) is timer
        assert timer.ms > 0
        timer.send()
        with pytest.raises(RuntimeError):
            timer.send()
        with pytest.raises(RuntimeError):
            client.timer("a").stop()
        with client.timer("b", rate=1) as within:
            assert within.ms is None
        assert client.timer("c")(len)("abc") == 3
        client.close()
    until(lambda: len(b"\n".join(server.inbox.parts()).split()) >= 6, "three lines of each", 10)
    server.leave()
