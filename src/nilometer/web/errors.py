"""The one shape of an error over HTTP: ``{"error": {"code": "not_found", "message": "what is wrong, and the cure"}}``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from nilometer.web.reply import reply

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

CODES = {400: "bad_request", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"}
CODES |= {413: "too_large", 500: "internal", 503: "unavailable"}


def failure(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """Return an error."""
    return reply({"error": {"code": CODES.get(status, "error"), "message": message}}, status, headers)


async def refused(request: Request, error: Exception) -> Response:
    """Return what a handler, or the router, refused."""
    if not isinstance(error, HTTPException):
        return failure(500, "a fault of the server; its log tells more")
    message = error.detail
    if error.status_code in (404, 405) and message in ("Not Found", "Method Not Allowed"):
        message = f"{request.method} {request.url.path}: there is no such thing here; see docs/reference/admin.md"
    return failure(error.status_code, message, dict(error.headers or {}))
