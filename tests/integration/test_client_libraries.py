"""Client libraries of other projects, as they are installed, talk to the server with every kind of metric that they have."""

from __future__ import annotations

import json
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import statsd  # type: ignore[import-untyped]  # it has no types
from datadog.dogstatsd.base import DogStatsd

from nilometer.testing.serving import Serving
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

HOT_SHOTS = Path(__file__).parents[2] / ".cache/hot-shots/node_modules/hot-shots"
SCRIPT = """
const [port, where] = [Number(process.argv[1]), process.argv[2]];
const StatsD = require(where);
const client = new StatsD({host: '127.0.0.1', port, prefix: 'node.', globalTags: {env: 'test'}, maxBufferSize: 1000});
client.increment('hits', 3);
client.increment('hits', 1, 0.5, {route: '/a b'}, () => {});
client.decrement('hits', 1);
client.timing('wait', 12.5);
client.histogram('size', 7);
client.distribution('spread', 9);
client.gauge('depth', 42);
client.gaugeDelta('depth', -2);
client.set('users', 'ann');
client.set('users', 'bob');
client.check('db', client.CHECKS.WARNING, {message: 'slow'});
client.event('deployed', 'version 2');
client.close(() => {});
"""


@pytest.fixture(params=["udp", "tcp", "unix"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    listeners = ["udp://127.0.0.1:0", "tcp://127.0.0.1:0", f"unix://{tmp_path}/stream", f"unixgram://{tmp_path}/datagram"]
    made = Serving(*(f"--listen={url}" for url in listeners), "--flush-interval=200ms", state=tmp_path / "state")
    yield made.ready()
    made.kill()


def last(server: Serving, key: str, statistic: str) -> float:
    """Return what the newest flush with that key says."""
    values = [series[statistic] for series in server.series(key) if statistic in series]
    return float(values[-1]) if values else float("nan")


def python_client(server: Serving, scheme: str, folder: Path) -> statsd.client.base.StatsClientBase:
    if scheme == "unix":
        return statsd.UnixSocketStatsClient(f"{folder}/stream", prefix="app")
    host, port = server.address(scheme)
    return {"udp": statsd.StatsClient, "tcp": statsd.TCPStatsClient}[scheme](host, port, prefix="app")


def test_the_statsd_package(server: Serving, scheme: str, tmp_path: Path) -> None:
    client = python_client(server, scheme, tmp_path)
    client.incr("hits", 3)
    client.decr("hits")
    client.incr("sampled", rate=1)
    client.timing("wait", timedelta(milliseconds=320))
    with client.timer("block"):
        pass
    client.gauge("depth", 10)
    client.gauge("depth", -4, delta=True)
    client.gauge("level", -7)
    client.set("users", "ann")
    client.set("users", "bob")
    with client.pipeline() as pipe:
        pipe.incr("piped")
        pipe.timing("piped", 5)
    client.close()

    until(lambda: server.total("app.piped") == 2, "the last lines are counted", told=lambda: str(server.flushes[-1:]))
    assert server.total("app.hits") == 2
    assert server.total("app.sampled") == 1
    assert server.series("app.wait")[0]["upper"] == 320
    assert server.total("app.block") == 1
    assert (last(server, "app.depth", "value"), last(server, "app.level", "value")) == (6, -7)
    assert server.total("app.users") == 2
    assert server.total("nilometer.bad_lines") == 0


@pytest.mark.parametrize("transport", ["udp", "unixgram"])
def test_the_datadog_package(server: Serving, transport: str, tmp_path: Path) -> None:
    host, port = server.address("udp")
    path = f"{tmp_path}/datagram" if transport == "unixgram" else None
    patience = 10  # seconds: a Unix socket holds ten datagrams, and without patience the client drops what does not fit
    client = DogStatsd(host, port, socket_path=path, socket_timeout=patience, namespace="dog", constant_tags=["env:test"])
    client.increment("hits", 3)
    client.increment("hits", tags=["route:home", "canary"])
    client.decrement("hits")
    client.gauge("depth", 42, tags=["b:2", "a:1"])
    client.histogram("size", 7)
    client.distribution("spread", 9)
    client.timing("wait", 12.5)
    client.set("users", "ann")
    client.event("deployed", "version 2", alert_type="success", tags=["v:2"])
    client.service_check("db", client.WARNING, tags=["db:main"], message="slow")
    client.gauge_with_timestamp("then", 5, 1_700_000_000)
    client.count_with_timestamp("once", 2, 1_700_000_000)
    client.flush()
    client.close_socket()

    until(lambda: server.total("dog.users;env=test") == 1, "the set is counted", told=lambda: str(server.flushes))
    assert server.total("dog.hits;env=test") == 2
    assert [key for key in keys(server) if key.startswith("dog.hits;") and "route=home" in key]
    assert last(server, "dog.depth;a=1;b=2;env=test", "value") == 42
    assert [server.series(f"dog.{name};env=test")[0]["upper"] for name in ("size", "spread", "wait")] == [7, 9, 12.5]
    assert server.total("nilometer.bad_lines") == 0
    until(lambda: len(server.events) == 2, "the event and the check are delivered", told=lambda: str(server.events))
    timed = {"dog.then;env=test", "dog.once;env=test"}
    until(lambda: keys(server, 1_700_000_000) == timed, "their own times are kept", told=lambda: str(server.flushes))


def test_hot_shots(server: Serving) -> None:
    host, port = server.address("udp")
    assert host == "127.0.0.1"
    subprocess.run(["node", "-e", SCRIPT, str(port), str(HOT_SHOTS)], check=True, timeout=60)

    until(lambda: server.total("node.users;env=test") == 2, "the sets are counted", told=lambda: json.dumps(server.flushes))
    assert server.total("node.hits;env=test") == 2
    assert [server.series(f"node.{name};env=test")[0]["upper"] for name in ("wait", "size", "spread")] == [12.5, 7, 9]
    assert last(server, "node.depth;env=test", "value") == 40
    until(lambda: len(server.events) == 2, "the event and the check are delivered", told=lambda: str(server.events))
    assert server.total("nilometer.bad_lines") == 0


def keys(server: Serving, time: int | None = None) -> set[str]:
    """Return the keys of all flushes so far, or of those at one time."""
    flushes = [flush for flush in list(server.flushes) if time in (None, flush["timestamp"])]
    return {series["key"] for flush in flushes for series in flush["series"]}
