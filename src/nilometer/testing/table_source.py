"""The contract of sources of tables, as tests that run over any system.

A test module derives a class and gives it the fixture ``shop``: a system that holds the tables of `Shop`, made by a client that
is not ours.
"""
# assert is how a test speaks, and its name says what it states
# ruff: noqa: S101, D102

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from nilometer.backends import registry
from nilometer.core.capability import TableSource
from nilometer.core.errors import Unavailable, UrlError
from nilometer.core.table import ITEMS, SIZE, Fault, Quality, Table

if TYPE_CHECKING:
    from collections.abc import Callable

ORDERS, EMPTY = 2000, "vacant"
BOUND = 15.0
"""Seconds within which a source that is away is told of, with a timeout of one second."""


@dataclass(frozen=True)
class Shop:
    """A system with the tables ``orders``, of `ORDERS` rows and with one index, and ``vacant``, of none.

    `close_to`: by how much, as a share, a count may be wrong. `away` is a URL of the same scheme at which nobody answers.
    """

    url: str
    project: str
    index: str = "by_customer"
    close_to: float = 0.0
    away: str = ""
    drop: Callable[[str], object] = lambda _: None


def with_options(url: str, options: str) -> str:
    """Return a URL with more options."""
    return f"{url}{'&' if '?' in url else '?'}{options}"


def read(url: str) -> list[Table | Fault]:
    """Read all tables once."""
    source = registry.open(url, registry.TABLES)
    try:
        assert isinstance(source, TableSource)
        return list(source.read_tables())
    finally:
        source.close()


def named(found: list[Table | Fault], name: str, index: str = "") -> Table:
    """Return one table, or index."""
    tables = [each for each in found if isinstance(each, Table) and (each.name, each.index) == (name, index)]
    assert len(tables) == 1, found
    return tables[0]


class TableSourceContract:
    """What every source of tables keeps."""

    def test_a_table_has_its_project_status_rows_and_bytes(self, shop: Shop) -> None:
        orders = named(read(shop.url), "orders")
        assert (orders.project, orders.status) == (shop.project, "active")
        rows = orders.figures[ITEMS]
        assert abs(rows.value - ORDERS) <= ORDERS * shop.close_to
        assert (rows.quality is Quality.EXACT) == (shop.close_to == 0)
        assert orders.figures[SIZE].value > ORDERS

    def test_an_index_is_a_row_of_its_own(self, shop: Shop) -> None:
        if shop.index:
            index = named(read(shop.url), "orders", shop.index)
            assert (index.project, index.status) == (shop.project, "active")
            assert index.figures[SIZE].value > 0

    def test_an_empty_table_has_no_rows_or_says_nothing_of_them(self, shop: Shop) -> None:
        rows = named(read(shop.url), EMPTY).figures.get(ITEMS)
        assert rows is None or rows.value == 0

    def test_every_table_comes_once_and_twice_the_same(self, shop: Shop) -> None:
        first, second = ([(e.project, e.name, getattr(e, "index", "")) for e in read(shop.url)] for _ in range(2))
        assert first == second
        assert len(set(first)) == len(first)

    def test_only_what_is_wanted_is_told(self, shop: Shop) -> None:
        assert {each.name for each in read(with_options(shop.url, "include=*.ord*"))} == {"orders"}
        assert "orders" not in {each.name for each in read(with_options(shop.url, f"exclude={shop.project}.orders"))}
        assert read(with_options(shop.url, "include=nothing.*")) == []

    def test_a_system_that_is_away_is_told_of_in_time_without_its_secrets(self, shop: Shop) -> None:
        if shop.away:
            began = time.monotonic()
            with pytest.raises(Unavailable) as caught:
                read(with_options(shop.away, "timeout=1s"))
            assert time.monotonic() - began < BOUND
            assert "hunter2" not in str(caught.value)

    def test_an_unknown_option_is_refused(self, shop: Shop) -> None:
        with pytest.raises(UrlError, match="no_such_option"):
            registry.open(with_options(shop.url, "no_such_option=1"), registry.TABLES)

    def test_a_source_that_is_closed_twice_is_quiet(self, shop: Shop) -> None:
        source = registry.open(shop.url, registry.TABLES)
        source.close()
        source.close()
