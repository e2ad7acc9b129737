"""Every store of statistics keeps the contract."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
import uuid
from functools import partial
from typing import TYPE_CHECKING

import psycopg
import pytest

from nilometer.backends import registry
from nilometer.core.errors import StoreError
from nilometer.core.sqlite import file_of
from nilometer.core.statistics import RowQuery
from nilometer.core.url import parse
from nilometer.testing.postgresql import postgresql
from nilometer.testing.statistics_store import StatisticsStoreContract
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nilometer.core.capability import StatisticsStore

WRITER = """
import itertools, sys
from nilometer.backends import registry
from nilometer.core.statistics import Kind, Tally
from nilometer.core.statistics.change import Amount
store = registry.open(sys.argv[1], registry.STATISTICS)
store.register("a", Kind.SUM, 1)
at = store.progress()[0].offset
for number in itertools.count(at):
    assert store.apply({"a": Tally(sums={(60 * (number % 7 + 1), ("k",)): Amount(1, 1.0)})}, number, number + 1)
"""


def beyond(store: StatisticsStore, offset: int) -> bool:
    return any(each.offset > offset for each in store.progress())


class TestSqlite(StatisticsStoreContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path / 'statistics.db'}"

    def test_a_writer_that_is_killed_leaves_rows_and_offset_in_step(self, url: str) -> None:
        with contextlib.closing(registry.open(url, registry.STATISTICS)) as store:
            for wanted in (20, 40, 60):
                with subprocess.Popen([sys.executable, "-c", WRITER, url]) as writer:
                    until(partial(beyond, store, wanted), "it writes")
                    writer.kill()
            rows = store.find_rows("a", RowQuery(), 99).rows
            assert sum(row.value for row in rows) == store.progress()[0].offset

    def test_tables_of_a_newer_version_are_refused(self, url: str) -> None:
        with contextlib.closing(registry.open(url, registry.STATISTICS)) as store:
            store.inbox()
        with contextlib.closing(sqlite3.connect(file_of(parse(url)))) as file, file:
            file.execute("UPDATE nilometer_statistics_version SET version_num = '9999'")
        with contextlib.closing(registry.open(url, registry.STATISTICS)) as store, pytest.raises(StoreError, match="9999"):
            store.inbox()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql() as url:
        yield url.replace("+psycopg", "")


@pytest.mark.slow
class TestPostgresql(StatisticsStoreContract):
    @pytest.fixture
    def url(self, server: str) -> str:
        name = f"d{uuid.uuid4().hex}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"{server.rpartition('/')[0]}/{name}"
