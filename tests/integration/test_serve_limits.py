"""Each limit, reached in a real process: what is too much is counted and its series tell so, all others are unharmed."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from nilometer.testing.kernels import IN_SERVERS
from nilometer.testing.serving import Serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Start = Callable[..., Serving]

USUAL = b"usual:1|c\n"


@pytest.fixture(params=IN_SERVERS)
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Start]:
    started: list[Serving] = []

    def begin(**limits: str | int) -> Serving:
        options = [f"--limits-{name.replace('_', '-')}={value}" for name, value in limits.items()]
        listen = ("--listen=tcp://127.0.0.1:0", "--flush-interval=1h")
        started.append(Serving(*listen, *options, state=tmp_path / "state", kernel=request.param))
        return started[-1].ready()

    yield begin
    for server in started:
        server.kill()


def lost(server: Serving) -> dict[str, float]:
    """Stop, and return what was lost in the kernel and before it, by reason."""
    assert server.stop() == 0
    names = {series["key"] for flush in server.flushes for series in flush["series"] if ".lost." in series["key"]}
    return {name.rpartition(".")[2]: total for name in names if (total := server.total(name))}


def test_names_and_lines(start: Start) -> None:
    server = start(series_per_prefix=2, tags=1, name=16, line=100)
    server.feed(b"p.a:1|c\np.b:1|c\np.c:5|c\n")
    server.feed(b"t:7|c|#a:1,b:2\n" + b"n" * 17 + b":9|c\n" + b"x" * 200 + b":1|c\n" + USUAL)

    assert lost(server) == {"prefix_limit": 1, "tag_limit": 1, "name_limit": 1, "bad_line": 1}
    assert [server.total(key) for key in ("p.a", "p.b", "usual", "nilometer.overflow")] == [1, 1, 1, 5 + 7 + 9]
    assert server.said("p.c")


def test_series_in_all_and_bytes_of_their_keys(start: Start) -> None:
    server = start(series=1000, keys="2KiB")
    server.feed(USUAL + b"".join(b"%050d:1|c\n" % number for number in range(100)) + USUAL)

    found = lost(server)
    assert list(found) == ["key_limit"]
    assert 50 < found["key_limit"] < 100
    assert (server.total("usual"), server.total("nilometer.overflow")) == (2, found["key_limit"])


def test_one_source(start: Start) -> None:
    server = start(series_per_source=2)
    server.feed(b"a:1|c\nb:1|c\nc:1|c\na:1|c\n")
    server.feed(b"d:1|c\na:1|c\n", "127.0.0.2")

    assert lost(server) == {"source_limit": 1}
    assert [server.total(key) for key in ("a", "b", "d", "nilometer.overflow")] == [3, 1, 1, 1]


@pytest.mark.parametrize(
    "limits", [{"samples_per_timer": 100, "members_per_set": 100}, {"samples": 100, "set_members": 100}], ids=["each", "all"]
)
def test_samples_and_members_go_on_as_sketches(start: Start, limits: dict[str, int]) -> None:
    server = start(**limits)
    server.feed(b"".join(b"t:%d|ms\nu:%d|s\n" % (number, number) for number in range(1, 2001)) + USUAL)

    assert lost(server) == {}
    [timer], [members] = server.series("t"), server.series("u")
    assert (timer["count"], timer["sum"], timer["lower"], timer["upper"]) == (2000, 2000 * 2001 / 2, 1, 2000)
    assert timer["upper_90"] == pytest.approx(1800, rel=0.01)
    assert members["count"] == pytest.approx(2000, rel=0.03)
    assert server.total("usual") == 1


def test_connections(start: Start) -> None:
    server = start(connections=1)
    with socket.create_connection(server.address("tcp"), timeout=30) as first:
        first.sendall(USUAL)
        with socket.create_connection(server.address("tcp"), timeout=30) as second:
            assert second.recv(1) == b""
        first.sendall(USUAL)
        first.shutdown(socket.SHUT_WR)
        assert first.recv(1) == b""

    assert lost(server) == {"connection_limit": 1}
    assert server.total("usual") == 2
