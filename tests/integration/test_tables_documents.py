"""Tables of MongoDB's wire protocol (SecantusDB, not mongod itself) and of a real Cassandra."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pymongo
import pytest
from cassandra.cluster import Cluster  # type: ignore[import-untyped]  # it has no types
from cassandra.concurrent import execute_concurrent_with_args  # type: ignore[import-untyped]  # see above

from nilometer.backends import registry
from nilometer.core.table import ITEMS, SIZE, Quality
from nilometer.testing.cassandra import cassandra
from nilometer.testing.mongodb import mongodb
from nilometer.testing.table_source import EMPTY, ORDERS, Shop, TableSourceContract, named, read
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mongodb(tmp_path_factory.mktemp("mongodb")) as url:
        with pymongo.MongoClient[dict[str, object]](url) as client:
            shop = client["shop"]
            shop["orders"].insert_many([{"_id": number, "customer": f"c{number}"} for number in range(ORDERS)])
            shop["orders"].create_index("customer", name="by_customer")
            shop.create_collection(EMPTY)
            shop.command("create", "seen", viewOn="orders", pipeline=[])
            client["other"]["things"].insert_one({})
        yield url


class TestMongoDB(TableSourceContract):
    @pytest.fixture
    def shop(self, documents: str) -> Shop:
        return Shop(documents, "shop", close_to=0.01, away="mongodb://nilometer:hunter2@127.0.0.1:1")


def test_views_and_other_databases_are_left_out_when_one_is_named(documents: str) -> None:
    assert {(each.project, each.name) for each in read(f"{documents}/shop")} == {("shop", "orders"), ("shop", EMPTY)}
    assert {each.project for each in read(documents)} == {"shop", "other"}
    health = registry.open(documents, registry.HEALTH)
    assert health.check().startswith("MongoDB ")
    health.close()


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with cassandra(tmp_path_factory.mktemp("cassandra")) as port:
        cluster = Cluster(["127.0.0.1"], port=port, connect_timeout=30)
        session = cluster.connect()
        session.default_timeout = 60
        session.execute("CREATE KEYSPACE shop WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
        session.execute("CREATE TABLE shop.orders (id int PRIMARY KEY, customer text, filling text)")
        session.execute("CREATE INDEX by_customer ON shop.orders (customer)")
        session.execute(f"CREATE TABLE shop.{EMPTY} (id int PRIMARY KEY)")
        insert = session.prepare("INSERT INTO shop.orders (id, customer, filling) VALUES (?, ?, ?)")
        values = [(number, f"c{number}", "x" * 500) for number in range(ORDERS)]
        execute_concurrent_with_args(session, insert, values)
        cluster.shutdown()
        yield port


def test_tables_of_cassandra_have_their_partitions_and_bytes(rows: int) -> None:
    """Bytes and estimates follow a node's own rhythm: data are flushed and counted when it sees fit, so they are waited for."""
    url = f"cassandra://127.0.0.1:{rows}?include=shop.*&timeout=20s"
    found = read(url)
    orders = named(found, "orders")
    assert (orders.project, orders.status) == ("shop", "active")
    assert named(found, "orders", "by_customer").figures == {}
    assert all(figure.quality is Quality.ESTIMATE for figure in orders.figures.values())
    assert named(found, EMPTY).figures.get(ITEMS, None) is None or named(found, EMPTY).figures[ITEMS].value == 0
    assert {each.project for each in found} == {"shop"}
    health = registry.open(f"cassandra://127.0.0.1:{rows}", registry.HEALTH)
    assert health.check().startswith("Cassandra 5")
    health.close()
    until(lambda: SIZE in named(read(url), "orders").figures, "it has a size", 120)
