"""The queues of sinks and of the relay, full in a real process: what finds no room is counted, others are unharmed."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from nilometer.testing.serving import CONSOLE, Serving
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Start = Callable[..., Serving]

TCP, SHORT = "--listen=tcp://127.0.0.1:0", "--flush-interval=200ms"
SERIES = b"".join(b"series.number.%d:1|c\n" % number for number in range(300))


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Serving] = []

    def begin(*arguments: str, **options: object) -> Serving:
        started.append(Serving(TCP, *arguments, state=tmp_path, **options))  # type: ignore[arg-type]  # passed through
        return started[-1].ready()

    yield begin
    for server in started:
        server.kill()


@pytest.fixture
def away() -> Iterator[str]:
    """A sink that is away: its port is taken, and nobody listens there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"graphite://127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize(("flag", "reason"), [("--spool-size=64KiB", "size"), ("--spool-age=1s", "age")])
def test_a_spool_stays_within_its_limits_and_other_sinks_get_all(start: Start, away: str, flag: str, reason: str) -> None:
    server = start(flag, SHORT, "--retry-first=50ms", "--retry-most=100ms", sinks=(CONSOLE, away))
    server.feed(SERIES)

    until(lambda: server.total(f"nilometer.lost.spool.{reason}") > 0, "the oldest flushes are dropped and counted")
    assert server.stop() == 0
    assert server.total("series.number.299") == 1


def test_a_relay_to_a_server_that_never_reads_keeps_its_queue_within_bounds(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        server = start(f"--relay-to=tcp://127.0.0.1:{port}", "--relay-queue=64KiB", SHORT, "--stop-deadline=100ms")
        lines = b"a:1|c\n" * 10_000

        def filled() -> bool:
            server.feed(lines)
            return server.total("nilometer.lost.relay.away") + server.total("nilometer.lost.relay.queue") > 0

        until(filled, "what finds no room is counted")
        assert server.stop() == 0
    assert server.total("a") % len(lines.splitlines()) == 0
