"""Messages of fedora-messaging and fedmsg."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from nilometer.core.errors import InputError
from nilometer.core.record import Event
from nilometer.core.wire import fedora

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = 1_700_000_000.25
TOPIC = "org.fedoraproject.prod.buildsys.build.state.change"
HEADERS: dict[str, Any] = {
    "fedora_messaging_rpm_prusa-slicer": True,
    "fedora_messaging_schema": "koji_fedoramessaging.build.BuildStateChangeV1",
    "fedora_messaging_schema_package": "koji_fedoramessaging_messages",
    "fedora_messaging_severity": 20,
    "fedora_messaging_user_spot": True,
    "fedora_messaging_user_some_body": True,
    "fedora_messaging_user_nobody": False,
    "priority": 0,
    "sent-at": "2025-11-17T14:42:02+00:00",
    "x-received-from": [{"exchange": "amq.topic"}],
}
BODY = {"attribute": "state", "build_id": 2860061, "new": 4}
EVENT = Event(
    id="eb9af16c",
    time=datetime(2025, 11, 17, 14, 42, 2, tzinfo=UTC).timestamp(),
    type=TOPIC,
    publisher="org.fedoraproject.prod.buildsys",
    payload=BODY,
    context={
        "schema": "koji_fedoramessaging.build.BuildStateChangeV1",
        "users": ["spot", "some_body"],
        "packages": ["prusa-slicer"],
    },
)
ENVELOPE: dict[str, Any] = {
    "certificate": "x",
    "crypto": "x509",
    "headers": {},
    "i": 1,
    "msg": {"build": 598701},
    "msg_id": "2017-138990ab",
    "signature": "x",
    "timestamp": 1504643075.5,
    "topic": "org.fedoraproject.prod.copr.build.start",
    "username": "copr",
}


def decoded(changes: Mapping[str, object] | None = None, topic: str = TOPIC) -> Event:
    headers = {name: value for name, value in (HEADERS | dict(changes or {})).items() if value is not None}
    return fedora.decode(topic, headers, json.dumps(BODY).encode(), id="eb9af16c", time=NOW)


def test_a_message_of_amqp_is_read() -> None:
    assert fedora.is_message(HEADERS)
    assert decoded() == EVENT


def test_its_record_form_is_the_same_event() -> None:
    record = {"body": BODY, "headers": HEADERS, "id": "eb9af16c", "priority": 0, "queue": None, "topic": TOPIC}
    assert fedora.is_record(record)
    assert fedora.from_record(record, time=NOW) == EVENT


def test_an_envelope_of_fedmsg_is_read() -> None:
    assert fedora.is_envelope(ENVELOPE)
    assert fedora.from_envelope(ENVELOPE, time=NOW) == Event(
        id="2017-138990ab",
        time=1504643075.5,
        type="org.fedoraproject.prod.copr.build.start",
        publisher="org.fedoraproject.prod.copr",
        payload={"build": 598701},
        context={"username": "copr"},
    )


def test_an_envelope_that_came_from_the_new_bus_keeps_its_headers() -> None:
    event = fedora.from_envelope(ENVELOPE | {"headers": HEADERS | {"fedora_messaging_severity": 40}}, time=NOW)
    assert event.priority == "error"
    assert event.context["users"] == ["spot", "some_body"]


def test_an_archive_says_whom_an_envelope_is_about() -> None:
    event = fedora.from_envelope(ENVELOPE | {"users": ["ralph"], "packages": ["guake"]}, time=NOW)
    assert event.context == {"users": ["ralph"], "packages": ["guake"], "username": "copr"}


@pytest.mark.parametrize(
    ("severity", "priority"), [(10, "debug"), (20, "info"), (30, "warn"), (40, "error"), (35, "warn"), (None, "info")]
)
def test_a_severity_is_a_priority(severity: int | None, priority: str) -> None:
    assert decoded({"fedora_messaging_severity": severity}).priority == priority


@pytest.mark.parametrize(("topic", "publisher"), [("a.b.c.d.e", "a.b.c.d"), ("a.b.c.d", "a.b.c"), ("a.b", "a"), ("a", "a")])
def test_the_topic_begins_with_the_publisher(topic: str, publisher: str) -> None:
    assert decoded(topic=topic).publisher == publisher


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        (None, NOW),
        ("1970-01-01T00:00:10", 10.0),
        (datetime(1970, 1, 1, 0, 0, 10), 10.0),  # noqa: DTZ001 AMQP's times have no zone
        (b"1970-01-01T01:00:10+01:00", 10.0),
    ],
)
def test_times_are_read_as_senders_write_them(sent: object, seconds: float) -> None:
    assert decoded({"sent-at": sent}).time == seconds


def test_a_body_that_is_no_object_is_kept() -> None:
    record = {"body": "text", "headers": {}, "id": "1", "topic": "a.b"}
    assert fedora.from_record(record, time=NOW).payload == {"msg": "text"}


@pytest.mark.parametrize(
    ("changes", "culprit"),
    [
        ({"sent-at": "noon"}, "sent-at: 'noon'"),
        ({"sent-at": 5}, "^header sent-at is 5"),
        ({"fedora_messaging_severity": "high"}, "severity is a text"),
        ({"fedora_messaging_severity": True}, "severity is true or false"),
        ({"fedora_messaging_severity": -1}, "severity is -1"),
        ({"fedora_messaging_schema": 5}, "schema is 5"),
        ({f"h{number}": 1 for number in range(1000)}, "headers"),
    ],
)
def test_a_wrong_message_is_refused_by_its_culprit(changes: dict[str, object], culprit: str) -> None:
    with pytest.raises(InputError, match=culprit):
        decoded(changes)


@pytest.mark.parametrize(
    ("changes", "culprit"),
    [({"timestamp": "1"}, "timestamp is a text"), ({"topic": 1}, "type, not a number"), ({"msg_id": None}, "id, not null")],
)
def test_a_wrong_envelope_is_refused_by_its_culprit(changes: dict[str, object], culprit: str) -> None:
    with pytest.raises(InputError, match=culprit):
        fedora.from_envelope(ENVELOPE | changes, time=NOW)


def test_a_message_without_an_id_is_refused() -> None:
    with pytest.raises(InputError, match="needs id"):
        fedora.decode(TOPIC, HEADERS, b"{}", id="", time=NOW)
