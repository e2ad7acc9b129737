"""Tables of PostgreSQL and MariaDB: the contract over real servers, and what each has of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from nilometer.core.table import ITEMS, SIZE, Fault, Quality
from nilometer.testing.mariadb import mariadb
from nilometer.testing.postgresql import postgresql
from nilometer.testing.table_source import EMPTY, ORDERS, Shop, TableSourceContract, named, read
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow


def filled(url: str, *more: str) -> sa.Engine:
    """Make the tables of the shop."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in (
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer VARCHAR(40))",
            "CREATE INDEX by_customer ON orders (customer)",
            f"CREATE TABLE {EMPTY} (id INTEGER)",
            "CREATE VIEW seen AS SELECT id FROM orders",
            *more,
        ):
            connection.exec_driver_sql(statement)
        rows = [{"id": number, "customer": f"c{number}"} for number in range(ORDERS)]
        connection.execute(sa.text("INSERT INTO orders VALUES (:id, :customer)"), rows)
    return engine


def plain(url: str) -> str:
    """Return a URL as our backends write it."""
    return url.replace("+psycopg", "").replace("+pymysql", "")


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with postgresql() as url:
        engine = filled(
            url,
            "CREATE TABLE parted (id INTEGER) PARTITION BY RANGE (id)",
            "CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (100)",
            "INSERT INTO parted SELECT generate_series(0, 99)",
            "ANALYZE parted",
        )
        with engine.connect() as connection:
            connection.exec_driver_sql("ANALYZE orders")
        engine.dispose()
        yield url


class TestPostgreSQL(TableSourceContract):
    @pytest.fixture
    def shop(self, postgres: str) -> Shop:
        away = "postgresql://nilometer:hunter2@127.0.0.1:1/shop"
        return Shop(plain(postgres), "public", close_to=0.05, away=away)


def test_partitions_are_counted_once(postgres: str) -> None:
    found = read(plain(postgres))
    assert (named(found, "parted").status, named(found, "parted").figures) == ("partitioned", {})
    assert named(found, "parted_low").figures[ITEMS].value == 100
    assert {"pg_class", "seen"}.isdisjoint({each.name for each in found})


def test_a_table_that_somebody_holds_locked_is_a_fault_alone(postgres: str) -> None:
    engine = sa.create_engine(postgres)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"LOCK TABLE {EMPTY} IN ACCESS EXCLUSIVE MODE")
        found = read(plain(postgres))
    engine.dispose()
    assert [each.name for each in found if isinstance(each, Fault)] == [EMPTY]
    assert named(found, "orders").figures[SIZE].value > 0


def test_what_was_never_analysed_has_no_count_until_the_server_counts_it(postgres: str) -> None:
    engine = sa.create_engine(postgres, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE fresh AS SELECT generate_series(1, 500) AS id")
        rows = named(read(plain(postgres)), "fresh").figures.get(ITEMS)
        assert rows is None or rows.quality is Quality.ESTIMATE
        connection.exec_driver_sql("ANALYZE fresh")
        until(lambda: ITEMS in named(read(plain(postgres)), "fresh").figures, "it is counted")
        connection.exec_driver_sql("DROP TABLE fresh")
    engine.dispose()


@pytest.fixture(scope="module")
def maria() -> Iterator[str]:
    with mariadb() as url:
        engine = filled(url, "CREATE TABLE counted (id INTEGER) ENGINE=Aria", "INSERT INTO counted VALUES (1), (2)")
        with engine.connect() as connection:
            connection.exec_driver_sql("ANALYZE TABLE orders")
        engine.dispose()
        yield url


class TestMariaDB(TableSourceContract):
    @pytest.fixture
    def shop(self, maria: str) -> Shop:
        return Shop(plain(maria), plain(maria).rpartition("/")[2], close_to=0.2, away="mysql://nilometer:hunter2@127.0.0.1:1")


def test_an_engine_that_counts_is_exact(maria: str) -> None:
    figures = named(read(plain(maria)), "counted").figures
    assert (figures[ITEMS].value, figures[ITEMS].quality, figures[SIZE].quality) == (2, Quality.EXACT, Quality.EXACT)


def test_sizes_of_innodb_are_stale(maria: str) -> None:
    assert named(read(plain(maria)), "orders").figures[SIZE].quality is Quality.STALE
