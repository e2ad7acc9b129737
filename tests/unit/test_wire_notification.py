"""Notifications as oslo.messaging writes them: what it sent is read, what we write is what it would have written."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.core.errors import InputError
from nilometer.core.record import Event
from nilometer.core.wire import notification
from nilometer.core.wire.event import PRIORITIES
from nilometer.core.wire.notification import decode, encode

CAPTURED: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "data/oslo_notifications.json").read_text("utf-8"))[
    "messages"
]
FIVE = Event("m-1", 1795320012.250977, "magnetodb.table.create.end", "magnetodb.host1", "info", "", {"table_name": "Thread"})


def opened(body: str) -> dict[str, Any]:
    found = json.loads(body)
    return json.loads(found["oslo.message"]) if "oslo.version" in found else found  # type: ignore[no-any-return]  # an object


@pytest.mark.parametrize("message", CAPTURED, ids=lambda message: message["how"])
def test_what_oslo_sent_is_read(message: dict[str, Any]) -> None:
    said, event = opened(message["body_raw"]), decode(message["body_raw"].encode(), time=0)
    assert (event.id, event.publisher, event.type) == (said["message_id"], said["publisher_id"], said["event_type"])
    assert event.priority == said["priority"].lower()
    assert event.payload == (said["payload"] if isinstance(said["payload"], dict) else {"msg": said["payload"]})
    assert event.context == {name[9:]: value for name, value in said.items() if name.startswith("_context_")}
    payload = said["payload"] if isinstance(said["payload"], dict) else {}
    assert event.tenant == (payload.get("tenant") or said.get("_context_project_id") or "")


@pytest.mark.parametrize(
    "message",
    [each for each in CAPTURED if isinstance(opened(each["body_raw"])["payload"], dict)],
    ids=lambda each: each["how"],
)
def test_what_was_read_is_written_as_it_was(message: dict[str, Any]) -> None:
    envelope = "oslo.version" in json.loads(message["body_raw"])
    said, event = opened(message["body_raw"]), decode(message["body_raw"].encode(), time=0)
    written = encode(event, envelope=envelope).decode()
    ours = {**opened(written), "_unique_id": said["_unique_id"]}
    if "tenant" not in event.context:
        ours = {name: value for name, value in ours.items() if name not in ("_context_tenant", "_context_project_id")}
    ours = {name: value for name, value in ours.items() if name not in ("tenant_id", "_context_tenant")}
    assert ours.items() >= {name: value for name, value in said.items() if name in ours}.items()
    assert [name for name in ours if not name.startswith("_")] == [name for name in said if not name.startswith("_")]
    assert ours["priority"] == said["priority"].upper()
    assert re.fullmatch("[0-9a-f]{32}", opened(written)["_unique_id"])


def test_an_event_without_tenant_and_context_is_theirs_to_the_letter() -> None:
    ids = '"message_id": "m-1", "publisher_id": "magnetodb.host1", "event_type": "magnetodb.table.create.end"'
    rest = '"priority": "INFO", "payload": {"table_name": "Thread"}, "timestamp": "2026-11-22 04:00:12.250977", "_unique_id": "'
    unique = opened(encode(FIVE, envelope=False).decode())["_unique_id"]
    bare = f'{{{ids}, {rest}{unique}"}}'
    assert encode(FIVE, envelope=False).decode() == bare
    assert encode(FIVE, envelope=True).decode() == json.dumps({"oslo.version": "2.0", "oslo.message": bare})


def test_a_message_sent_again_is_known_by_its_unique_id_and_another_topic_is_another_message() -> None:
    ids = [opened(encode(FIVE, envelope=True, topic=topic).decode())["_unique_id"] for topic in ("a", "a", "b")]
    assert ids[0] == ids[1] != ids[2]


def test_the_tenant_stands_where_consumers_look_and_a_token_never_goes_out() -> None:
    event = Event("m", 0.5, "a.b", tenant="t-1", context={"user": "u-1", "auth_token": "secret"})
    said = opened(encode(event, envelope=True).decode())
    assert (said["tenant_id"], said["_context_tenant"], said["_context_project_id"]) == ("t-1", "t-1", "t-1")
    assert (said["_context_user"], said["_context_auth_token"]) == ("u-1", None)
    assert b"secret" not in encode(event, envelope=False)


def test_what_json_cannot_hold_is_written_as_text() -> None:
    said = opened(encode(Event("m", 1, "a", payload={"x": float("nan"), "y": {1, 2}, "z": b"b"}), envelope=True).decode())
    assert (said["payload"]["x"], sorted(said["payload"]["y"])) == ("nan", [1, 2])


def message(**fields: object) -> bytes:
    said: dict[str, object] = {
        "message_id": "m",
        "publisher_id": "p",
        "event_type": "e.t",
        "priority": "INFO",
        "payload": {},
        "timestamp": None,
    }
    return json.dumps({name: value for name, value in (said | fields).items() if value != "leave out"}).encode()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (message(priority="warning"), {"priority": "warn"}),
        (message(priority="error"), {"priority": "error"}),
        (message(priority=None), {"priority": "info"}),
        (message(timestamp="2026-01-01 00:00:00"), {"time": 1767225600.0}),
        (message(timestamp="2026-01-01T00:00:00+01:00"), {"time": 1767222000.0}),
        (message(timestamp="leave out"), {"time": 7.0}),
        (message(publisher_id=None), {"publisher": ""}),
        (message(payload=None), {"payload": {}}),
        (message(payload=[1]), {"payload": {"msg": [1]}}),
        (message(payload={"tenant_id": "a", "tenant": "b"}), {"tenant": "a"}),
        (message(_context_project_id="c"), {"tenant": "c", "context": {"project_id": "c"}}),
        (message(tenant_id="top", payload={"tenant": "b"}), {"tenant": "top"}),
        (message(more={"of": "it"}), {"type": "e.t"}),
    ],
)
def test_a_listener_of_theirs_would_take_it_and_so_do_we(body: bytes, expected: dict[str, Any]) -> None:
    event = decode(body, time=7)
    assert {name: getattr(event, name) for name in expected} == expected


def test_one_without_an_id_gets_the_same_one_when_it_comes_again() -> None:
    body = message(message_id=None, _unique_id="u" * 32)
    assert decode(body, time=1).id == decode(body, time=2).id != decode(message(message_id=None, _unique_id="v"), time=1).id
    assert decode(message(message_id="leave out"), time=1).id


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\xff", "not UTF-8"),
        (b"[]", "a list where an object is wanted"),
        (b'{"oslo.version": "2.1", "oslo.message": "{}"}', "oslo.version '2.1', where '2.0' is understood"),
        (b'{"oslo.version": 3, "oslo.message": "{}"}', "oslo.version a number"),
        (b'{"oslo.version": "2.0", "oslo.message": {}}', "oslo.message is a text of JSON, not an object"),
        (b'{"oslo.version": "2.0", "oslo.message": "nonsense"}', "no JSON"),
        (message(event_type=None), "needs event_type"),
        (message(event_type=7), "a text as its type"),
        (message(priority="loud"), "priority"),
        (message(timestamp="yesterday"), "no time"),
        (message(timestamp=7), "timestamp is a text, not a number"),
        (b'{"event_type": "e", "payload": ' + b"[" * 500 + b"]" * 500 + b"}", "more than 64 deep"),
    ],
)
def test_what_no_listener_would_take_is_refused_with_the_reason(body: bytes, reason: str) -> None:
    with pytest.raises(InputError, match=re.escape(reason)):
        decode(body, time=0)


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 53), 1 << 53) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
EVENTS = st.builds(
    Event,
    id=TEXTS,
    time=st.integers(0, 4_000_000_000).map(float),
    type=TEXTS,
    publisher=TEXTS,
    priority=st.sampled_from(PRIORITIES),
    tenant=TEXTS,
    payload=st.dictionaries(TEXTS, JSON, max_size=4),
    context=st.dictionaries(TEXTS.filter(lambda name: name not in ("tenant", "project_id", "auth_token")), JSON, max_size=3),
)


@given(EVENTS, st.booleans())
def test_what_is_written_is_read_as_the_same_event(event: Event, envelope: bool) -> None:  # noqa: FBT001 a drawn value
    found = decode(encode(event, envelope=envelope), time=0)
    assert found.context == {**event.context, "tenant": event.tenant, "project_id": event.tenant}
    assert (found.id, found.time, found.type, found.tenant, found.payload) == (
        *(event.id, event.time, event.type, event.tenant, event.payload),
    )
    assert notification.is_notification(json.loads(encode(event, envelope=envelope)))


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_comes_is_an_event_or_refused(body: bytes) -> None:
    with contextlib.suppress(InputError):
        assert decode(body, time=1).type
