"""The contract of stores of traces, over each of them."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import pymongo
import pytest
import redis as driver
import sqlalchemy as sa

from nilometer.backends import memory, registry
from nilometer.testing.mariadb import mariadb
from nilometer.testing.mongodb import mongodb
from nilometer.testing.opensearch import OpenSearch, opensearch
from nilometer.testing.postgresql import postgresql
from nilometer.testing.rabbitmq import rabbitmq
from nilometer.testing.redis import redis
from nilometer.testing.trace_store import TraceStoreContract

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nilometer.testing.rabbitmq import RabbitMQ

NUMBERS = count()


class TestMemory(TraceStoreContract):
    @pytest.fixture
    def url(self) -> Iterator[str]:
        yield "memory://contract-of-traces"
        memory.forget("contract-of-traces")


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with redis() as found:
        yield found


def flushed(url: str) -> str:
    """Empty a Redis, and return its URL."""
    client = driver.Redis.from_url(url)
    client.flushall()
    client.close()
    return url


class TestSqlite(TraceStoreContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/ä traces.db"


class TestSqliteInOsprofilersLayout(TraceStoreContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/traces.db?layout=osprofiler"


class TestRedis(TraceStoreContract):
    @pytest.fixture
    def url(self, redis_url: str) -> str:
        return flushed(redis_url)


class TestRedisInOsprofilersLayout(TraceStoreContract):
    @pytest.fixture
    def url(self, redis_url: str) -> str:
        return f"{flushed(redis_url)}?layout=osprofiler"


@pytest.fixture(scope="module")
def postgresql_url() -> Iterator[str]:
    with postgresql() as found:
        yield found


@pytest.fixture(scope="module")
def mariadb_url() -> Iterator[str]:
    with mariadb() as found:
        yield found


def emptied(server: str) -> str:
    """Empty a server's database, and return its URL as ours."""
    engine = sa.create_engine(server)
    with engine.begin() as connection:
        for name in ("nilometer_spans", "nilometer_traces", "nilometer_traces_meta", "data"):
            connection.execute(sa.text(f"DROP TABLE IF EXISTS {name}"))
    engine.dispose()
    scheme, _, rest = server.partition("://")
    return f"{scheme.partition('+')[0]}://{rest}"


@pytest.mark.slow
class TestPostgresql(TraceStoreContract):
    @pytest.fixture
    def url(self, postgresql_url: str) -> str:
        return emptied(postgresql_url)


@pytest.mark.slow
class TestPostgresqlInOsprofilersLayout(TraceStoreContract):
    @pytest.fixture
    def url(self, postgresql_url: str) -> str:
        return f"{emptied(postgresql_url)}?layout=osprofiler"


@pytest.mark.slow
class TestMariadb(TraceStoreContract):
    @pytest.fixture
    def url(self, mariadb_url: str) -> str:
        return emptied(mariadb_url)


@pytest.mark.slow
class TestMariadbInOsprofilersLayout(TraceStoreContract):
    @pytest.fixture
    def url(self, mariadb_url: str) -> str:
        return f"{emptied(mariadb_url)}?layout=osprofiler"


@pytest.fixture(scope="module")
def mongodb_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mongodb(tmp_path_factory.mktemp("mongodb")) as found:
        yield found


@pytest.mark.slow
class TestMongodb(TraceStoreContract):
    @pytest.fixture
    def url(self, mongodb_url: str) -> str:
        return f"{mongodb_url}/traces{next(NUMBERS)}"


@pytest.mark.slow
class TestMongodbInOsprofilersLayout(TraceStoreContract):
    @pytest.fixture
    def url(self, mongodb_url: str) -> str:
        client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(mongodb_url)
        client.drop_database("osprofiler")
        client.close()
        return f"{mongodb_url}/traces{next(NUMBERS)}?layout=osprofiler"


@pytest.fixture(scope="module")
def opensearch_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenSearch]:
    with opensearch(tmp_path_factory.mktemp("opensearch")) as found:
        yield found


@pytest.mark.slow
class TestOpensearch(TraceStoreContract):
    @pytest.fixture
    def url(self, opensearch_server: OpenSearch) -> str:
        return f"opensearch://127.0.0.1:{opensearch_server.port}/traces{next(NUMBERS)}?timeout=60s"


@pytest.mark.slow
class TestOpensearchInOsprofilersLayout(TraceStoreContract):
    @pytest.fixture
    def url(self, opensearch_server: OpenSearch) -> str:
        opensearch_server.ask("DELETE", "/osprofiler-notifications*?ignore_unavailable=true")
        return f"opensearch://127.0.0.1:{opensearch_server.port}/traces{next(NUMBERS)}?timeout=60s&layout=osprofiler"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    with rabbitmq(tmp_path_factory.mktemp("rabbitmq")) as found:
        yield found


@pytest.mark.slow
class TestRabbitmq(TraceStoreContract):
    @pytest.fixture
    def url(self, broker: RabbitMQ) -> str:
        store = registry.open(broker.url, registry.TRACES)
        while store.drop_traces(1e11):
            pass
        store.close()
        return broker.url
