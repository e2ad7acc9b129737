"""The table service tells of its use as MagnetoDB's specification has it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from tests.contract.tableservice.conftest import NOWHERE, Client

from nilometer.core.event_types import EVERY, Registry
from nilometer.testing.asgi import Asker
from nilometer.testing.events import Recorded
from nilometer.testing.waiting import until
from tableservice.app import application
from tableservice.service import Service
from tableservice.settings import Settings, from_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.core.record import Event

KEY = {"Forum": {"S": "news"}, "Nr": {"N": "1"}}
CONDITIONS = {"Forum": {"comparison_operator": "EQ", "attribute_value_list": [{"S": "news"}]}}


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    with Recorded() as found:
        yield found


@pytest.fixture
def told(database: str, recorded: Recorded) -> Iterator[Client]:
    """A client of a service that emits."""
    service = Service(Settings(database, NOWHERE, "host1", events=recorded.url))
    yield Client(service, Asker(application(service)), f"p{uuid4().hex[:8]}")
    service.close()


def last(recorded: Recorded, project: str) -> list[tuple[str, object]]:
    """Return type and rows of a project's events, and forget them."""
    found = [(event.type.removeprefix("magnetodb."), event.payload.get("rows_impacted")) for event in mine(recorded, project)]
    recorded.clear()
    return found


def mine(recorded: Recorded, project: str) -> list[Event]:
    return [event for event in recorded.events if event.tenant == project]


def test_a_table_is_created_and_deleted(told: Client, recorded: Recorded) -> None:
    told.create()
    until(lambda: "magnetodb.table.create.end" in recorded.types, "the creation is told")
    start, end = mine(recorded, told.project)
    assert (start.type, start.publisher, start.priority) == ("magnetodb.table.create.start", "magnetodb.host1", "info")
    assert {key: start.payload[key] for key in ("tenant_id", "table_name", "state", "disk_gb")} == {
        "tenant_id": told.project,
        "table_name": "Thread",
        "state": "creating",
        "disk_gb": 0,
    }
    assert json.loads(start.payload["table_schema"])["hash"] == "Forum"
    assert (end.type, end.payload["state"]) == ("magnetodb.table.create.end", "active")
    told.item("put_item", {"item": {**KEY, "Text": {"S": "x" * 1000}}})
    recorded.clear()
    assert told.data("/Thread", method="DELETE").status == 200
    until(lambda: "magnetodb.table.delete.end" in recorded.types, "the deletion is told")
    start, end = mine(recorded, told.project)
    assert (start.payload["state"], end.payload["state"]) == ("deleting", "not_exist")
    assert 1000 < start.payload["disk_gb"] * (1 << 30) < 2000
    assert end.payload["disk_gb"] == 0


def test_what_cannot_be_created_is_told_with_the_reason(
    told: Client, recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        message = "no room"
        raise RuntimeError(message)

    monkeypatch.setattr(told.service.tables, "set_status", fail)
    told.data("", {"table_name": "t", "attribute_definitions": [{"attribute_name": "a", "attribute_type": "S"}],
                   "key_schema": [{"attribute_name": "a", "key_type": "HASH"}]})  # fmt: skip
    until(lambda: "magnetodb.table.create.error" in recorded.types, "the failure is told")
    error = mine(recorded, told.project)[-1]
    assert (error.priority, error.payload["message"], error.payload["state"]) == ("error", "no room", "creating")


def test_items_are_read_and_written(told: Client, recorded: Recorded) -> None:
    told.create()
    until(lambda: "magnetodb.table.create.end" in recorded.types, "the creation is told")
    recorded.clear()
    told.item("put_item", {"item": KEY})
    told.item("update_item", {"key": KEY, "attribute_updates": {"Text": {"value": {"S": "x"}}}})
    told.item("get_item", {"key": KEY})
    told.item("query", {"key_conditions": CONDITIONS})
    told.item("scan", {})
    assert {event.payload["consistency_level"] for event in mine(recorded, told.project)} == {"STRONG"}
    assert last(recorded, told.project) == [
        ("data.putitem", 1),
        ("data.updateitem", 1),
        ("data.getitem", 1),
        ("data.query.start", None),
        ("data.query.end", 1),
        ("data.scan.start", None),
        ("data.scan.end", 1),
    ]
    told.item("delete_item", {"key": KEY})
    told.item("delete_item", {"key": KEY})
    told.item("get_item", {"key": KEY})
    assert told.data("/Thread/query", {"key_conditions": CONDITIONS, "index_name": "none"}).status == 400
    assert told.data("/None/put_item", {"item": KEY}).status == 404
    assert last(recorded, told.project) == [
        ("data.deleteitem", 1),
        ("data.deleteitem", 0),
        ("data.getitem", 0),
        ("data.query.start", None),
        ("data.query.error", None),
        ("data.putitem.error", None),
    ]


def test_every_event_is_of_a_known_type_and_its_payload_has_known_fields(told: Client, recorded: Recorded) -> None:
    told.create()
    told.item("put_item", {"item": KEY})
    told.item("scan", {})
    types = Registry(EVERY)
    for event in recorded.events:
        known = types.find(event.type)
        assert known is not None
        assert known.payload is not None
        assert set(event.payload) <= set(known.payload.__dataclass_fields__)


def test_the_environment_says_where_events_go() -> None:
    assert from_environment({"TABLESERVICE_EVENTS": "log: null:"}).events == "log: null:"
    assert from_environment({}).events == ""
