"""OTLP, against the messages of OpenTelemetry's own library; and whatever else may come."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from nilometer.core.errors import InputError
from nilometer.core.traces.ids import uuid
from nilometer.core.traces.span import Link, Span, SpanEvent
from nilometer.core.wire import otlp
from nilometer.core.wire.otlp_messages import REQUEST, RESPONSE
from nilometer.core.wire.protobuf import decode, encode
from nilometer.testing.trace_examples import ODD, START, TRACE, number, request

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    WORDS | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
ATTRIBUTES = st.dictionaries(
    WORDS.filter(lambda name: not name.startswith("nilometer.") and name != "error.type"), VALUES, max_size=4
)
IDS = st.integers(1, 2**64 - 1).map(lambda value: f"{value:016x}")
TRACES = st.integers(1, 2**128 - 1).map(lambda value: f"{value:032x}")
TIMES = st.integers(0, 2**62)
SPANS = st.builds(
    lambda start, took, **told: Span(start=start, end=start + took, **told),
    start=TIMES,
    took=st.integers(0, 2**50),
    trace=TRACES,
    id=IDS,
    parent=IDS | st.just(""),
    name=WORDS,
    kind=st.sampled_from(["internal", "server", "client", "producer", "consumer"]),
    status=st.sampled_from(["unset", "ok"]),
    service=WORDS.filter(lambda name: name != "unknown_service"),
    project=WORDS,
    host=WORDS,
    attributes=ATTRIBUTES,
    events=st.lists(st.builds(SpanEvent, TIMES, WORDS, ATTRIBUTES), max_size=2).map(tuple),
    links=st.lists(st.builds(Link, TRACES, IDS, ATTRIBUTES), max_size=2).map(tuple),
    scope=WORDS,
    state=WORDS,
    resource=st.dictionaries(
        WORDS.filter(lambda name: name not in ("service.name", "service.namespace", "host.name")), WORDS, max_size=2
    ),
)
FORMS = (otlp.PROTOBUF, otlp.JSON)


def unordered(spans: Any) -> list[str]:  # noqa: ANN401 spans
    return sorted(map(repr, spans))


@pytest.mark.parametrize("form", FORMS)
@given(spans=st.lists(SPANS, max_size=4))
def test_what_is_written_is_read_again(form: str, spans: list[Span]) -> None:
    found = otlp.decode(otlp.encode(spans, form), form)
    assert found.rejected == 0
    assert unordered(found.spans) == unordered(spans)


@given(st.lists(SPANS, max_size=4))
def test_opentelemetrys_library_reads_and_writes_the_same_bytes(spans: list[Span]) -> None:
    theirs = ExportTraceServiceRequest()
    theirs.ParseFromString(otlp.encode(spans))
    assert unordered(otlp.decode(theirs.SerializeToString()).spans) == unordered(spans)
    told = {span.span_id.hex(): span for group in theirs.resource_spans for scope in group.scope_spans for span in scope.spans}
    for span in spans:
        assert told[span.id].name == span.name or len(told) < len(spans)
        assert told.keys() == {each.id for each in spans}


@pytest.mark.parametrize("form", FORMS)
def test_osprofilers_ids_and_errors_go_along(form: str) -> None:
    spans = [
        Span(TRACE, "12345678123456781234567812345678", "t1", "a", START, START + 1),
        Span("any text", "own", "", "b", START, START + 1, status="error", error="E", message="said"),
    ]
    found = {span.name: span for span in otlp.decode(otlp.encode(spans, form), form).spans}
    assert found["a"] == spans[0]
    assert found["b"]._replace(attributes={}) == spans[1]
    sent = json.loads(otlp.encode(spans, otlp.JSON))["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert sent[0]["traceId"] == TRACE
    assert sent[0]["spanId"] == "1234567812345678"
    assert uuid(TRACE).replace("-", "") == TRACE


@pytest.mark.parametrize("form", FORMS)
def test_odd_spans_go_through(form: str) -> None:
    found = {span.id: span for span in otlp.decode(otlp.encode([*ODD, *request()], form), form).spans}
    for span in ODD:
        assert found[span.id]._replace(attributes={}) == span._replace(attributes={})


def test_older_names_and_words_for_numbers_are_understood() -> None:
    span = {
        "traceId": TRACE.upper(),
        "spanId": number(0),
        "name": "x",
        "kind": "SPAN_KIND_CLIENT",
        "startTimeUnixNano": str(START),
    }
    request = {"resourceSpans": [{"instrumentationLibrarySpans": [{"spans": [span | {"status": {"code": "STATUS_CODE_OK"}}]}]}]}
    (found,) = otlp.decode(json.dumps(request).encode(), otlp.JSON).spans
    assert (found.trace, found.kind, found.status, found.start, found.end) == (TRACE, "client", "ok", START, START)


def test_of_a_request_with_wrong_spans_the_others_are_taken() -> None:
    good = {"traceId": TRACE, "spanId": number(0), "name": "x", "startTimeUnixNano": START}
    wrong: list[dict[str, Any]] = [
        good | {"traceId": "0" * 32},
        good | {"spanId": "xyz"},
        good | {"startTimeUnixNano": "soon"},
        good | {"attributes": [{"key": "a", "value": {"intValue": "many"}}]},
        good | {"attributes": {}},
        good | {"links": [{"traceId": "1"}]},
        good | {"startTimeUnixNano": 2**64 - 1},
    ]
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [*wrong, good]}]}]}).encode()
    found = otlp.decode(body, otlp.JSON)
    assert len(found.spans) == 1
    assert found.rejected == len(wrong)
    assert "traceId" in found.reason


@pytest.mark.parametrize(
    "body", [b"[]", b"{", b'{"resourceSpans": 5}', b'{"resourceSpans": [5]}', b'{"resourceSpans": [{"scopeSpans": {}}]}']
)
def test_what_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(InputError):
        otlp.decode(body, otlp.JSON)


@given(st.binary(max_size=200))
def test_no_bytes_do_harm(body: bytes) -> None:
    for form in FORMS:
        try:
            otlp.decode(body, form)
        except InputError:
            continue


@given(st.lists(SPANS, min_size=1, max_size=2), st.data())
def test_bytes_that_were_spoilt_do_no_harm(spans: list[Span], data: st.DataObject) -> None:
    body = bytearray(otlp.encode(spans))
    for _ in range(data.draw(st.integers(1, 5))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        otlp.decode(bytes(body[: data.draw(st.integers(0, len(body)))]))
    except InputError:
        return


def test_no_depth_is_too_much() -> None:
    deep = b""
    for _ in range(5000):
        deep = encode({"values": []}, REQUEST) + b"\x2a" + _size(b"\x0a" + _size(deep) + deep) + b"\x0a" + _size(deep) + deep
    pair = b"\x0a\x01a\x12" + _size(deep) + deep
    resource = b"\x0a" + _size(pair) + pair
    group = b"\x0a" + _size(resource) + resource
    with pytest.raises(InputError, match="deep"):
        decode(b"\x0a" + _size(group) + group, REQUEST)
    assert decode(encode({"partialSuccess": {"rejectedSpans": -5, "errorMessage": "é"}}, RESPONSE), RESPONSE) == {
        "partialSuccess": {"rejectedSpans": -5, "errorMessage": "é"}
    }


def _size(data: bytes) -> bytes:
    value, found = len(data), bytearray()
    while value >= 128:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])
