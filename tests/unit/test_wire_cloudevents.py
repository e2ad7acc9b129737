"""CloudEvents in every mode, against the examples of the specification."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.core.errors import InputError
from nilometer.core.record import Event
from nilometer.core.wire import cloudevents
from nilometer.testing import event_examples

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = 1_700_000_000.25
SPEC: dict[str, Any] = {
    "specversion": "1.0",
    "type": "com.github.pull_request.opened",
    "source": "https://github.com/cloudevents/spec/pull",
    "subject": "123",
    "id": "A234-1234-1234",
    "time": "2018-04-05T17:31:00Z",
    "comexampleextension1": "value",
    "comexampleothervalue": 5,
    "datacontenttype": "text/xml",
    "data": '<much wow="xml"/>',
}
"""The example of the specification, section "Example"."""
BARE = {"specversion": "1.0", "type": "a", "source": "/b", "id": "1"}
TELLING = st.fixed_dictionaries(
    {},
    optional={
        "datacontenttype": st.sampled_from(["text/xml", "application/json", "application/octet-stream"]),
        "subject": st.sampled_from(["x", "", "é\n"]),
        "priority": st.just("high"),
        "number": st.integers(-(2**40), 2**40) | st.booleans(),
        "publisher": st.just("other"),
        "context": st.just({"a": 1}) | st.just("{}"),
    },
)
OPAQUE = st.fixed_dictionaries({"data": st.text(max_size=5) | st.none() | st.lists(st.integers())}) | st.just(
    {"data_base64": "AAE="}
)


def decoded(found: Mapping[str, Any]) -> Event:
    return cloudevents.decode(json.dumps(found).encode(), time=NOW)


def event_of(event: Event, payload: dict[str, object], context: dict[str, object]) -> Event:
    return Event(event.id, event.time, event.type, event.publisher, event.priority, event.tenant, payload, context)


@given(event_examples.any_event())
def test_what_is_written_is_read_as_the_same_event(event: Event) -> None:
    assert cloudevents.decode(cloudevents.encode(event), time=0) == event


@given(event_examples.any_event(), OPAQUE, TELLING)
def test_contexts_with_names_of_cloudevents_survive_too(
    event: Event, payload: dict[str, object], context: dict[str, object]
) -> None:
    event = event_of(event, payload, context)
    assert cloudevents.decode(cloudevents.encode(event), time=0) == event


@given(event_examples.any_event(), st.sampled_from(["ce-", "ce_", "cloudEvents:"]))
def test_binary_mode_holds_the_same_event(event: Event, prefix: str) -> None:
    found = cloudevents.encode_binary(event, prefix)
    assert cloudevents.decode_binary(found.headers, found.content_type, found.body, time=0) == event


def test_headers_of_http_hold_nothing_but_printable_ascii() -> None:
    found = cloudevents.encode_binary(Event("Euro € 😀", NOW, 'a b"%', tenant="t", context={"subject": "é"}))
    assert found.headers["ce-id"] == "Euro%20%E2%82%AC%20%F0%9F%98%80"
    assert found.headers["ce-type"] == "a%20b%22%25"
    assert found.headers["ce-subject"] == "%C3%A9"


def test_the_example_of_the_specification_is_read() -> None:
    assert decoded(SPEC) == Event(
        id="A234-1234-1234",
        time=datetime(2018, 4, 5, 17, 31, tzinfo=UTC).timestamp(),
        type="com.github.pull_request.opened",
        publisher="https://github.com/cloudevents/spec/pull",
        payload={"data": '<much wow="xml"/>'},
        context={
            "subject": "123",
            "comexampleextension1": "value",
            "comexampleothervalue": 5,
            "datacontenttype": "text/xml",
        },
    )


def test_the_example_is_written_as_it_was() -> None:
    written = json.loads(cloudevents.encode(decoded(SPEC)))
    assert written == SPEC | {"priority": "info"}


def test_ours_is_laid_out_as_the_table_says() -> None:
    event = Event("1", NOW, "a.b", "me.host", "audit", "t", {"n": 1}, {"request_id": "r", "traceparent": "00-1"})
    assert json.loads(cloudevents.encode(event)) == {
        "specversion": "1.0",
        "id": "1",
        "source": "me.host",
        "type": "a.b",
        "time": "2023-11-14T22:13:20.25Z",
        "tenant": "t",
        "priority": "audit",
        "traceparent": "00-1",
        "context": '{"request_id":"r"}',
        "datacontenttype": "application/json",
        "data": {"n": 1},
    }


def test_a_publisher_that_is_no_uri_stands_beside_its_source() -> None:
    written = json.loads(cloudevents.encode(Event("1", NOW, "a", "my höst")))
    assert (written["source"], written["publisher"]) == ("my%20h%C3%B6st", "my höst")
    assert decoded(BARE | {"publisher": "somebody"}).publisher == "/b"


@pytest.mark.parametrize(
    ("given_", "payload"),
    [
        ({}, {}),
        ({"data": {"a": 1}}, {"a": 1}),
        ({"data": [1]}, {"data": [1]}),
        ({"data": "x"}, {"data": "x"}),
        ({"data_base64": "AAE="}, {"data_base64": "AAE="}),
        ({"data_base64": "eyJhIjoxfQ==", "datacontenttype": "application/json"}, {"a": 1}),
    ],
)
def test_data_become_the_payload(given_: dict[str, Any], payload: dict[str, Any]) -> None:
    assert decoded(BARE | given_).payload == payload


def test_attributes_of_null_are_as_if_left_out() -> None:
    assert decoded(BARE | {"time": None, "subject": None}) == Event("1", NOW, "a", "/b")


def test_another_word_for_a_priority_is_kept_aside() -> None:
    event = decoded(BARE | {"priority": "high"})
    assert (event.priority, event.context) == ("info", {"priority": "high"})


@pytest.mark.parametrize(
    ("change", "culprit"),
    [
        ({"id": None}, "needs id"),
        ({"source": ""}, "needs source"),
        ({"type": None}, "needs type"),
        ({"specversion": None}, "needs specversion"),
        ({"specversion": "0.3"}, "'0.3'"),
        ({"id": 5}, "id, not a number"),
        ({"time": "noon"}, "time: 'noon'"),
        ({"time": 5}, "time is a number"),
        ({"Subject": "x"}, "'Subject'"),
        ({"no_name": "x"}, "'no_name'"),
        ({"subject": {}}, "subject is an object"),
        ({"subject": 1.5}, "subject is a number"),
        ({"subject": "x" * 9000}, "subject has 9000"),
        ({"source": "x" * 300}, "publisher of at most 255"),
        ({"tenant": 7}, "tenant, not a number"),
        ({"data": 1, "data_base64": ""}, "not both"),
        ({"data_base64": "x"}, "data_base64"),
        ({"data_base64": 1}, "data_base64"),
        ({"data_base64": "eA==", "datacontenttype": "application/json"}, "no JSON"),
        ({f"a{number}": 1 for number in range(64)}, "68 attributes"),
    ],
)
def test_a_wrong_event_is_refused_by_its_culprit(change: dict[str, Any], culprit: str) -> None:
    with pytest.raises(InputError, match=culprit):
        decoded(BARE | change)


@pytest.mark.parametrize(
    ("content_type", "body", "payload"),
    [
        ("application/json; charset=utf-8", b'{"a": 1}', {"a": 1}),
        ("application/vnd.x+json", b"[1]", {"data": [1]}),
        ("", b'{"a": 1}', {"a": 1}),
        ("", b"\x00\xff", {"data_base64": "AP8="}),
        ("text/plain", "é".encode(), {"data": "é"}),
        ("text/plain", b"\xff", {"data_base64": "/w=="}),
        ("image/png", b"\x00", {"data_base64": "AA=="}),
        ("image/png", b"", {}),
    ],
)
def test_a_body_of_any_kind_becomes_the_payload(content_type: str, body: bytes, payload: dict[str, Any]) -> None:
    headers = {"CE-Id": "a%20b", "ce-specversion": "1.0", "ce-type": "t", "ce-source": "/s", "Host": "x"}
    event = cloudevents.decode_binary(headers, content_type, body, time=NOW)
    assert (event.id, event.type, event.publisher, event.payload) == ("a b", "t", "/s", payload)


def test_headers_of_amqp_have_types_of_their_own() -> None:
    headers = {
        "cloudEvents:specversion": "1.0",
        "cloudEvents:id": b"1",
        "cloudEvents:type": "t",
        "cloudEvents_source": "/s",
        "cloudEvents:time": datetime(2026, 1, 2, 3, 4, 5),  # noqa: DTZ001 AMQP's times have no zone
        "cloudEvents:count": 3,
    }
    event = cloudevents.decode_binary(headers, "application/json", b"{}", time=NOW)
    assert (event.id, event.context) == ("1", {"count": 3})
    assert event.time == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()


def test_a_body_that_is_not_the_json_it_says_is_refused() -> None:
    headers = {f"ce-{name}": value for name, value in BARE.items()}
    with pytest.raises(InputError, match="no JSON"):
        cloudevents.decode_binary(headers, "application/json", b"{", time=NOW)
