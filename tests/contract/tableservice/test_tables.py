"""Tables: created and deleted in the background, listed, described; the shape of every error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.exc import OperationalError

from nilometer.testing.waiting import until
from tableservice import weather
from tableservice.errors import BackendInteractionException
from tableservice.service import Service
from tableservice.settings import Settings

if TYPE_CHECKING:
    from tests.contract.tableservice.conftest import Client

HASH_ONLY: dict[str, Any] = {
    "table_name": "Plain",
    "attribute_definitions": [{"attribute_name": "Id", "attribute_type": "B"}],
    "key_schema": [{"attribute_name": "Id", "key_type": "HASH"}],
}


def test_a_table_is_created_in_the_background_and_described(threads: Client) -> None:
    table = threads.data("/Thread").json["table"]
    link = f"http://127.0.0.1/v1/data/{threads.project}/tables/Thread"
    assert {**table, "table_id": "", "creation_date_time": 0, "attribute_definitions": []} == {
        "table_id": "",
        "table_name": "Thread",
        "table_status": "ACTIVE",
        "creation_date_time": 0,
        "item_count": 0,
        "table_size_bytes": 0,
        "attribute_definitions": [],
        "key_schema": [{"attribute_name": "Forum", "key_type": "HASH"}, {"attribute_name": "Nr", "key_type": "RANGE"}],
        "local_secondary_indexes": [
            {
                "index_name": "ByLast",
                "key_schema": [
                    {"attribute_name": "Forum", "key_type": "HASH"},
                    {"attribute_name": "Last", "key_type": "RANGE"},
                ],
                "projection": {"projection_type": "KEYS_ONLY"},
                "item_count": 0,
                "index_size_bytes": 0,
            }
        ],
        "links": [{"href": link, "rel": "self"}, {"href": link, "rel": "bookmark"}],
    }


def test_creating_is_answered_before_it_is_done_and_deleting_too(client: Client) -> None:
    assert client.data("", HASH_ONLY).json["table_description"]["table_status"] == "CREATING"
    until(lambda: client.status("Plain") == "ACTIVE", "the table is created")
    client.data("/Plain/put_item", {"item": {"Id": {"B": "aGk="}}})
    assert client.data("/Plain", method="DELETE").json["table_description"]["table_status"] == "DELETING"
    until(lambda: client.status("Plain") == "gone", "the table is deleted")
    client.data("", HASH_ONLY)
    until(lambda: client.status("Plain") == "ACTIVE", "the table is created again")
    assert client.data("/Plain").json["table"]["item_count"] == 0


def test_tables_of_one_project_are_no_other_projects(threads: Client) -> None:
    assert threads.ask("/v1/data/other/tables/Thread").status == 404
    assert threads.ask("/v1/data/other/tables").json == {"tables": []}


def test_tables_are_listed_by_pages(client: Client) -> None:
    for name in ("c", "a", "b"):
        client.create(name)
    here = f"http://127.0.0.1/v1/data/{client.project}/tables"
    first = client.data("?limit=2").json
    assert first == {
        "tables": [{"rel": "self", "href": f"{here}/a"}, {"rel": "self", "href": f"{here}/b"}],
        "last_evaluated_table_name": "b",
    }
    assert client.data("?limit=2&exclusive_start_table_name=b").json == {"tables": [{"rel": "self", "href": f"{here}/c"}]}


def test_what_an_earlier_process_left_unfinished_is_taken_up(
    database: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client.service.jobs, "create", lambda _: None)  # as in a process that dies at once
    assert client.data("", HASH_ONLY).status == 200
    assert client.status("Plain") == "CREATING"
    later = Service(Settings(database, "statsd://127.0.0.1:9"))
    later.begin()
    until(lambda: client.status("Plain") == "ACTIVE", "the next process has created it")
    later.close()


def test_a_task_that_fails_is_told_by_the_tables_state(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        message = "no room"
        raise OSError(message)

    monkeypatch.setattr(client.service.jobs, "_create", fail)
    client.data("", HASH_ONLY)
    until(lambda: client.status("Plain") == "CREATE_FAILURE", "the failure shows")
    assert client.data("/Plain", method="DELETE").status == 200
    until(lambda: client.status("Plain") == "gone", "a failed table can be deleted")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"table_name": "a b"}, "body.table_name"),
        ({"key_schema": [{"attribute_name": "Id", "key_type": "RANGE"}]}, "one attribute of the type HASH"),
        ({"key_schema": [{"attribute_name": "Other", "key_type": "HASH"}]}, "they define Id, keys and indexes use Other"),
        ({"attribute_definitions": [{"attribute_name": "Id", "attribute_type": "SS"}]}, "attribute_type"),
        ({"unknown": 1}, "body.unknown"),
    ],
)
def test_a_schema_that_cannot_be_is_refused(client: Client, change: dict[str, Any], told: str) -> None:
    answer = client.data("", {**HASH_ONLY, **change})
    assert (answer.status, answer.json["error"]["type"]) == (400, "ValidationError")
    assert told in answer.json["error"]["message"]


def test_errors_have_the_shape_and_the_types_of_magnetodb(threads: Client) -> None:
    threads.service.tables.set_status(threads.service.tables.find(threads.project, "Thread").id, "CREATING")
    assert threads.data("/none").json == {
        "code": 404,
        "title": "Not Found",
        "explanation": "The resource could not be found.",
        "error": {"message": "Table 'none' does not exist", "type": "TableNotExistsException", "traceback": None},
    }
    busy = threads.data("/Thread", method="DELETE")
    assert (busy.status, busy.json["error"]["type"]) == (400, "ResourceInUseException")
    again = threads.data("", {**HASH_ONLY, "table_name": "Thread"})
    assert (again.status, again.json["title"], again.json["error"]["type"]) == (
        400,
        "Bad Request",
        "TableAlreadyExistsException",
    )
    early = threads.data("/Thread/scan", {})
    assert (early.status, early.json["error"]["type"]) == (400, "ValidationError")
    assert threads.ask("/nowhere").json["code"] == 404
    assert threads.data("", method="PATCH").json["code"] == 405
    assert threads.asker.ask(f"/v1/data/{threads.project}/tables", "POST", body=b"{").json["error"]["type"] == "ValidationError"


def test_a_request_that_is_too_large_is_refused_unread(threads: Client) -> None:
    answer = threads.asker.ask(f"/v1/data/{threads.project}/tables", "POST", body=b" " * (1 << 20) + b"{}")
    assert (answer.status, answer.json["code"], answer.json["error"]["type"]) == (413, 413, "HTTP413")


def test_a_storage_that_is_away_is_503_and_what_nobody_thought_of_500(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        statement = "SELECT"
        raise OperationalError(statement, None, OSError("secret address"))

    monkeypatch.setattr(client.service.tables, "names", away)
    answer = client.data("")
    assert (answer.status, answer.json["error"]["message"]) == (503, "the storage is away")
    monkeypatch.setattr(client.service.tables, "names", lambda *_: 1 / 0)
    answer = client.data("")
    assert answer.status == 500
    assert answer.json["error"] == {"message": "internal error", "type": "ZeroDivisionError", "traceback": None}


def test_bad_weather_sets_in_once_the_service_has_begun(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weather, "FAILURE", 1)
    service = Service(Settings(database, "statsd://127.0.0.1:9", weather=True))
    service.begin()
    with pytest.raises(BackendInteractionException):
        service.tables.unfinished()
    service.close()
