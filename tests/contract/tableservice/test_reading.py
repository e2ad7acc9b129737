"""Query and scan: order, conditions, filters, indexes, pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.contract.tableservice.conftest import Client

NUMBERS = ("-20", "-3", "0", "2.5", "9", "10", "1000")


def condition(operator: str, *values: dict[str, str]) -> dict[str, Any]:
    return {"comparison_operator": operator, "attribute_value_list": list(values)}


FORUM = {"Forum": condition("EQ", {"S": "a"})}


@pytest.fixture
def filled(threads: Client) -> Client:
    for number in reversed(NUMBERS):
        last = f"d{number.strip('-')}"
        threads.item("put_item", {"item": {"Forum": {"S": "a"}, "Nr": {"N": number}, "Last": {"S": last}, "x": {"S": number}}})
    threads.item("put_item", {"item": {"Forum": {"S": "b"}, "Nr": {"N": "1"}}})
    return threads


def numbers(answer: dict[str, Any]) -> list[str]:
    return [item["Nr"]["N"] for item in answer["items"]]


def pages(client: Client, action: str, body: dict[str, Any]) -> list[list[str]]:
    """Return the numbers on each page until there is none more."""
    found, start = [], None
    while True:
        answer = client.item(action, body if start is None else {**body, "exclusive_start_key": start})
        found.append(numbers(answer))
        start = answer.get("last_evaluated_key")
        if start is None:
            return found


def test_a_query_returns_one_hash_key_in_the_order_of_its_range_key(filled: Client) -> None:
    assert numbers(filled.item("query", {"key_conditions": FORUM})) == list(NUMBERS)
    assert numbers(filled.item("query", {"key_conditions": FORUM, "scan_index_forward": False})) == list(reversed(NUMBERS))


@pytest.mark.parametrize(
    ("range_key", "found"),
    [
        (condition("EQ", {"N": "9.0"}), ["9"]),
        (condition("LT", {"N": "0"}), ["-20", "-3"]),
        (condition("LE", {"N": "0"}), ["-20", "-3", "0"]),
        (condition("GT", {"N": "9"}), ["10", "1000"]),
        (condition("GE", {"N": "10"}), ["10", "1000"]),
        (condition("BETWEEN", {"N": "-3"}, {"N": "9"}), ["-3", "0", "2.5", "9"]),
    ],
)
def test_a_query_takes_a_condition_on_the_range_key(filled: Client, range_key: dict[str, Any], found: list[str]) -> None:
    assert numbers(filled.item("query", {"key_conditions": {**FORUM, "Nr": range_key}})) == found


def test_pages_follow_each_other_without_gap_or_double(filled: Client) -> None:
    body = {"key_conditions": FORUM, "limit": 3}
    assert pages(filled, "query", body) == [["-20", "-3", "0"], ["2.5", "9", "10"], ["1000"]]
    assert pages(filled, "query", {**body, "scan_index_forward": False}) == [["1000", "10", "9"], ["2.5", "0", "-3"], ["-20"]]
    assert pages(filled, "scan", {"limit": 4}) == [["-20", "-3", "0", "2.5"], ["9", "10", "1000", "1"]]


def test_an_index_orders_by_another_attribute_and_keeps_what_it_projects(filled: Client) -> None:
    body = {"key_conditions": {**FORUM, "Last": condition("BEGINS_WITH", {"S": "d1"})}, "index_name": "ByLast"}
    first = {"Forum": {"S": "a"}, "Nr": {"N": "10"}, "Last": {"S": "d10"}}
    assert filled.item("query", {**body, "limit": 1}) == {"count": 1, "items": [first], "last_evaluated_key": first}
    assert pages(filled, "query", {**body, "limit": 1}) == [["10"], ["1000"]]
    filled.item(
        "update_item", {"key": {"Forum": {"S": "a"}, "Nr": {"N": "10"}}, "attribute_updates": {"Last": {"action": "DELETE"}}}
    )
    assert numbers(filled.item("query", body)) == ["1000"]
    filled.item("delete_item", {"key": {"Forum": {"S": "a"}, "Nr": {"N": "1000"}}})
    assert filled.item("query", {**body, "select": "COUNT"}) == {"count": 0}


def test_a_filter_is_applied_to_what_was_looked_at(filled: Client) -> None:
    wanted = {"Nr": condition("GT", {"N": "0"})}
    answer = filled.item("scan", {"scan_filter": wanted, "limit": 4})
    assert (numbers(answer), answer["count"], answer["scanned_count"]) == (["2.5"], 1, 4)
    assert answer["last_evaluated_key"] == {"Forum": {"S": "a"}, "Nr": {"N": "2.5"}}
    assert filled.item("scan", {"scan_filter": wanted, "select": "COUNT"}) == {"count": 5, "scanned_count": 8}
    assert numbers(filled.item("query", {"key_conditions": FORUM, "query_filter": wanted})) == ["2.5", "9", "10", "1000"]


def test_only_the_attributes_that_were_asked_for_come(filled: Client) -> None:
    body = {"key_conditions": FORUM, "limit": 1, "attributes_to_get": ["x"], "select": "SPECIFIC_ATTRIBUTES"}
    assert filled.item("query", body)["items"] == [{"x": {"S": "-20"}}]


@pytest.mark.parametrize("operator", ["CONTAINS", "IN"])
def test_a_key_is_compared_only_by_what_has_an_order(filled: Client, operator: str) -> None:
    answer = filled.data("/Thread/query", {"key_conditions": {**FORUM, "Nr": condition(operator, {"N": "1"})}})
    assert (answer.status, answer.json["error"]["type"]) == (400, "ValidationError")
