"""The way in for events over HTTP: one event or a list of them as our JSON, CloudEvents in every mode.

Rules:

* All of a request is taken over, or nothing: what is wrong in it is told with the number of the event, counted from 0.
* 202 says that the events wait for the store: in memory, and on disk while the store is away. An event without an id gets
  one, so who may have to send again names it, and nothing counts twice.
* A queue that is full is told as 503: nothing of the request is taken then.

Sources: CloudEvents 1.0, the HTTP binding and the JSON format.
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

from fastapi import APIRouter, HTTPException, Request, Response
from starlette.concurrency import run_in_threadpool

from nilometer.core.errors import InputError
from nilometer.core.record import Message
from nilometer.core.wire import cloudevents, event, messages
from nilometer.events.queued import Full
from nilometer.web import bodies, models
from nilometer.web.openapi import ERROR, Answers
from nilometer.web.reply import reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nilometer.web.parts import Parts

MOST = 1000
"""Events in a request."""
AGAIN = {"retry-after": "1"}
OFF = "this server takes no events: it stands in for statsd, and no setting names a store for events"
TEXT = {"type": "string", "maxLength": event.LONGEST}
OBJECT = {"type": "object"}
EVENT = {
    "type": "object",
    "required": ["type"],
    "additionalProperties": False,
    "properties": {
        "id": TEXT,
        "time": {
            "description": "RFC 3339, or seconds since the epoch",
            "anyOf": [{"type": "string", "format": "date-time"}, {"type": "number"}],
        },
        "type": TEXT | {"minLength": 1},
        "publisher": TEXT,
        "priority": {"type": "string", "enum": list(event.PRIORITIES)},
        "tenant": TEXT,
        "payload": OBJECT,
        "context": OBJECT,
    },
}
CLOUD_EVENT = {
    "type": "object",
    "required": ["id", "source", "specversion", "type"],
    "properties": {"specversion": {"const": "1.0"}} | dict.fromkeys(("id", "source", "type"), TEXT | {"minLength": 1}),
}
CONTENT = {
    "application/json": {"schema": {"anyOf": [EVENT, {"type": "array", "items": EVENT, "maxItems": MOST}]}},
    cloudevents.STRUCTURED: {"schema": CLOUD_EVENT},
    cloudevents.BATCH: {"schema": {"type": "array", "items": CLOUD_EVENT, "maxItems": MOST}},
}
BODY = {"requestBody": {"required": True, "content": CONTENT}}
LARGE: Answers = {413: {"description": "the body is too long", **ERROR}, 415: {"description": "no such content", **ERROR}}


def router(parts: Parts) -> APIRouter:
    """Return the route that takes events."""
    found = APIRouter()

    async def take(request: Request) -> Response:
        """Take one event or several: as plain JSON, or as CloudEvents in structured, batch or binary mode."""
        body = await bodies.whole(request, bodies.MOST)
        return await run_in_threadpool(_take, parts, request.headers, body)

    taken: Answers = {202: {"model": models.Taken, "description": "they wait for the store"}}
    found.post("/events", name="send events", status_code=202, responses=taken | LARGE, openapi_extra=BODY)(take)
    return found


def _take(parts: Parts, headers: Mapping[str, str], body: bytes) -> Response:
    if parts.take_events is None:
        raise HTTPException(503, OFF)
    content = headers.get("content-type", "")
    _check(content, headers)
    message = Message("", body, time.time(), uuid.uuid4().hex, headers, content)
    try:
        events = messages.decode_all(message, bodies.MOST)
        if len(events) > MOST:
            raise HTTPException(400, f"{len(events)} events are more than the {MOST} of one request")
        parts.take_events(events)
    except InputError as error:
        raise HTTPException(400, str(error)) from error
    except Full as error:
        raise HTTPException(503, str(error), AGAIN) from error
    return reply({"accepted": len(events)}, 202)


def _check(content: str, headers: Mapping[str, str]) -> None:
    """Refuse a content type that no events come as."""
    kind = content.partition(";")[0].strip().lower()
    if kind and not cloudevents.is_json(kind) and "ce-specversion" not in headers:
        known = f"application/json, {cloudevents.STRUCTURED}, {cloudevents.BATCH}, or headers ce-*"
        raise HTTPException(415, f"events come as {known}, not as {kind[:100]!r}")
