"""The registry of event types, what they hold, and the lines that events become."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.core.bounded import OTHER
from nilometer.core.event_types import (
    EVERY,
    TABLE_SERVICE,
    DataItemPayload,
    EventType,
    Lines,
    Registry,
    State,
    TablePayload,
    TableUsagePayload,
    Usage,
)
from nilometer.core.record import Event
from nilometer.ingest._reference import ReferenceKernel
from nilometer.ingest.kernel import STATSD

LINE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*:[0-9.e+]+\|c(\|#tenant:[A-Za-z0-9_.-]+)?")
LISTED = [
    "table.create.start",
    "table.create.end",
    "table.create.error",
    "table.delete.start",
    "table.delete.end",
    "table.delete.error",
    "table.usage",
    "table.usage.error",
    "data.getitem",
    "data.getitem.error",
    "data.putitem",
    "data.putitem.error",
    "data.updateitem",
    "data.updateitem.error",
    "data.deleteitem",
    "data.deleteitem.error",
    "data.query.start",
    "data.query.end",
    "data.query.error",
    "data.scan.start",
    "data.scan.end",
    "data.scan.error",
]


def event(type_: str, tenant: str = "", /, **payload: object) -> Event:
    return Event("1", 5.0, type_, tenant=tenant, payload=payload)


def test_the_types_are_those_of_the_specification() -> None:
    assert [each.name for each in TABLE_SERVICE] == LISTED
    assert {each.name for each in TABLE_SERVICE if not each.enabled} == {"table.usage", "table.usage.error"}
    assert {each.priority for each in TABLE_SERVICE if each.name.endswith(".error")} == {"error"}
    assert {each.priority for each in TABLE_SERVICE if not each.name.endswith(".error")} == {"info"}
    assert all(each.help and each.payload is not None for each in TABLE_SERVICE)


@pytest.mark.parametrize("type_", ["magnetodb.table.create.end", "table.create.end"])
def test_a_type_is_found_with_and_without_its_service(type_: str) -> None:
    found = Registry().find(type_)
    assert found is not None
    assert (found.name, found.payload) == ("table.create.end", TablePayload)


def test_another_service_has_a_registry_of_its_own() -> None:
    shop = Registry("shop", [EventType("order.*", "an order"), EventType("order.paid", "paid", "audit")])
    assert shop.find("shop.order.sent") == EventType("order.*", "an order")
    assert shop.find("shop.order.paid") == EventType("order.paid", "paid", "audit")
    assert shop.find("magnetodb.order.paid") is None
    assert shop.whole("order.paid") == shop.whole("shop.order.paid") == "shop.order.paid"
    assert Registry("").whole("order.paid") == "order.paid"
    assert [each.name for each in shop] == ["order.paid", "order.*"]


def test_a_type_that_is_added_again_takes_the_place_of_the_first() -> None:
    types = Registry("shop", [EventType("order.*", "old"), EventType("paid", "old")])
    assert types.find("shop.paid") == EventType("paid", "old")
    types.add(EventType("order.*", "new"), EventType("paid", "new"))
    assert {each.help for each in types} == {"new"}
    assert types.find("shop.paid") == EventType("paid", "new")


def test_a_registry_of_every_service_knows_the_types_of_each() -> None:
    types = Registry(EVERY)
    assert types.find("shop.table.create.end") is types.find("magnetodb.table.create.end") is not None
    assert types.find("table.create.end") is None
    assert types.split("shop.table.create") == ("shop", "table.create")
    assert types.split("plain") == ("", "plain")


@pytest.mark.parametrize(
    ("type_", "payload", "counted"),
    [
        ("data.getitem", {}, ("reads", 1.0)),
        ("data.query.end", {"rows_impacted": 7}, ("reads", 7.0)),
        ("data.putitem", {"rows_impacted": 2}, ("writes", 2.0)),
        ("table.usage", {"disk_gb": 0.5}, ("storage", 0.5)),
        ("table.usage", {}, None),
        ("data.query.start", {"rows_impacted": 7}, None),
        ("data.putitem.error", {}, None),
        ("data.putitem", {"rows_impacted": True}, None),
        ("data.putitem", {"rows_impacted": "7"}, None),
        ("data.putitem", {"rows_impacted": -1}, None),
        ("data.putitem", {"rows_impacted": float("nan")}, None),
        ("data.putitem", {"rows_impacted": 10**400}, None),
        ("somewhere.else", {}, None),
    ],
)
def test_what_an_event_counts_for(type_: str, payload: dict[str, object], counted: tuple[str, float] | None) -> None:
    found = Registry().usage(Event("1", 5.0, f"magnetodb.{type_}", payload=payload))
    assert found == (None if counted is None else ("magnetodb", *counted))


def test_lines_of_an_event_that_counts() -> None:
    lines = Lines(Registry(EVERY))
    assert lines(event("magnetodb.data.query.end", "acme", rows_impacted=3)) == [
        "events.magnetodb.data.query.end:1|c|#tenant:acme",
        "usage.magnetodb.reads:3|c|#tenant:acme",
    ]
    assert lines(event("magnetodb.table.create.end")) == ["events.magnetodb.table.create.end:1|c"]


@pytest.mark.parametrize(
    ("tags", "line"),
    [("dogstatsd", "n.events.a.b:1|c|#tenant:t1"), ("graphite", "n.events.a.b;tenant=t1:1|c"), ("none", "n.events.a.b:1|c")],
)
def test_tags_go_as_the_dialect_has_them(tags: str, line: str) -> None:
    assert Lines(Registry(), prefix="n.", tags=tags)(event("a.b", "t1")) == [line]


def test_a_type_may_name_its_metric() -> None:
    types = Registry(
        "shop", [EventType("order.*", metric="orders.{type}"), EventType("paid", metric="paid", usage=Usage.WRITES)]
    )
    lines = Lines(types)
    assert lines(event("shop.order.x")) == ["orders.shop.order.x:1|c"]
    assert lines(event("shop.paid")) == ["paid:1|c", "usage.shop.writes:1|c"]


@pytest.mark.parametrize(
    ("type_", "name"),
    [
        ("table.3c1f3c80-27f0-11f0-9a1e-0242ac120002.end", "table.id.end"),
        ("req.8c2d8a6c6e0f4f8a9f1cf1d7f0a1b2c3.get", "req.id.get"),
        ('magnetodb.req."mdb".put_item.error.404', "magnetodb.req._mdb_.put_item.error.404"),
        ("a|b:c\nd#e@f", "a_b_c_d_e_f"),
        ("..", "unnamed"),
        ("", "unnamed"),
        ("x" * 500, OTHER),
    ],
)
def test_names_hold_no_ids_and_end_no_line(type_: str, name: str) -> None:
    assert Lines(Registry())(event(type_)) == [f"events.{name}:1|c"]


def test_names_and_tenants_are_bounded() -> None:
    lines = Lines(Registry(), most=3)
    found = [lines(event(f"a{number}", f"t{number}"))[0] for number in range(5)]
    assert found[2:] == ["events.a2:1|c|#tenant:t2", *["events.other:1|c|#tenant:other"] * 2]


@given(st.text(), st.text(), st.dictionaries(st.text(), st.integers() | st.text() | st.floats()))
def test_whatever_an_event_holds_its_lines_are_good(type_: str, tenant: str, payload: dict[str, object]) -> None:
    lines = Lines(Registry(EVERY))
    found = lines(Event("1", 0.0, f"magnetodb.data.{type_}", tenant=tenant, payload=payload))
    found += lines(Event("1", 0.0, "magnetodb.data.putitem", tenant=tenant, payload={**payload, "rows_impacted": 2}))
    assert all(LINE.fullmatch(line) for line in found)
    kernel = ReferenceKernel()
    kernel.feed("\n".join(found).encode(), "peer", STATSD)
    assert sum(column.values[0] for block in kernel.flush(1.0).blocks for column in block.columns if column.name == "count") > 0


def test_a_typed_payload_leaves_out_what_is_not_known() -> None:
    payload = TablePayload(tenant_id="acme", table_name="Thread", state=State.CREATING)
    assert payload.as_mapping() == {"tenant_id": "acme", "table_name": "Thread", "state": "creating"}
    assert DataItemPayload(rows_impacted=0, consistency_level="STRONG").as_mapping() == {
        "rows_impacted": 0,
        "consistency_level": "STRONG",
    }
    assert TableUsagePayload(index_name="i", disk_gb=0.25).as_mapping() == {"disk_gb": 0.25, "index_name": "i"}


def test_a_state_that_does_not_exist_is_refused() -> None:
    assert {state.value for state in State} == {"active", "deleting", "creating", "not_exist"}
    with pytest.raises(ValueError, match="'gone' is not a valid State"):
        TablePayload(state="gone")
