"""OTLP over HTTP: the way in for spans of OpenTelemetry's SDKs and Collectors, ``POST /v1/traces``.

Rules, those of https://opentelemetry.io/docs/specs/otlp/#otlphttp-response:

* Protocol buffers and JSON, gzipped or not; the answer has the form of the request. A body is bounded as it comes, and again as
  it is inflated.
* 200 says that the spans are on disk; those of them that are none are told as a partial success, and counted.
* 400 is for good; 503, with ``Retry-After``, asks to send the same again: nothing of the request was taken.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from nilometer.core.errors import InputError, Unavailable
from nilometer.core.wire import otlp
from nilometer.core.wire import span as wire
from nilometer.core.wire.otlp_messages import FAULT, RESPONSE
from nilometer.core.wire.protobuf import encode
from nilometer.web import bodies
from nilometer.web.events_in import AGAIN

if TYPE_CHECKING:
    from nilometer.web.parts import Parts

PATH = "/v1/traces"
MOST, INFLATED = bodies.LARGER[PATH], 32 << 20
"""Bytes of a body as it comes, and inflated."""
OFF = "this server takes no spans: no store keeps traces"
GZIP = 16 + zlib.MAX_WBITS
FORMS = (otlp.PROTOBUF, otlp.JSON)
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            otlp.PROTOBUF: {"schema": {"type": "string", "format": "binary"}},
            otlp.JSON: {"schema": {"type": "object", "properties": {"resourceSpans": {"type": "array"}}}},
        },
    }
}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "they are on disk"},
    400: {"description": "no OTLP"},
    413: {"description": "too many bytes"},
    415: {"description": "another form, or another coding"},
    503: {"description": "nothing was taken; send it again"},
}


def router(parts: Parts) -> APIRouter:
    """Return the route, at its usual place."""
    found = APIRouter()

    async def take(request: Request) -> Response:
        """Take spans as OpenTelemetry's SDKs and Collectors send them."""
        form = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if form not in FORMS:
            raise HTTPException(415, f"spans come as {' or '.join(FORMS)}, not as {form[:100]!r}")
        try:
            coding = request.headers.get("content-encoding", "").strip().lower()
            return await run_in_threadpool(_take, parts, await bodies.whole(request, MOST), form, coding)
        except HTTPException as error:
            return _fault(error.status_code, str(error.detail), form, error.headers)

    found.post(PATH, name="send spans by OTLP", responses=ANSWERS, openapi_extra=BODY, response_class=Response)(take)
    return found


def _take(parts: Parts, body: bytes, form: str, coding: str) -> Response:
    if parts.take_spans is None:
        raise HTTPException(503, OFF)
    try:
        taken = otlp.decode(_inflated(body, coding), form, INFLATED)
        if taken.spans:
            parts.take_spans(taken.spans)
    except InputError as error:
        raise HTTPException(400, str(error)) from error
    except Unavailable as error:
        raise HTTPException(503, str(error), AGAIN) from error
    told = {"partialSuccess": {"rejectedSpans": taken.rejected, "errorMessage": taken.reason}} if taken.rejected else {}
    return Response(wire.text(told) if form == otlp.JSON else encode(told, RESPONSE), media_type=form)


def _inflated(body: bytes, coding: str) -> bytes:
    """Return a body as it was. Raise `HTTPException`: 413 for one that is too large, 415 for a coding that is not known."""
    if coding in ("", "identity"):
        return body
    if coding != "gzip":
        raise HTTPException(415, f"the body is coded as {coding[:40]!r}; gzip is known")
    machine = zlib.decompressobj(GZIP)
    try:
        found = machine.decompress(body, INFLATED + 1)
    except zlib.error as error:
        message = f"no gzip: {error}"
        raise InputError(message) from error
    if len(found) > INFLATED:
        raise HTTPException(413, f"the body has more than {INFLATED} bytes when it is inflated")
    if not machine.eof:
        message = "no gzip: it has no end"
        raise InputError(message)
    return found


def _fault(status: int, reason: str, form: str, headers: Any) -> Response:  # noqa: ANN401 a mapping, or None
    """Return a refusal, in the form of the request."""
    told = {"message": reason}
    body = wire.text(told) if form == otlp.JSON else encode(told, FAULT)
    return Response(body, status, headers, media_type=form)
