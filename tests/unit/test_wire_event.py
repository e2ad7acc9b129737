"""Events as JSON, the times in it, and how JSON from the network is bounded."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import math
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.core.errors import InputError
from nilometer.core.record import Event
from nilometer.core.wire import bounded_json, rfc3339
from nilometer.core.wire import event as events
from nilometer.testing import event_examples

NOW = 1_700_000_000.25


@given(event_examples.any_event())
def test_what_is_written_is_read_as_the_same_event(event: Event) -> None:
    assert events.decode(events.encode(event), time=0, id="another") == event


@given(st.lists(event_examples.any_event(), max_size=3))
def test_many_are_a_list_of_json(found: list[Event]) -> None:
    parsed = bounded_json.read(events.encode_all(found))
    assert [events.from_object(each, time=0, id="") for each in parsed] == found


def test_the_fields_are_those_of_an_event() -> None:
    event = Event("1", NOW, "a.b", "me", "audit", "t", {"n": 1}, {"r": "x"})
    assert json.loads(events.encode(event)) == {
        "id": "1",
        "time": "2023-11-14T22:13:20.25Z",
        "type": "a.b",
        "publisher": "me",
        "priority": "audit",
        "tenant": "t",
        "payload": {"n": 1},
        "context": {"r": "x"},
    }


def test_a_type_is_enough() -> None:
    assert events.decode(b'{"type": "a"}', time=NOW, id="given") == Event("given", NOW, "a")


def test_null_is_as_if_left_out() -> None:
    body = b'{"type": "a", "id": null, "time": null, "tenant": null, "payload": null}'
    assert events.decode(body, time=NOW, id="given") == Event("given", NOW, "a")


def test_a_time_may_be_a_number_and_a_priority_in_any_case() -> None:
    event = events.decode(b'{"type": "a", "time": 5, "priority": "WARNING"}', time=NOW, id="1")
    assert (event.time, event.priority) == (5.0, "warn")


@pytest.mark.parametrize(
    ("body", "culprit"),
    [
        (b"", "no JSON"),
        (b"[]", "a list where an object"),
        (b"\xff", "not UTF-8 at byte 0"),
        (b"{}", "needs type"),
        (b'{"type": ""}', "needs type"),
        (b'{"type": "a", "id": ""}', "needs id"),
        (b'{"type": 1}', "type, not a number"),
        (b'{"type": "a", "tenant": []}', "tenant, not a list"),
        (b'{"type": "a", "payload": "x"}', "payload, not a text"),
        (b'{"type": "a", "context": true}', "context, not true or false"),
        (b'{"type": "a", "priority": "eror"}', "did you mean 'error'"),
        (b'{"type": "a", "priority": 1}', "not a number"),
        (b'{"type": "a", "time": "yesterday"}', "'yesterday'"),
        (b'{"type": "a", "time": true}', "time"),
        (b'{"type": "a", "time": 1e300}', "time"),
        (b'{"type": "a", "tpye": 1}', "'tpye'; did you mean 'type'"),
        (b'{"type": "a\\u0000"}', "control characters in its type"),
        (b'{"type": "%s"}' % (b"a" * 256), "at most 255"),
        (b'{"type": "a", "payload": {"x": NaN}}', "NaN"),
        (b'{"type": "a", "payload": {"x": 1e999}}', "range"),
        (b'{"type": "a", "payload": {"x": %s1%s}}' % (b"[" * 64, b"]" * 64), "deep"),
        (b"[" * 500_000, "no JSON|deep"),
        (b'{"type": "a", "payload": {"x": "%s"}}' % (b"a" * bounded_json.LARGEST), "bytes of JSON"),
        (b'{"type": "a", "payload": {"x": %s}}' % (b"1" * 5000), "no JSON"),
    ],
)
def test_a_wrong_event_is_refused_by_its_culprit(body: bytes, culprit: str) -> None:
    with pytest.raises(InputError, match=culprit):
        events.decode(body, time=NOW, id="1")


def test_as_deep_as_allowed_is_read() -> None:
    body = b'{"type": "a", "payload": {"x": %s1%s}}' % (b"[" * 62, b"]" * 62)
    assert events.decode(body, time=NOW, id="1").type == "a"


def test_half_a_surrogate_pair_becomes_a_sign_that_utf8_holds() -> None:
    event = events.decode(b'{"type": "a\\ud800", "payload": {"\\udc00k": ["\\ud83d\\ude00", "\\uD800x"]}}', time=NOW, id="1")
    assert (event.type, event.payload) == ("a\ufffd", {"\ufffdk": ["\U0001f600", "\ufffdx"]})


def test_what_json_cannot_hold_goes_as_text() -> None:
    loop: list[object] = []
    loop += [loop, loop]
    payload = {
        "nan": math.nan,
        "low": -math.inf,
        "day": dt.date(2026, 1, 2),
        "pair": (1, {2}),
        "loop": loop,
        "half": "\ud800",
        "read only": MappingProxyType({3: None}),
    }
    read = events.decode(events.encode(Event("1", NOW, "a", payload=MappingProxyType(payload))), time=0, id="")
    assert read.payload == {
        "nan": "nan",
        "low": "-inf",
        "day": "2026-01-02",
        "pair": [1, [2]],
        "loop": ["…", "…"],
        "half": "?",
        "read only": {"3": None},
    }


@pytest.mark.parametrize("seconds", [math.nan, math.inf, 1e12, -1e12])
def test_a_time_that_is_none_is_not_written(seconds: float) -> None:
    with pytest.raises(ValueError, match="no time"):
        events.encode(Event("1", seconds, "a"))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0.0),
        ("1970-01-01t00:00:01.5z", 1.5),
        ("1970-01-01 01:00:00+01:00", 0.0),
        ("1969-12-31T19:30:00.25-04:30", 0.25),
        ("1990-12-31T23:59:60Z", 662688000.0),
        ("2026-11-23T06:00:00.123456789Z", 1795413600.1234567),
        ("0001-01-01T00:00:00Z", -62135596800.0),
    ],
)
def test_times_are_read(text: str, seconds: float) -> None:
    assert rfc3339.decode(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-23",
        "2026-11-23T06:00:00",
        "2026-02-30T06:00:00Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T06:00:61Z",
        "2026-11-23T06:00:00+24:00",
        "2026-11-23T06:00:00.Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:60Z",
        "٢٠٢٦-11-23T06:00:00Z",
        "2026-11-23T06:00:00Z\n",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no time"):
        rfc3339.decode(text)


def test_a_time_without_a_zone_is_utc_where_that_is_allowed() -> None:
    assert rfc3339.decode("1970-01-01T00:01:00", naive=True) == 60.0


@given(st.floats(1e8, 2e11))
def test_times_survive(seconds: float) -> None:
    assert rfc3339.decode(rfc3339.encode(seconds)) == seconds


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    with contextlib.suppress(InputError):
        bounded_json.read(body)
