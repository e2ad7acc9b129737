"""OTLP, OpenTelemetry's protocol, for traces: spans from and to its messages, as protocol buffers and as JSON.

Rules:

* `encode` and `decode` know both forms: ``application/x-protobuf`` and ``application/json``. Ids are 16 and 8 bytes, in JSON as
  hexadecimal digits; 64-bit numbers are texts in JSON, and are read as numbers, too.
* An id of OSProfiler that OTLP has no room for is sent as `ids.w3c_trace` and `ids.w3c_span` make it; what it was goes along as
  an attribute, ``nilometer.trace_id`` and so on, by which `decode` gives it back.
* Service, host and project are those of the resource: ``service.name``, ``host.name``, ``service.namespace``.
* Of a request in which single spans are wrong, the others are taken: `Taken` says how many were not, and why the first was not.

Source: https://opentelemetry.io/docs/specs/otlp/
"""

from __future__ import annotations

import itertools
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from nilometer.core.errors import InputError
from nilometer.core.traces import ids
from nilometer.core.traces.span import KINDS, Kind, Link, Span, SpanEvent, Status
from nilometer.core.wire import span as wire
from nilometer.core.wire.bounded_json import read_object
from nilometer.core.wire.otlp_messages import REQUEST
from nilometer.core.wire.otlp_read import attributes, each, number, one, text
from nilometer.core.wire.otlp_values import pairs
from nilometer.core.wire.protobuf import decode as decode_protobuf
from nilometer.core.wire.protobuf import encode as encode_protobuf

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

PROTOBUF, JSON = "application/x-protobuf", "application/json"
LARGEST = 64 << 20
"""Bytes of a request, at most."""
NUMBERS: dict[Kind, int] = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
KIND: dict[object, Kind] = {
    **{code: kind for kind, code in NUMBERS.items()},
    **{f"SPAN_KIND_{kind.upper()}": kind for kind in KINDS},
}
CODES: dict[Status, int] = {"unset": 0, "ok": 1, "error": 2}
STATUS: dict[object, Status] = {
    **{code: status for status, code in CODES.items()},
    **{f"STATUS_CODE_{status.upper()}": status for status in CODES},
}
SERVICE, PROJECT, HOST = "service.name", "service.namespace", "host.name"
ERROR = "error.type"
OURS = "nilometer."
TRACE_ID, SPAN_ID, PARENT_ID = f"{OURS}trace_id", f"{OURS}span_id", f"{OURS}parent_id"
UNKNOWN = "unknown_service"
"""What a service without a name is called, as the specification asks."""


class Taken(NamedTuple):
    """The spans of a request, how many of it were none, and why the first of these was not."""

    spans: list[Span]
    rejected: int = 0
    reason: str = ""


# -- reading -----------------------------------------------------------------------------------------------------------


def decode(data: bytes, content: str = PROTOBUF, largest: int = LARGEST) -> Taken:
    """Return what a request holds. Raise `InputError` for one that is none."""
    if len(data) > largest:
        message = f"{len(data)} bytes are more than the {largest} of a request"
        raise InputError(message)
    return taken(read_object(data, largest) if content == JSON else decode_protobuf(data, REQUEST))


def taken(request: Mapping[str, Any]) -> Taken:
    """Return the spans of a request, as JSON has it. Raise `InputError` for one that is none."""
    spans: list[Span] = []
    reasons: list[str] = []
    for group in each(request, "resourceSpans"):
        resource = attributes(one(group, "resource"))
        for scoped in each(group, "scopeSpans", "instrumentationLibrarySpans"):
            scope = text(one(scoped, "scope"), "name")
            for found in each(scoped, "spans"):
                try:
                    spans.append(_span(found, resource, scope))
                except InputError as error:
                    reasons.append(str(error))
    return Taken(spans, len(reasons), reasons[0] if reasons else "")


def _span(found: Mapping[str, Any], resource: dict[str, Any], scope: str) -> Span:
    """Return one span. Raise `InputError` naming what is wrong."""
    told = attributes(found)
    trace, own = _id(found, "traceId", ids.TRACE), _id(found, "spanId", ids.SPAN)
    parent = _id(found, "parentSpanId", ids.SPAN, needed=False)
    start = number(found, "startTimeUnixNano")
    status = one(found, "status")
    outcome: Status = STATUS.get(status.get("code", 0), "unset")
    failed = outcome == "error"
    return wire.checked(
        Span(
            str(told.pop(TRACE_ID, trace)),
            str(told.pop(SPAN_ID, own)),
            str(told.pop(PARENT_ID, parent)),
            text(found, "name"),
            start,
            max(number(found, "endTimeUnixNano"), start),
            KIND.get(found.get("kind", 1), "internal"),
            outcome,
            str(told.get(ERROR, "")) if failed else "",
            text(status, "message") if failed else "",
            _word(resource, SERVICE, UNKNOWN),
            _word(resource, PROJECT),
            _word(resource, HOST),
            told,
            tuple(_event(event) for event in each(found, "events")),
            tuple(_link(link) for link in each(found, "links")),
            scope=scope,
            state=text(found, "traceState"),
            resource={name: value for name, value in resource.items() if name not in (SERVICE, PROJECT, HOST)},
        )
    )


def _event(found: Mapping[str, Any]) -> SpanEvent:
    return SpanEvent(number(found, "timeUnixNano"), text(found, "name"), attributes(found))


def _link(found: Mapping[str, Any]) -> Link:
    told = attributes(found)
    trace, own = _id(found, "traceId", ids.TRACE), _id(found, "spanId", ids.SPAN)
    return Link(str(told.pop(TRACE_ID, trace)), str(told.pop(SPAN_ID, own)), told)


def _id(found: Mapping[str, Any], name: str, digits: int, *, needed: bool = True) -> str:
    value = text(found, name).lower()
    if not value.strip("0") and not needed:
        return ""
    if len(value) != digits or not ids.HEX.fullmatch(value) or not value.strip("0"):
        message = f"{name}: {value[:40]!r} is no id of {digits} hexadecimal digits, or all of them are zero"
        raise InputError(message)
    return value


def _word(resource: Mapping[str, Any], name: str, nobody: str = "") -> str:
    value = resource.get(name)
    found = value if isinstance(value, str) else "" if value is None else str(value)
    return "" if found == nobody else found


# -- writing -----------------------------------------------------------------------------------------------------------


def encode(spans: Iterable[Span], content: str = PROTOBUF) -> bytes:
    """Return a request that tells of the spans."""
    if content == JSON:
        return wire.text(_texts(request(spans)))
    return encode_protobuf(request(spans), REQUEST)


def request(spans: Iterable[Span]) -> dict[str, Any]:
    """Return a request that tells of the spans, its numbers as numbers."""
    groups: dict[tuple[Any, ...], list[Span]] = {}
    for span in spans:
        groups.setdefault((span.service, span.project, span.host, wire.text(span.resource)), []).append(span)
    return {"resourceSpans": [_group(found) for found in groups.values()]}


def _group(spans: Sequence[Span]) -> dict[str, Any]:
    first = spans[0]
    told = {SERVICE: first.service or UNKNOWN, PROJECT: first.project, HOST: first.host}
    resource = {**{name: value for name, value in told.items() if value}, **first.resource}
    scopes = itertools.groupby(sorted(spans, key=attrgetter("scope")), attrgetter("scope"))
    return {
        "resource": {"attributes": pairs(resource)},
        "scopeSpans": [{"scope": {"name": scope}, "spans": [_told(span) for span in found]} for scope, found in scopes],
    }


def _told(span: Span) -> dict[str, Any]:
    trace, own, parent = ids.w3c_trace(span.trace), ids.w3c_span(span.id), ids.w3c_span(span.parent) if span.parent else ""
    told = dict(span.attributes) | _kept(
        (TRACE_ID, span.trace, trace), (SPAN_ID, span.id, own), (PARENT_ID, span.parent, parent)
    )
    if span.error:
        told.setdefault(ERROR, span.error)
    found: dict[str, Any] = {
        "traceId": trace,
        "spanId": own,
        "traceState": span.state or None,
        "parentSpanId": parent or None,
        "name": span.name,
        "kind": NUMBERS[span.kind],
        "startTimeUnixNano": span.start,
        "endTimeUnixNano": span.end,
        "attributes": pairs(told),
        "events": [
            {"timeUnixNano": event.time, "name": event.name, "attributes": pairs(event.attributes)} for event in span.events
        ],
        "links": [_told_link(link) for link in span.links],
    }
    if span.status != "unset":
        found["status"] = {"code": CODES[span.status], "message": span.message or None}
    return {name: value for name, value in found.items() if value not in (None, [])}


def _told_link(link: Link) -> dict[str, Any]:
    trace, own = ids.w3c_trace(link.trace), ids.w3c_span(link.id)
    told = dict(link.attributes) | _kept((TRACE_ID, link.trace, trace), (SPAN_ID, link.id, own))
    return {"traceId": trace, "spanId": own, "attributes": pairs(told)}


def _kept(*each: tuple[str, str, str]) -> dict[str, str]:
    """Return the ids that are sent as others: of each its attribute, what it was, and as what it is sent."""
    return {name: was for name, was, sent in each if was != sent}


def _texts(found: Any) -> Any:  # noqa: ANN401 a request or a part of one
    """Return a part of a request as JSON has it: 64-bit numbers as texts."""
    if isinstance(found, dict):
        return {
            name: str(value) if name in ("intValue", "timeUnixNano", "startTimeUnixNano", "endTimeUnixNano") else _texts(value)
            for name, value in found.items()
            if value is not None
        }
    return [_texts(value) for value in found] if isinstance(found, list) else found
