"""``nilometer usage``: tables of a real source become events in a real store, and totals come out of it."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from nilometer.backends import registry
from nilometer.cli.main import main
from nilometer.core.event_query import EventQuery
from nilometer.core.record import Event

if TYPE_CHECKING:
    from pathlib import Path

    from nilometer.core.capability import EventStore

ROWS = 3000
GONE = {"table_name": "gone"}


@pytest.fixture
def shop(tmp_path: Path) -> str:
    with closing(sqlite3.connect(tmp_path / "acme.db")) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, day TEXT)")
        connection.execute("CREATE INDEX by_day ON orders (day)")
        connection.executemany("INSERT INTO orders (day) VALUES (?)", ((str(number),) for number in range(ROWS)))
        connection.commit()
    return f"sqlite:///{tmp_path}/acme.db"


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/events.db"


def opened(url: str) -> EventStore:
    return registry.open(url, registry.EVENT_STORE)


def kept(url: str) -> list[Event]:
    found = opened(url)
    events = found.find_events(EventQuery(), 1000).events
    found.close()
    return events


def test_the_same_period_told_twice_is_kept_once(shop: str, store: str, capfd: pytest.CaptureFixture[str]) -> None:
    at = ("--at", "2026-11-20T10:30:00")
    for _ in range(2):
        assert main(["usage", "audit", shop, *at, "--to", store, "--publisher", "audit.h1"]) == 0
        assert "2 events of the period from 2026-11-20T10:00:00Z to 2026-11-20T11:00:00Z" in capfd.readouterr().err
    found = {event.payload.get("index_name", ""): event for event in kept(store)}
    assert sorted(found) == ["", "by_day"]
    table = found[""]
    assert (table.type, table.tenant, table.publisher) == ("magnetodb.table.usage", "acme", "audit.h1")
    assert (table.payload["item_count"], table.payload["state"]) == (ROWS, "active")
    assert table.payload["disk_gb"] == table.payload["size_bytes"] / (1 << 30) > 0


def test_without_a_driver_the_events_are_printed(shop: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["usage", "audit", shop, "--store", "none", "--period", "day", "--service", "shop"]) == 0
    found = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [event["type"] for event in found] == ["shop.table.usage"] * 2


def test_tables_that_events_name_are_told_too(store: str, capfd: pytest.CaptureFixture[str]) -> None:
    hour = time.time() // 3600 * 3600 - 3600
    events = opened(store)
    events.write_events(
        [
            Event(
                "1", hour + 1, "magnetodb.data.putitem", "h1", tenant="acme", payload={"table_name": "gone", "rows_impacted": 3}
            ),
            Event("2", hour + 2, "magnetodb.table.delete.end", "h2", tenant="acme", payload={"table_name": "gone"}),
        ]
    )
    events.close()
    assert main(["usage", "audit", "--store", store]) == 0
    (told,) = map(json.loads, capfd.readouterr().out.splitlines())
    assert told["payload"].items() >= {"table_name": "gone", "state": "not_exist", "writes": 3}.items()


def test_a_source_that_is_away_is_an_error_event_and_the_exit_code(store: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["usage", "audit", "sqlite:////no/such/file.db", "--to", store]) == 1
    assert "no such file" in capfd.readouterr().err
    assert [event.type for event in kept(store)] == ["magnetodb.table.usage.error"]


def test_totals_as_a_table_as_json_and_as_csv(shop: str, store: str, capfd: pytest.CaptureFixture[str]) -> None:
    hour = time.time() // 3600 * 3600 - 3600
    events = opened(store)
    events.write_events(
        [Event(str(n), hour + n, "magnetodb.data.getitem", f"h{n % 2}", tenant="globex", payload={}) for n in range(1500)]
    )
    events.close()
    assert main(["usage", "audit", shop, "--to", store]) == 0
    capfd.readouterr()
    assert main(["usage", "totals", "--store", store]) == 0
    assert "1,500" in capfd.readouterr().out
    assert main(["usage", "totals", "--store", store, "--json", "--by", "project"]) == 0
    found = {row["project"]: row for row in map(json.loads, capfd.readouterr().out.splitlines())}
    assert (found["globex"]["reads"], found["globex"]["events"]) == (1500, 1500)
    assert found["acme"]["storage_gb_hours"] > 0
    assert main(["usage", "totals", "--store", store, "--csv", "--step", "1h", "--by", "service"]) == 0
    rows = list(csv.DictReader(io.StringIO(capfd.readouterr().out)))
    assert [row["service"] for row in rows] == ["magnetodb"] * len(rows)
    assert sum(float(row["reads"]) for row in rows) == 1500


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (["audit", "--at", "now"], "ends at"),
        (["audit", "--at", "some day"], "--at"),
        (["audit", "statsd://localhost"], "has no tables"),
        (["audit", "--to", "cassandra+x://h"], "no backend answers"),
        (["totals", "--store", "none"], "need a store"),
        (["totals", "--since", "now", "--until", "-1d"], "does not lie before"),
    ],
)
def test_what_is_wrong_is_told(line: list[str], reason: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["usage", *line, "--server-state", str(tmp_path)]) == 2
    assert reason in capfd.readouterr().err
