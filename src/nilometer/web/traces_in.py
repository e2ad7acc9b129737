"""The way in for spans over HTTP as our own JSON: one object or a list of them, as ``GET /traces/ID?format=spans`` tells them.

Rules:

* All of a request is taken over, or nothing: what is wrong in it is told with the number of the span, counted from 0.
* 202 says that the spans are on disk, and outlive the process until the store has them.
* When there is no room, the answer is 503: nothing of the request is taken then.

Source of the format: `core/wire/span.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, HTTPException, Request, Response
from starlette.concurrency import run_in_threadpool

from nilometer.core.errors import InputError, Unavailable
from nilometer.core.traces.ids import LONGEST, span_id, trace_id
from nilometer.core.traces.span import KINDS, STATUSES
from nilometer.core.wire import bounded_json
from nilometer.core.wire import span as wire
from nilometer.web import bodies
from nilometer.web import trace_models as models
from nilometer.web.events_in import AGAIN, LARGE
from nilometer.web.reply import reply

if TYPE_CHECKING:
    from nilometer.core.traces.span import Span
    from nilometer.web.openapi import Answers
    from nilometer.web.parts import Parts

MOST = 10_000
"""Spans in a request."""
OFF = "this server takes no spans"
JSON = "application/json"
TIME = {"type": "integer", "minimum": wire.ENDS[0], "maximum": wire.ENDS[1], "description": "ns since 1970"}
ID: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": LONGEST}
SPAN = {
    "type": "object",
    "required": ["trace", "id", "name", "start"],
    "properties": {
        "trace": ID,
        "id": ID,
        "parent": {"type": "string", "maxLength": LONGEST, "description": "empty at the root"},
        "name": {"type": "string"},
        "start": TIME,
        "end": TIME,
        "kind": {"type": "string", "enum": list(KINDS)},
        "status": {"type": "string", "enum": list(STATUSES)},
        **{name: {"type": "string"} for name in ("error", "message", "service", "project", "host", "scope", "state")},
        "attributes": {"type": "object"},
        "resource": {"type": "object"},
    },
}
BODY = {
    "requestBody": {
        "required": True,
        "content": {JSON: {"schema": {"anyOf": [SPAN, {"type": "array", "items": SPAN, "maxItems": MOST}]}}},
    }
}


def router(parts: Parts) -> APIRouter:
    """Return the route that takes spans."""
    found = APIRouter()

    async def take(request: Request) -> Response:
        """Take one span or several, as plain JSON."""
        content = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content not in ("", JSON):
            raise HTTPException(415, f"spans come as {JSON}, not as {content[:100]!r}")
        return await run_in_threadpool(_take, parts, await bodies.whole(request, bodies.MOST))

    taken: Answers = {202: {"model": models.TakenSpans, "description": "they are on disk"}}
    found.post("/traces", name="send spans", status_code=202, responses=taken | LARGE, openapi_extra=BODY)(take)
    return found


def _take(parts: Parts, body: bytes) -> Response:
    if parts.take_spans is None:
        raise HTTPException(503, OFF)
    try:
        spans = _read(body)
        parts.take_spans(spans)
    except InputError as error:
        raise HTTPException(400, str(error)) from error
    except Unavailable as error:
        raise HTTPException(503, str(error), AGAIN) from error
    return reply({"accepted": len(spans)}, 202)


def _read(body: bytes) -> list[Span]:
    """Return the spans of a body. Raise `InputError`, saying which one is wrong."""
    found = bounded_json.read(body, bodies.MOST)
    listed = found if isinstance(found, list) else [found]
    if len(listed) > MOST:
        message = f"{len(listed)} spans are more than the {MOST} of one request"
        raise InputError(message)
    return [_span(each, number) for number, each in enumerate(listed)]


def _span(found: object, number: int) -> Span:
    try:
        span = wire.from_object(found)
    except InputError as error:
        message = f"number {number} of the list: {error}"
        raise InputError(message) from None
    return span._replace(trace=trace_id(span.trace), id=span_id(span.id), parent=span_id(span.parent))
