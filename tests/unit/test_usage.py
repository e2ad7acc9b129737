"""The usage audit and its totals, over a store in memory."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.backends import memory, registry
from nilometer.collect.tables import Reading
from nilometer.collect.usage.activity import Activity, Key, activity, events
from nilometer.collect.usage.audit import Audit, usage
from nilometer.collect.usage.period import Period, containing, last
from nilometer.collect.usage.totals import MOST, OTHER, Group, totals
from nilometer.core.event_types import EVERY, Registry
from nilometer.core.record import Event
from nilometer.core.table import ITEMS, SIZE, Fault, Figure, Quality, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.core.capability import EventStore

HOUR = Period(1_763_881_200.0, 1_763_884_800.0)
TYPES = Registry(EVERY)
NUMBERS = itertools.count()


def happened(kind: str, time: float = HOUR.start, tenant: str = "acme", context: Any = None, **payload: object) -> Event:  # noqa: ANN401 a mapping
    return Event(f"e{next(NUMBERS)}", time, f"magnetodb.{kind}", "magnetodb.h1", "info", tenant, payload, context or {})


@pytest.fixture
def store() -> Iterator[EventStore]:
    made = registry.open("memory://usage", registry.EVENT_STORE)
    yield made
    made.close()
    memory.forget("usage")


def reading(*tables: Table, faults: tuple[Fault, ...] = (), error: str = "") -> Reading:
    made = Reading("source", list(tables), error=error)
    for fault in faults:
        made.fault(fault)
    return made


@pytest.mark.parametrize(
    ("length", "now", "expected"),
    [("hour", HOUR.end, HOUR), ("hour", HOUR.end + 3599.9, HOUR), ("day", 86_400 * 3 + 1, Period(86_400 * 2, 86_400 * 3))],
)
def test_the_last_period_is_the_last_one_that_is_over(length: str, now: float, expected: Period) -> None:
    assert last(length, now) == expected


@given(st.sampled_from(["hour", "day"]), st.floats(0, 4e9))
def test_a_moment_lies_in_its_period(length: str, time: float) -> None:
    period = containing(length, time)
    assert period.start <= time < period.end
    assert period.hours in (1, 24)


def test_what_happened_to_a_table_is_added_up(store: EventStore) -> None:
    store.write_events(
        [
            happened("data.getitem", table_name="orders", rows_impacted=1),
            happened("data.query.start", table_name="orders"),
            happened("data.query.end", table_name="orders", rows_impacted=40),
            happened("data.putitem", table_name="orders", rows_impacted=2),
            happened("data.putitem", tenant="globex", table_name="orders"),
            happened("data.putitem", HOUR.end, table_name="orders"),
            happened("table.create.end", HOUR.start + 1, table_name="orders", table_schema="{}", user_id="u-1"),
            happened("table.usage", HOUR.start + 2, table_name="orders", disk_gb=9),
            happened("other", table_name="orders"),
            happened("data.putitem", table_name=7),
        ]
    )
    assert activity(store, HOUR, TYPES) == {
        Key("magnetodb", "acme", "orders"): Activity(41, 2, told={"table_schema": "{}", "user_id": "u-1"}),
        Key("magnetodb", "globex", "orders"): Activity(0, 1, told={}),
    }


def test_events_of_many_pages_come_once(store: EventStore) -> None:
    store.write_events([happened("data.getitem", HOUR.start + number / 10, table_name="t") for number in range(2500)])
    assert len({event.id for event in events(store, HOUR)}) == 2500


def test_each_table_and_index_has_an_event_with_what_it_took() -> None:
    figures = {SIZE: Figure(1 << 29, Quality.ESTIMATE), ITEMS: Figure(10)}
    found = list(
        usage(
            Audit("magnetodb", "audit.h1", HOUR),
            [reading(Table("acme", "orders", status="active", figures=figures), Table("acme", "orders", "by_day", "active"))],
            {Key("magnetodb", "acme", "orders"): Activity(3, 4, told={"user_id": "u-1"})},
        )
    )
    assert [(event.type, event.time, event.tenant, event.publisher) for event in found] == [
        ("magnetodb.table.usage", HOUR.end, "acme", "audit.h1")
    ] * 2
    assert found[0].payload == {
        "tenant_id": "acme",
        "table_name": "orders",
        "state": "active",
        "disk_gb": 0.5,
        "size_bytes": 1 << 29,
        "quality": "estimate",
        "item_count": 10,
        "user_id": "u-1",
        "reads": 3,
        "writes": 4,
        "audit_period_beginning": "2025-11-23T07:00:00Z",
        "audit_period_ending": "2025-11-23T08:00:00Z",
    }
    assert found[1].payload["index_name"] == "by_day"
    assert {"disk_gb", "reads"}.isdisjoint(found[1].payload)


def test_the_same_period_has_the_same_ids_and_another_has_others() -> None:
    def ids(service: str, period: Period, *tables: Table) -> list[str]:
        return [event.id for event in usage(Audit(service, "p", period), [reading(*tables)], {})]

    tables = Table("a", "b"), Table("a", "b", "c"), Table("a", "bc"), Table("ab", "")
    assert ids("s", HOUR, *tables) == ids("s", HOUR, *tables)
    every = [*ids("s", HOUR, *tables), *ids("t", HOUR, *tables), *ids("s", Period(HOUR.end, HOUR.end + 3600), *tables)]
    assert len(set(every)) == len(every)


def test_a_table_deleted_since_and_one_that_cannot_be_read_are_told() -> None:
    found = list(
        usage(
            Audit("magnetodb", "p", HOUR),
            [reading(faults=(Fault("acme", "broken", "no answer"),)), reading(error="it is away")],
            {Key("magnetodb", "acme", "gone"): Activity(1, 2, deleted=True), Key("other", "acme", "x"): Activity()},
        )
    )
    assert [(event.type, event.priority) for event in found] == [
        *[("magnetodb.table.usage.error", "error")] * 2,
        ("magnetodb.table.usage", "info"),
    ]
    assert found[0].payload["message"] == "no answer"
    assert found[1].payload["message"] == "source: it is away"
    assert (found[2].payload["state"], found[2].payload["writes"]) == ("not_exist", 2)


def test_totals_are_taken_by_service_domain_and_project_over_all_publishers() -> None:
    told = list(usage(Audit("magnetodb", "p", HOUR), [reading(Table("acme", "t", figures={SIZE: Figure(1 << 31)}))], {}))
    of_domain = {"project_domain": "d-1"}
    found = [
        *told,
        happened("data.getitem", context=of_domain, rows_impacted=5),
        happened("data.getitem", HOUR.end, context=of_domain, rows_impacted=1),
        happened("data.putitem", tenant="globex"),
        happened("data.putitem", tenant="globex", rows_impacted=-1),
        happened("nothing"),
    ]
    assert {group[1:]: (t.reads, t.writes, t.storage, t.events) for group, t in totals(found, TYPES).items()} == {
        ("magnetodb", "", "acme"): (0, 0, 2, 1),
        ("magnetodb", "", "globex"): (0, 1, 0, 1),
        ("magnetodb", "d-1", "acme"): (6, 0, 0, 2),
    }
    by_hour = totals(found, TYPES, ["service"], 3600)
    assert [(group, t.reads, t.storage) for group, t in by_hour.items()] == [
        (Group(HOUR.start, "magnetodb", "", ""), 5, 2),
        (Group(HOUR.end, "magnetodb", "", ""), 1, 0),
    ]


def test_a_usage_event_that_does_not_say_its_period_stores_nothing() -> None:
    assert (
        totals([happened("table.usage", disk_gb=1), happened("table.usage", disk_gb=1, audit_period_beginning="x")], TYPES)
        == {}
    )


def test_groups_are_bounded() -> None:
    found = totals((happened("data.getitem", tenant=f"t{number}") for number in range(MOST + 50)), TYPES)
    assert len(found) == MOST + 1
    assert found[Group(0.0, OTHER, OTHER, OTHER)].reads == 50
