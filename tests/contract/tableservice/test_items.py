"""Items: written, read, changed and removed; conditions hold; what is wrong is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.contract.tableservice.conftest import Client

KEY = {"Forum": {"S": "a"}, "Nr": {"N": "1"}}
NEW = {"Forum": {"exists": False}}


def test_an_item_is_written_read_replaced_and_removed(threads: Client) -> None:
    item = {**KEY, "tags": {"SS": ["x", "y"]}, "data": {"B": "aGk="}, "size": {"N": "2.5"}}
    assert threads.item("get_item", {"key": KEY}) == {}
    assert threads.item("put_item", {"item": item, "return_values": "ALL_OLD"}) == {}
    assert threads.item("get_item", {"key": KEY, "consistent_read": True}) == {"item": item}
    assert threads.item("get_item", {"key": KEY, "attributes_to_get": ["size", "none"]}) == {"item": {"size": {"N": "2.5"}}}
    assert threads.item("put_item", {"item": KEY, "return_values": "ALL_OLD"}) == {"attributes": item}
    assert threads.item("delete_item", {"key": KEY, "return_values": "ALL_OLD"}) == {"attributes": KEY}
    assert threads.item("delete_item", {"key": KEY, "return_values": "ALL_OLD"}) == {}
    assert threads.item("get_item", {"key": KEY}) == {}


def test_a_key_is_the_same_however_its_number_is_written(threads: Client) -> None:
    threads.item("put_item", {"item": KEY})
    assert threads.item("get_item", {"key": {**KEY, "Nr": {"N": "1.00"}}}) == {"item": KEY}


def test_writes_happen_only_where_the_item_is_as_expected(threads: Client) -> None:
    threads.item("put_item", {"item": {**KEY, "state": {"S": "new"}}, "expected": NEW})
    refused = threads.data("/Thread/put_item", {"item": KEY, "expected": NEW})
    assert (refused.status, refused.json["error"]) == (
        400,
        {"message": "The conditional request failed", "type": "ConditionalCheckFailedException", "traceback": None},
    )
    old = {"state": {"value": {"S": "new"}}, "note": {"exists": False}}
    assert threads.data("/Thread/delete_item", {"key": KEY, "expected": {"state": {"value": {"S": "old"}}}}).status == 400
    change = {"state": {"action": "PUT", "value": {"S": "seen"}}}
    assert threads.item("update_item", {"key": KEY, "attribute_updates": change, "expected": old}) == {}
    assert threads.data("/Thread/update_item", {"key": KEY, "attribute_updates": change, "expected": old}).status == 400
    assert threads.item("get_item", {"key": KEY})["item"]["state"] == {"S": "seen"}


def test_of_many_who_put_the_same_new_item_at_once_one_succeeds(threads: Client) -> None:
    items = threads.service.items

    def put(number: int) -> bool:
        from tableservice.conditions import Expected  # noqa: PLC0415 beside its use
        from tableservice.errors import ConditionalCheckFailedException  # noqa: PLC0415 see above

        try:
            items.put(threads.project, "Thread", {**KEY, "by": {"N": str(number)}}, {"Forum": Expected(None, exists=False)})
        except ConditionalCheckFailedException:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(put, range(16))) == 1


def test_counters_do_not_lose_what_is_added_at_the_same_time(threads: Client) -> None:
    body = {"key": KEY, "attribute_updates": {"views": {"action": "ADD", "value": {"N": "1"}}}}
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: threads.item("update_item", body), range(16)))
    assert threads.item("get_item", {"key": KEY})["item"]["views"] == {"N": "16"}


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ("NONE", None),
        ("ALL_OLD", {**KEY, "n": {"N": "1"}, "s": {"SS": ["a", "b"]}}),
        ("UPDATED_OLD", {"n": {"N": "1"}, "s": {"SS": ["a", "b"]}}),
        ("ALL_NEW", {**KEY, "n": {"N": "3"}, "s": {"SS": ["b"]}, "t": {"S": "x"}}),
        ("UPDATED_NEW", {"n": {"N": "3"}, "s": {"SS": ["b"]}, "t": {"S": "x"}}),
    ],
)
def test_an_update_answers_what_was_asked_for(threads: Client, wish: str, told: dict[str, Any] | None) -> None:
    threads.item("put_item", {"item": {**KEY, "n": {"N": "1"}, "s": {"SS": ["a", "b"]}}})
    updates = {
        "n": {"action": "ADD", "value": {"N": "2"}},
        "s": {"action": "DELETE", "value": {"SS": ["a", "z"]}},
        "t": {"action": "PUT", "value": {"S": "x"}},
    }
    answer = threads.item("update_item", {"key": KEY, "attribute_updates": updates, "return_values": wish})
    assert answer == ({} if told is None else {"attributes": told})


def test_an_update_makes_the_item_that_is_not_there_unless_it_only_removes(threads: Client) -> None:
    threads.item("update_item", {"key": KEY, "attribute_updates": {"x": {"action": "DELETE"}}})
    assert threads.item("get_item", {"key": KEY}) == {}
    threads.item("update_item", {"key": KEY, "attribute_updates": {"x": {"action": "ADD", "value": {"N": "5"}}}})
    assert threads.item("get_item", {"key": KEY}) == {"item": {**KEY, "x": {"N": "5"}}}


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("put_item", {"item": {"Forum": {"S": "a"}}}),
        ("put_item", {"item": {**KEY, "Nr": {"S": "1"}}}),
        ("put_item", {"item": {**KEY, "Forum": {"S": ""}}}),
        ("put_item", {"item": {**KEY, "x": {"S": "a", "N": "1"}}}),
        ("put_item", {"item": {**KEY, "x": {"N": "one"}}}),
        ("put_item", {"item": {**KEY, "x": {"Q": "1"}}}),
        ("put_item", {"item": {**KEY, "x": {"SS": []}}}),
        ("put_item", {"item": {**KEY, "x": {"B": "=="}}}),
        ("put_item", {"item": {**KEY, "x": {"S": "x" * 500_000}}}),
        ("put_item", {"item": KEY, "expected": {"Nr": {}}}),
        ("get_item", {"key": {**KEY, "more": {"S": "x"}}}),
        ("update_item", {"key": KEY, "attribute_updates": {"Nr": {"action": "ADD", "value": {"N": "1"}}}}),
        ("update_item", {"key": KEY, "attribute_updates": {"x": {"action": "ADD", "value": {"S": "1"}}}}),
        ("update_item", {"key": KEY, "attribute_updates": {"x": {"action": "PUT"}}}),
        ("query", {"key_conditions": {}}),
        ("query", {"key_conditions": {"Forum": {"comparison_operator": "GT", "attribute_value_list": [{"S": "a"}]}}}),
        ("scan", {"limit": 0}),
        ("scan", {"exclusive_start_key": {"Forum": {"S": "a"}}}),
        ("scan", {"scan_filter": {"x": {"comparison_operator": "BETWEEN", "attribute_value_list": [{"S": "a"}]}}}),
    ],
)
def test_what_is_wrong_is_refused_as_a_validation_error(threads: Client, action: str, body: object) -> None:
    answer = threads.data(f"/Thread/{action}", body)
    assert (answer.status, answer.json["error"]["type"]) == (400, "ValidationError"), answer.body
