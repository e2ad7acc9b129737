"""What OSProfiler's ``info`` says of a span, and OpenTelemetry's attributes: one in terms of the other.

Rules:

* ``request`` (what a WSGI server got), ``requests`` (what a client asked), ``db`` and ``function`` become attributes of the
  semantic conventions, https://opentelemetry.io/docs/specs/semconv/; whatever else ``info`` holds keeps its name.
* ``etype`` is the type of the error and ``message`` what it said. OSProfiler's status of a request goes into the attributes.
* The other way, a span's attributes stand where OSProfiler's readers look for them, the rest under their own names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from nilometer.core.wire.span import sound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nilometer.core.traces.span import Kind, Span, Status

REQUEST = {"method": "http.request.method", "path": "url.path", "query": "url.query", "scheme": "url.scheme"}
GROUPS: dict[str, dict[str, str]] = {
    "request": REQUEST,
    "requests": {
        **REQUEST,
        "hostname": "server.address",
        "port": "server.port",
        "status_code": "http.response.status_code",
    },
    "db": {"statement": "db.query.text", "params": "db.query.parameters", "result": "db.response.result"},
    "function": {
        "name": "code.function.name",
        "args": "code.function.args",
        "kwargs": "code.function.kwargs",
        "result": "code.function.result",
    },
}
"""What each part of ``info`` holds, and the attribute that says the same."""
ENDING = frozenset(("etype", "message"))
ENDINGS = {"status_code", "result"}
"""What is known in the end only."""
NAMES = {group: {attribute: key for key, attribute in known.items()} for group, known in GROUPS.items()}
KINDS: dict[str, Kind] = {"request": "server", "requests": "client", "db": "client"}
SPOKEN_FOR = {"host", "etype", "message", "nilometer", *GROUPS}


class Told(NamedTuple):
    """What ``info`` says of a span."""

    kind: Kind
    attributes: dict[str, Any]
    status: Status = "unset"
    error: str = ""
    message: str = ""


def told(info: Mapping[str, Any], *, stops: bool) -> Told:
    """Return what the ``info`` of a start says of its span, or that of a stop."""
    attributes: dict[str, Any] = {}
    kind: Kind = "internal"
    failed = "etype" in info
    for name, value in info.items():
        if name in GROUPS and isinstance(value, dict):
            kind, names = KINDS.get(name, kind), GROUPS[name]
            for key, inner in value.items():
                attributes[names.get(key) or f"{name}.{key}"] = inner
        elif name != "host" and not (failed and name in ENDING):
            attributes[name] = value
    if stops and failed:
        return Told(kind, attributes, "error", str(info["etype"]), _said(info.get("message")))
    return Told(kind, attributes)


def _said(message: object) -> str:
    return message if isinstance(message, str) else "" if message is None else str(message)


def pair(span: Span) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return ``info`` of the start and of the stop of a span, without its host."""
    start: dict[str, Any] = {}
    stop: dict[str, Any] = {}
    group = _group(span)
    names = NAMES[group]
    for attribute, value in sound(span.attributes).items():
        if attribute in names:
            side = stop if names[attribute] in ENDINGS else start
            side.setdefault(group, {})[names[attribute]] = value
        elif attribute not in SPOKEN_FOR:
            start[attribute] = value
    if span.failed:
        stop |= {"etype": span.error or "error", "message": span.message}
    return start, stop


def _group(span: Span) -> str:
    """Return the part of ``info`` that tells of spans like this."""
    for name in span.attributes:
        if name.startswith("db."):
            return "db"
        if name.startswith("code.function"):
            return "function"
    return "requests" if span.kind == "client" else "request"
