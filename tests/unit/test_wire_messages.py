"""Messages of every format are told apart and read as the event that they hold."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.core.errors import InputError
from nilometer.core.record import Event, Message
from nilometer.core.wire import cloudevents, messages, notification
from nilometer.core.wire import event as events
from nilometer.testing import event_examples

NOW = 1_700_000_000.25
EVENT = event_examples.several(1)[0]
FEDORA = {
    "fedora_messaging_schema": "pagure.git.receive",
    "fedora_messaging_severity": 30,
    "sent-at": "2024-09-18T13:31:56+00:00",
}
BINARY = cloudevents.encode_binary(EVENT)


def message(body: object, **fields: Any) -> Message:  # noqa: ANN401 the fields of a message
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Message(**{"topic": "a.topic", "body": data, "time": NOW, **fields})


@pytest.mark.parametrize(
    "held",
    [
        message(events.encode(EVENT)),
        message(cloudevents.encode(EVENT)),
        message(cloudevents.encode(EVENT), content_type="application/cloudevents+json; charset=utf-8"),
        message(BINARY.body, headers=BINARY.headers, content_type=BINARY.content_type),
    ],
)
def test_an_event_is_the_same_in_each_format_that_holds_all_of_it(held: Message) -> None:
    assert messages.decode(held) == EVENT


@pytest.mark.parametrize("envelope", [False, True])
def test_notifications_of_oslo_are_read_with_and_without_their_envelope(envelope: bool) -> None:  # noqa: FBT001 a parameter
    body = notification.encode(EVENT, envelope=envelope)
    assert messages.decode(message(body, content_type="application/json")) == notification.decode(body, time=NOW)


@pytest.mark.parametrize(
    "held",
    [
        message({"commit": 1}, topic="org.fedoraproject.prod.pagure.git.receive", headers=FEDORA, id="1"),
        message({"topic": "org.fedoraproject.prod.pagure.git.receive", "headers": FEDORA, "body": {"commit": 1}, "id": "1"}),
    ],
)
def test_messages_of_fedora_are_read_from_headers_and_as_records(held: Message) -> None:
    event = messages.decode(held)
    assert (event.id, event.type, event.priority) == ("1", "org.fedoraproject.prod.pagure.git.receive", "warn")
    assert (event.payload, event.context) == ({"commit": 1}, {"schema": "pagure.git.receive"})


def test_envelopes_of_fedmsg_are_read() -> None:
    event = messages.decode(message({"topic": "a.b.c.d.e", "msg": {"n": 1}, "msg_id": "2017-1", "timestamp": 5, "i": 1}))
    assert (event.id, event.type, event.time, event.payload) == ("2017-1", "a.b.c.d.e", 5.0, {"n": 1})


def test_a_message_without_an_id_has_one_that_stays_the_same() -> None:
    first, again = (messages.decode(message({"type": "a"}, redelivered=redelivered)) for redelivered in (False, True))
    assert first.id == again.id
    assert len(first.id) == 32
    assert messages.decode(message({"type": "b"})).id != first.id
    assert messages.decode(message({"type": "a"}, topic="other")).id != first.id
    assert messages.decode(message({"type": "a"}, id="its own")).id == "its own"


@pytest.mark.parametrize(
    ("held", "culprit"),
    [
        (message(b""), "no JSON"),
        (message(b"hello"), "no JSON"),
        (message([1]), "a list where an object is wanted"),
        (message({}), "no name at all"),
        (message({"one": 1, "two": 2}), "'one', 'two'"),
        (message({"specversion": "1.0"}), "needs id"),
        (message({"event_type": 5, "payload": {}}), "type"),
        (message([], content_type="application/cloudevents-batch+json"), "a batch"),
        (message(b"{}", content_type="application/cloudevents+json"), "needs id"),
    ],
)
def test_what_is_no_event_is_refused_by_its_culprit(held: Message, culprit: str) -> None:
    with pytest.raises(InputError, match=culprit):
        messages.decode(held)


def test_a_list_may_mix_formats() -> None:
    mixed = [{"type": "a"}, json.loads(cloudevents.encode(EVENT)), json.loads(notification.encode(EVENT, envelope=True))]
    found = messages.decode_all(message(mixed, id="req"), 10_000)
    assert [event.id for event in found] == ["req-0", EVENT.id, EVENT.id]


def test_one_event_is_a_list_of_one() -> None:
    assert messages.decode_all(message(events.encode(EVENT)), 10) == [EVENT]
    assert messages.decode_all(message(BINARY.body, headers=BINARY.headers, content_type=BINARY.content_type), 10) == [EVENT]


@pytest.mark.parametrize(
    ("body", "culprit"),
    [
        ([{"type": "a"}, {"typo": "b"}], "number 1 of the list"),
        ([{"type": "a"}, 5], "number 1 of the list: an event is an object, not a number"),
        (["x" * 200], "more than the 100"),
    ],
)
def test_a_wrong_member_of_a_list_is_named(body: object, culprit: str) -> None:
    with pytest.raises(InputError, match=culprit):
        messages.decode_all(message(body), 100)


def test_a_batch_that_is_no_list_is_refused() -> None:
    with pytest.raises(InputError, match="a batch is a list, not an object"):
        messages.decode_all(message({}, content_type="application/cloudevents-batch+json"), 100)


@given(st.lists(event_examples.any_event(), max_size=3))
def test_batches_of_cloudevents_survive(found: list[Event]) -> None:
    batch = message(cloudevents.encode_batch(found), content_type="application/cloudevents-batch+json")
    assert messages.decode_all(batch, 1 << 20) == found
