"""The usage audit in a real server: the last period is told at the start, once over a restart, and can be asked over HTTP."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from nilometer.testing.asking import ask
from nilometer.testing.serving import Serving
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    made = tmp_path / "acme.db"
    with closing(sqlite3.connect(made)) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT)")
        connection.executemany("INSERT INTO orders (customer) VALUES (?)", ((f"c{number}",) for number in range(2000)))
        connection.commit()
    return made


def serving(tmp_path: Path, *more: str) -> Serving:
    listen = ("--listen=udp://127.0.0.1:0", "--flush-interval=1s", "--web-listen=http://127.0.0.1:0")
    return Serving(*listen, *more, state=tmp_path / "state").ready()


def asked(server: Serving, path: str) -> Any:  # noqa: ANN401 whatever JSON it answers
    answer = ask(server.interface("HTTP interface"), path)
    assert answer.status == 200, answer.json
    return answer.json


@pytest.mark.slow
def test_the_last_period_is_told_once_over_a_restart_and_adds_up(shop: Path, tmp_path: Path) -> None:
    audit = ("--usage-period=hour", f"--tables-sources=sqlite:///{shop}")
    for _ in range(2):
        server = serving(tmp_path, *audit)
        try:
            until(lambda: asked(server, "/events?type=*.table.usage")["events"], "usage is told")  # noqa: B023 of this turn
            (event,) = asked(server, "/events?type=*.table.usage")["events"]
            assert (event["tenant"], event["payload"]["table_name"], event["payload"]["item_count"]) == ("acme", "orders", 2000)
            (total,) = asked(server, "/usage?by=project&since=-2d")["totals"]
            assert total["project"] == "acme"
            assert total["storage_gb_hours"] == pytest.approx(event["payload"]["disk_gb"])
        finally:
            server.stop()
            server.kill()


def test_usage_is_added_up_over_http_and_what_is_wrong_is_refused(tmp_path: Path) -> None:
    server = serving(tmp_path)
    try:
        assert asked(server, "/usage") == {"by": ["service", "domain", "project"], "step": 0, "totals": []}
        for wrong in ("step=59", "step=60&since=-300d", "by=colour", "since=soon", "format=xml"):
            assert ask(server.interface("HTTP interface"), f"/usage?{wrong}").status in (400, 422), wrong
    finally:
        server.kill()


@pytest.mark.slow
def test_without_a_period_nothing_is_told(shop: Path, tmp_path: Path) -> None:
    server = serving(tmp_path, f"--tables-sources=sqlite:///{shop}", "--tables-every=1s")
    try:
        until(lambda: server.series("tables.acme.orders.item_count"), "tables are read")
        assert asked(server, "/events")["events"] == []
    finally:
        server.kill()
