"""Tables of SQLite: the contract over a real file, and what is SQLite's own."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from nilometer.core.errors import Unavailable
from nilometer.core.table import ITEMS, SIZE, Fault, Figure, Quality
from nilometer.testing.table_source import EMPTY, ORDERS, Shop, TableSourceContract, named, read
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from pathlib import Path


LONG = 2_000_000
"""Rows that nobody counts in a millisecond."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "shop.db"
    with closing(sqlite3.connect(made)) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT)")
        connection.execute("CREATE INDEX by_customer ON orders (customer)")
        connection.execute(f"CREATE TABLE {EMPTY} (id INTEGER)")
        connection.executemany("INSERT INTO orders (customer) VALUES (?)", ((f"c{n}",) for n in range(ORDERS)))
        connection.commit()
    return made


class TestSqlite(TableSourceContract):
    @pytest.fixture
    def shop(self, file: Path) -> Shop:
        return Shop(f"sqlite:///{file}", "shop", away=f"sqlite:///{file.parent}/none.db")


def test_pages_are_counted_as_the_file_has_them(file: Path) -> None:
    found = read(f"sqlite:///{file}")
    with closing(sqlite3.connect(file)) as connection:
        pages = dict(connection.execute("SELECT name, pgsize FROM dbstat WHERE aggregate = TRUE"))
    assert named(found, "orders").figures[SIZE].value == pages["orders"]
    assert named(found, "orders", "by_customer").figures[SIZE].value == pages["by_customer"]


def test_a_file_is_never_made(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no such file"):
        read(f"sqlite:///{tmp_path}/none.db")
    assert not list(tmp_path.iterdir())


def test_counting_that_takes_too_long_says_what_was_analysed_or_nothing(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE long (a)")
        many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ?) INSERT INTO long SELECT i FROM n"
        connection.execute(many, (LONG,))
        connection.commit()
    until(lambda: ITEMS not in named(read(f"sqlite:///{file}?timeout=1ms"), "long").figures, "counting takes too long")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("ANALYZE")

    def rows() -> Figure:
        return named(read(f"sqlite:///{file}?timeout=1ms"), "long").figures[ITEMS]

    until(lambda: rows().quality is Quality.STALE, "counting takes too long, unless the clock of a busy machine is late")
    assert rows().value == LONG


def test_a_name_of_any_letters_is_read(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute('CREATE TABLE "it""s; a -- täble" (a)')
    assert named(read(f"sqlite:///{file}"), 'it"s; a -- täble').figures[ITEMS].value == 0


def test_a_table_that_cannot_be_read_spoils_nothing(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("CREATE TABLE gone (a)")
        connection.execute(
            "UPDATE sqlite_schema SET sql = 'CREATE VIRTUAL TABLE gone USING no_such_module', rootpage = 0 WHERE name = 'gone'"
        )
        connection.commit()
    found = read(f"sqlite:///{file}")
    assert [(each.name, "no such module" in each.reason) for each in found if isinstance(each, Fault)] == [("gone", True)]
    assert named(found, "orders").figures[ITEMS].value == ORDERS


def test_what_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database" * 100)
    with pytest.raises(Unavailable, match=r"text\.db"):
        read(f"sqlite:///{tmp_path}/text.db")
