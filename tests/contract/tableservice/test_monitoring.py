"""The monitoring API and the health check, to the letter."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.exc import OperationalError

if TYPE_CHECKING:
    from tests.contract.tableservice.conftest import Client

ITEM = {"Forum": {"S": "a"}, "Nr": {"N": "1"}}
SIZE = len(json.dumps(ITEM, separators=(",", ":")))
ALL = "/v1/monitoring/projects"


@pytest.fixture
def used(threads: Client) -> Client:
    """Two tables with items, and one that is being deleted."""
    threads.item("put_item", {"item": ITEM})
    threads.item("put_item", {"item": {**ITEM, "Nr": {"N": "2"}}})
    threads.create("Empty")
    threads.create("Going")
    threads.service.tables.set_status(threads.service.tables.find(threads.project, "Going").id, "DELETING")
    return threads


def test_all_projects(used: Client) -> None:
    mine = [table for table in used.ask(ALL).json if table["tenant"] == used.project]
    assert mine == [
        {"tenant": used.project, "name": "Empty", "status": "ACTIVE", "usage_detailes": {"size": 0, "item_count": 0}},
        {"tenant": used.project, "name": "Going", "status": "DELETING", "usage_detailes": {}},
        {"tenant": used.project, "name": "Thread", "status": "ACTIVE", "usage_detailes": {"size": 2 * SIZE, "item_count": 2}},
    ]


def test_one_project_leaves_out_tables_that_are_not_active(used: Client) -> None:
    assert used.ask(f"{ALL}/{used.project}").json == [
        {"table_name": "Empty", "usage_detailes": {"size": 0, "item_count": 0}},
        {"table_name": "Thread", "usage_detailes": {"size": 2 * SIZE, "item_count": 2}},
    ]
    assert used.ask(f"{ALL}/none").json == []


def test_one_table(used: Client) -> None:
    here = f"{ALL}/{used.project}/tables"
    assert used.ask(f"{here}/Thread").json == {"size": 2 * SIZE, "item_count": 2}
    assert used.ask(f"{here}/Thread?metrics=item_count").json == {"item_count": 2}
    missing, going = used.ask(f"{here}/none"), used.ask(f"{here}/Going")
    assert (missing.status, missing.json["error"]["type"]) == (404, "TableNotExistsException")
    assert (going.status, going.json["error"]["type"]) == (400, "ValidationError")


def test_only_the_figures_that_were_asked_for(used: Client) -> None:
    assert [table["usage_detailes"] for table in used.ask(f"{ALL}/{used.project}?metrics=size").json] == [
        {"size": 0},
        {"size": 2 * SIZE},
    ]
    for query in ("metrics=size,weight", "metrics=", "limit=0", "limit=many", "last_evaluated_table=Thread"):
        answer = used.ask(f"{ALL}?{query}")
        assert (answer.status, answer.json["error"]["type"]) == (400, "ValidationError"), query


def test_pages_of_all_projects_follow_each_other_without_gap_or_double(client: Client) -> None:
    projects = [f"{client.project}{letter}" for letter in "abc"]
    for project in projects:
        client.project = project
        for name in ("One", "Three", "Two"):
            client.create(name)
    wanted = [(project, name) for project in projects for name in ("One", "Three", "Two")]
    for limit in (1, 2, 3, 4):
        found: list[tuple[str, str]] = []
        page: list[dict[str, Any]] = client.ask(f"{ALL}?limit={limit}").json
        while page:
            assert len(page) <= limit
            found += [(table["tenant"], table["name"]) for table in page]
            after = f"last_evaluated_project={page[-1]['tenant']}&last_evaluated_table={page[-1]['name']}"
            page = client.ask(f"{ALL}?limit={limit}&{after}").json
        assert len(found) == len(set(found))
        assert [each for each in found if each[0] in projects] == wanted
    rest = client.ask(f"{ALL}?last_evaluated_project={projects[0]}").json
    assert [table["tenant"] for table in rest if table["tenant"] in projects] == [projects[1]] * 3 + [projects[2]] * 3


def test_the_health_check_says_what_it_knows(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.ask("/healthcheck").body == b'{"API":"OK"}'
    assert client.ask("/healthcheck?fullcheck=false").body == b'{"API":"OK"}'
    for yes in ("true", "1", "yes", "on", "t", "y"):
        answer = client.ask(f"/healthcheck?fullcheck={yes}")
        assert answer.status == 200
        assert answer.json == {"API": "OK", "Identity": "Not Implemented", "Storage": "OK", "Messaging": "Not Implemented"}
    elsewhere = client.ask("/healthcheck/storage")
    assert (elsewhere.status, elsewhere.body) == (404, b"Incorrect url. Please check it and try again\n")
    assert elsewhere.headers["content-type"].startswith("text/plain")

    def away() -> None:
        statement = "SELECT"
        raise OperationalError(statement, None, OSError("away"))

    monkeypatch.setattr(client.service.database, "check", away)
    answer = client.ask("/healthcheck?fullcheck=true")
    assert (answer.status, answer.json["Storage"]) == (503, "ERROR")
    assert client.ask("/healthcheck").status == 200
