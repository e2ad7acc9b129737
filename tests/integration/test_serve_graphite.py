"""The main job end to end: what `nilometer send` sent is what a real Graphite renders, also when carbon was away."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import pytest

from nilometer.testing import servers
from nilometer.testing.kernels import IN_SERVERS
from nilometer.testing.serving import CONSOLE, PROGRAM, Serving
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from nilometer.testing.servers import Graphite

SCHEMES = ("graphite", "graphite+pickle")
COUNT = "stats.counters.load.count"

TAGGED = 90.0
"""Seconds that carbon may take to tell graphite-web of new tags, which it does when it comes to it."""


def rendered(server: Graphite, target: str) -> dict[str, dict[int, float]]:
    """Return the points of the last half hour, and of the second in which a stop's flush ends."""
    now = int(time.time())
    return server.render(target, now - 1800, now + 2)


@pytest.mark.parametrize("kernel", IN_SERVERS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_was_sent_is_what_render_returns(graphite: Graphite, tmp_path: Path, scheme: str, kernel: str) -> None:
    name = f"{scheme.replace('+', '_')}_{kernel}"
    server = Serving(
        "--listen=udp://127.0.0.1:0", "--flush-interval=1s", state=tmp_path, kernel=kernel, sinks=[graphite.url(scheme)]
    )
    try:
        to = "udp://{}:{}".format(*server.ready().address("udp"))
        lines = [f"{name}.hits:3|c", f"{name}.hits:2|c|@0.5", f"{name}.load:0.25|g", f"{name}.tagged:7|g|#host:a,zone:b"]
        subprocess.run([*PROGRAM, "send", "--to", to, *lines], check=True, timeout=60)
        assert server.stop() == 0
    finally:
        server.kill()

    expected = {
        f"stats.counters.{name}.hits.count": 7.0,
        f"stats.counters.{name}.hits.rate": 7.0,
        f"stats.gauges.{name}.load": 0.25,
        f"seriesByTag('name=stats.gauges.{name}.tagged','host=a','zone=b')": 7.0,
    }
    for target, value in expected.items():
        until(lambda target=target: any(rendered(graphite, target).values()), f"{target} is rendered", TAGGED)  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        assert max(rendered(graphite, target).popitem()[1].values()) == value


class Load:
    """Sends counters over TCP at an even pace until it is stopped."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.sent = 0
        self._stop = threading.Event()
        self._client = socket.create_connection(address)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(0.05):
            self._client.sendall(b"load:1|c\n" * 50)
            self.sent += 50

    def stop(self) -> int:
        """Return how much was sent."""
        self._stop.set()
        self._thread.join()
        self._client.close()
        return self.sent


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_flush_arrives_after_carbon_was_away_for_two_minutes_under_load(tmp_path: Path, scheme: str) -> None:
    with servers.graphite(tmp_path / "graphite") as graphite:
        server = Serving(
            *("--listen=tcp://127.0.0.1:0", "--flush-interval=1s", "--retry-most=2s"),
            state=tmp_path / "state",
            sinks=[CONSOLE, graphite.url(scheme)],
        )
        try:
            load = Load(server.ready().address("tcp"))
            until(lambda: len(server.flushes) > 5, "some flushes pass")
            graphite.stop_carbon()
            threading.Event().wait(120)  # the outage itself
            graphite.start_carbon()
            until(lambda: server.said("takes flushes again"), "the sink takes flushes again")
            sent = load.stop()
            until(lambda: not list((tmp_path / "state").rglob("*.flush")), "the spool is written")
            assert server.stop() == 0
        finally:
            server.kill()

        printed = {
            flush["timestamp"]: series["count"]
            for flush in server.flushes
            for series in flush["series"]
            if series["key"] == "load"
        }
        assert sum(printed.values()) == sent
        until(
            lambda: len(rendered(graphite, COUNT).get(COUNT, {})) >= len(printed),
            "every flush is rendered",
            told=lambda: f"{printed}\n{rendered(graphite, COUNT)}\n{server.log[-10:]}",
        )
        assert rendered(graphite, COUNT)[COUNT] == printed
