"""Driver metrics and task hooks with the real servers and worker processes behind them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cassandra import ConsistencyLevel  # type: ignore[import-untyped]  # it has no types
from cassandra.cluster import Cluster, NoHostAvailable  # type: ignore[import-untyped]  # likewise
from cassandra.query import SimpleStatement  # type: ignore[import-untyped]  # likewise
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from nilometer import StatsD
from nilometer.emit.drivers import Poller, cassandra, redis
from nilometer.testing.apps.catcher import Catcher
from nilometer.testing.cassandra import cassandra as cassandra_server
from nilometer.testing.redis import redis as redis_server
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CELERY = """
from celery import Celery
from nilometer import StatsD
from nilometer.emit.tasks import Tasks, celery
app = Celery("shop", broker={broker!r}, backend={broker!r})
app.conf.broker_connection_retry_on_startup = True
celery.install(Tasks(StatsD({statsd!r})), wait=True)

@app.task(name="shop.add")
def add(left, right):
    return left + right
"""
DRAMATIQ = """
import dramatiq
from dramatiq.brokers.redis import RedisBroker
from nilometer import StatsD
from nilometer.emit.tasks import Tasks, dramatiq as measured
broker = RedisBroker(url={broker!r})
broker.add_middleware(measured.middleware(Tasks(StatsD({statsd!r}))))
dramatiq.set_broker(broker)

@dramatiq.actor(actor_name="shop.add")
def add(left, right):
    return left + right
"""
LATE = "flush=60s"
"""What is not sent at the worker's end would come too late for these tests."""


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    with redis_server() as url:
        yield url


@pytest.fixture
def catcher() -> Iterator[Catcher]:
    made = Catcher()
    yield made
    made.close()


def test_a_redis_client_s_connections_are_read(broker: str, catcher: Catcher) -> None:
    statsd, client = StatsD(catcher.url), Redis.from_url(broker, max_connections=7)
    poller = Poller(statsd)
    poller.add(redis.source(client))
    client.set("a", 1)
    with client.pipeline() as pipe:
        pipe.watch("a")  # type: ignore[no-untyped-call]  # it has no types
        poller.read()
    poller.read()
    poller.close()
    statsd.close()
    client.close()
    assert catcher.wait("redis.pool.used", 2) == [1, 0]
    assert catcher.values("redis.pool.idle") == [0, 1]
    assert catcher.values("redis.pool.most") == [7, 7]


def test_an_asyncio_client_s_connections_are_read(broker: str) -> None:
    async def main() -> dict[str, float]:
        client = AsyncRedis.from_url(broker, max_connections=7)
        await client.set("a", 1)
        found = {sample.stat: sample.value for sample in redis.source(client, name="{metric}")()}
        await client.aclose()
        return found

    assert asyncio.run(main()) == {"pool.used": 0, "pool.idle": 1, "pool.most": 7}


@pytest.mark.parametrize("kind", ["celery", "dramatiq"])
def test_worker_processes_send_what_they_hold_when_they_stop(kind: str, broker: str, catcher: Catcher, tmp_path: Path) -> None:
    code = (CELERY if kind == "celery" else DRAMATIQ).format(broker=broker, statsd=f"{catcher.url}?{LATE}")
    (tmp_path / "shop.py").write_text(code)
    command = {
        "celery": [
            "celery",
            "-A",
            "shop",
            "worker",
            "--concurrency=2",
            "--loglevel=ERROR",
            "--without-mingle",
            "--without-gossip",
        ],
        "dramatiq": ["dramatiq", "shop", "--processes=1", "--threads=2", "--path", "."],
    }[kind]
    send = (
        "[add.delay(n, n) for n in range(5)][-1].get(timeout=60)" if kind == "celery" else "[add.send(n, n) for n in range(5)]"
    )
    worker = subprocess.Popen([sys.executable, "-m", *command], cwd=tmp_path, stderr=subprocess.PIPE, start_new_session=True)
    try:
        subprocess.run([sys.executable, "-c", f"from shop import add; {send}"], cwd=tmp_path, check=True, timeout=90)
        if kind == "dramatiq":
            empty(broker)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0, worker.stderr
    finally:
        if worker.poll() is None:
            os.killpg(worker.pid, signal.SIGKILL)
        worker.communicate()
    assert len(catcher.wait("shop.add.timing", 5)) == 5
    assert len(catcher.wait("shop.add.wait_timing", 5)) == 5
    assert catcher.bad == []


def empty(broker: str) -> None:
    """Wait until Dramatiq's queue holds nothing that is not acknowledged."""
    client = Redis.from_url(broker)
    until(lambda: client.hlen("dramatiq:default.msgs") == 0, "an empty queue", 60)
    client.close()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::SyntaxWarning")  # scales compares with a literal by `is`
def test_a_real_cluster_s_requests_and_errors_are_sent(catcher: Catcher, tmp_path: Path) -> None:
    with cassandra_server(tmp_path) as port:
        cluster = Cluster(["127.0.0.1"], port=port, metrics_enabled=True)
        session = cluster.connect()
        statsd = StatsD(catcher.url)
        poller = Poller(statsd)
        poller.add(cassandra.source(cluster, name="node.{metric}"))
        for _ in range(25):
            session.execute("select key from system.local")
        session.execute("create keyspace k with replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
        session.execute("create table k.t (a int primary key)")
        with pytest.raises(NoHostAvailable, match="Cannot achieve consistency"):
            session.execute(SimpleStatement("select a from k.t", consistency_level=ConsistencyLevel.THREE))
        poller.read()
        statsd.flush()
        assert catcher.wait("node.requests")[0] >= 25
        assert catcher.values("node.unavailables")[0] >= 1
        assert catcher.values("node.connected_to") == [1]
        assert catcher.values("node.open_connections")[0] >= 1
        assert catcher.values("node.request_ms.mean")[0] > 0
        poller.close()
        statsd.close()
        cluster.shutdown()
