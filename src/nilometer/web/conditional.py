"""Answers that whoever has them already need not be sent again.

Rules:

* The tag of an answer is made of its bytes: what did not change keeps it, whatever happened beside it.
* Only who asked may keep an answer, and asks each time whether it is still right.

Source: RFC 9110, 8.8.3 (ETag), 13.1.2 (If-None-Match); RFC 9111, 5.2.2.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

KEPT = {"cache-control": "private, no-cache", "vary": "authorization"}
DIGITS = 32


def answer(request: Request, body: bytes, media_type: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer with its tag: 200, or 304 for who has it."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:DIGITS]}"'
    told = KEPT | dict(headers or {}) | {"etag": tag}
    if matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=told)
    return Response(body, headers=told, media_type=media_type)


def matches(given: str, tag: str) -> bool:
    """Return whether a tag is among those that are given: compared weakly, as is right for GET."""
    return given.strip() == "*" or tag in (each.strip().removeprefix("W/") for each in given.split(","))
