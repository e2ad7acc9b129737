"""Requests to a real server, their numbers out of a real StatsD server: Nilometer with its preset, and statsd itself."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

import pytest

from nilometer.testing.apps.client import Connection
from nilometer.testing.apps.server import running
from nilometer.testing.apps.site import APP, series
from nilometer.testing.carbon import Carbon
from nilometer.testing.daemon import Command, Daemon
from nilometer.testing.javascript import statsd
from nilometer.testing.serving import Serving
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DISTRIBUTION = [50, 66, 75, 80, 90, 95, 98, 99, 100]
REQUESTS = 40
TIMER = series("timing", "work")


def drive(port: int) -> None:
    """Make requests: good ones, refused ones, failures."""
    with Connection(port) as connection:
        for _ in range(REQUESTS):
            assert connection.request("GET", "/work/hello").body == b"hello\n"
        for what in ("refuse", "refuse", "fail"):
            connection.request("GET", f"/{what}/{what}")


@pytest.fixture
def nilometer(tmp_path: Path) -> Iterator[Serving]:
    arguments = ("--listen=udp://127.0.0.1:0", "--flush-interval=500ms", "--rules-presets=requests")
    server = Serving(*arguments, state=tmp_path)
    yield server.ready()
    server.kill()


def test_nilometer_shows_the_distribution_of_each_endpoint(nilometer: Serving) -> None:
    host, port = nilometer.address("udp")
    with running("gunicorn gthread", APP.format("wsgi"), f"statsd://{host}:{port}?flush=50ms") as server:
        drive(server.port)
        until(lambda: nilometer.total(TIMER) >= REQUESTS, "all requests are in flushes")
        until(lambda: nilometer.total(series("failures")) >= 1, "the failure is in a flush")
    assert nilometer.total(TIMER) == REQUESTS
    assert nilometer.total(series("timing")) == REQUESTS + 3
    assert nilometer.total(series("errors")) == 2
    assert nilometer.total(series("timing.error.403")) == 2
    assert nilometer.total(series("failures", "fail")) == 1
    for flush in [each for each in nilometer.series(TIMER) if each.get("count")]:
        spread = [flush["lower"], *(flush[f"upper_{percent}"] for percent in DISTRIBUTION)]
        assert spread == sorted(spread)
        assert flush["upper_100"] == flush["upper"]
        assert flush["lower"] <= min(flush["median"], flush["mean"]) <= max(flush["median"], flush["mean"]) <= flush["upper"]
        assert flush["count_ps"] > 0


@pytest.fixture
def carbon() -> Iterator[Carbon]:
    peer = Carbon()
    yield peer
    peer.close()


def rows(carbon: Carbon) -> dict[str, list[float]]:
    """Return the values that statsd sent for each path."""
    found: dict[str, list[float]] = {}
    for row in carbon.rows():
        found.setdefault(row.path, []).append(float(row.value))
    return found


def test_statsd_itself_shows_the_distribution_and_finds_no_bad_line(carbon: Carbon) -> None:
    config: dict[str, Any] = {"percentThreshold": DISTRIBUTION, "graphite": {"legacyNamespace": False}}
    daemon = Daemon(config, Command(f"{shlex.join(statsd())} {{config}}"), carbon)
    try:
        assert daemon.up.wait(30), daemon.output
        with running("gunicorn gthread", APP.format("wsgi"), f"statsd://127.0.0.1:{daemon.udp}?flush=50ms") as server:
            drive(server.port)
            count, failures = f"stats.timers.{TIMER}.count", f"stats.counters.{series('failures', 'fail')}.count"
            until(
                lambda: sum(rows(carbon).get(count, [])) >= REQUESTS,
                "all requests are in flushes",
                told=daemon.output.copy().__str__,
            )
            until(lambda: sum(rows(carbon).get(failures, [])) >= 1, "the failure is in a flush")
        seen = rows(carbon)
        assert sum(seen[count]) == REQUESTS
        assert sum(seen[f"stats.counters.{series('errors')}.count"]) == 2
        for percent in DISTRIBUTION:
            upper = seen[f"stats.timers.{TIMER}.upper_{percent}"]
            assert 0 < max(upper) <= max(seen[f"stats.timers.{TIMER}.upper"])
        assert {"mean", "median", "lower", "upper", "count_ps"} <= {
            match[1] for path in seen if (match := re.fullmatch(rf"stats\.timers\.{re.escape(TIMER)}\.(\w+)", path))
        }
        assert "messages.bad_lines_seen: 0\n" in daemon.admin("stats\n")
    finally:
        daemon.stop()
