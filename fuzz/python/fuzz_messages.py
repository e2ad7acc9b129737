# ruff: noqa: S101 - a fuzz target asserts its invariant
"""Invariant: whatever a bus or HTTP brings is an event, or an `InputError` of one line.

An event that was read is bounded, and writes and reads back as the same in each format that holds all of it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import atheris

with atheris.instrument_imports():
    from nilometer.core.errors import InputError
    from nilometer.core.record import Event, Message
    from nilometer.core.wire import cloudevents, event, messages, rfc3339

TYPES = ("", "application/json", "application/cloudevents+json", "application/cloudevents-batch+json", "text/xml", "image/png")
HEADERS: tuple[dict[str, object], ...] = (
    {},
    {"ce-specversion": "1.0", "ce-id": "1", "ce-type": "t", "ce-source": "/s"},
    {"cloudEvents:specversion": "1.0", "cloudEvents:id": b"1", "cloudEvents:type": "t", "cloudEvents:source": "/s"},
    {"fedora_messaging_schema": "a.b", "fedora_messaging_severity": 20, "fedora_messaging_user_me": True},
)
SEEDS: tuple[dict[str, object], ...] = (
    {"type": "a", "id": "1", "time": "2026-11-23T06:00:00Z", "priority": "info", "payload": {}},
    {"specversion": "1.0", "id": "1", "type": "t", "source": "/s", "time": "2026-11-23T06:00:00Z", "data": {}, "tenant": "x"},
    {"event_type": "a", "payload": {}, "message_id": "1", "priority": "INFO", "timestamp": "2026-11-22 04:00:12.25"},
    {"oslo.version": "2.0", "oslo.message": '{"event_type": "a", "payload": {}}'},
    {"topic": "a.b", "msg": {}, "msg_id": "1", "timestamp": 5.0},
    {"topic": "a.b", "headers": {"sent-at": "2026-11-23T06:00:00Z"}, "body": {}, "id": "1"},
)
VALUES = (
    "",
    "x",
    "1.0",
    "{}",
    "\ud800",
    0,
    -1.5,
    1e308,
    True,
    None,
    [],
    {},
    {"a": [1]},
    "2026-11-23T06:00:00Z",
    "AA==",
    "info",
)


def made(data: atheris.FuzzedDataProvider) -> bytes:
    """Return raw bytes, or an object of a known format with some of its fields changed."""
    if data.ConsumeBool():
        return data.ConsumeBytes(data.remaining_bytes())
    found = dict(SEEDS[data.ConsumeIntInRange(0, len(SEEDS) - 1)])
    for _ in range(data.ConsumeIntInRange(0, 4)):
        name = data.PickValueInList([*found, data.ConsumeUnicodeNoSurrogates(12)])
        found[name] = data.PickValueInList([*VALUES, data.ConsumeUnicode(20), data.ConsumeFloat()])
    return json.dumps(found if data.ConsumeBool() else [found]).encode()


def headers(data: atheris.FuzzedDataProvider) -> dict[str, object]:
    """Return headers of a known format with one more."""
    found = dict(HEADERS[data.ConsumeIntInRange(0, len(HEADERS) - 1)])
    if data.ConsumeBool():
        prefix = data.PickValueInList(["ce-", "ce_", "fedora_messaging_", "sent-at", ""])
        found[prefix + data.ConsumeUnicodeNoSurrogates(8)] = data.PickValueInList([*VALUES, data.ConsumeUnicode(10)])
    return found


def check(found: Event) -> None:
    """Check one event that was read."""
    assert found.id
    assert found.type
    assert max(map(len, (found.id, found.type, found.publisher, found.tenant))) <= event.LONGEST
    assert found.priority in event.PRIORITIES
    found = replace(found, time=rfc3339.decode(rfc3339.encode(found.time)))  # to the nanosecond
    event.ENCODER.encode(event.as_object(found)).encode()
    written = event.encode(found)
    if len(written) < 1 << 19:
        assert event.decode(written, time=0, id="") == found
        assert cloudevents.decode(cloudevents.encode(found), time=0) == found


def test_one_input(raw: bytes) -> None:
    """Check the invariant for one input."""
    data = atheris.FuzzedDataProvider(raw)
    content_type = TYPES[data.ConsumeIntInRange(0, len(TYPES) - 1)]
    held = Message("a.topic", b"", 1e9, headers=headers(data), content_type=content_type)
    held = Message(held.topic, made(data), held.time, headers=held.headers, content_type=content_type)
    for read in (lambda: [messages.decode(held)], lambda: messages.decode_all(held, 1 << 20)):
        found, fault = list[Event](), ""
        try:
            found = read()
        except InputError as error:
            fault = str(error)
        assert "\n" not in fault
        for each in found:
            check(each)


if __name__ == "__main__":
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
