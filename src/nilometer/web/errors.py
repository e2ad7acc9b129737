"""The one shape of an error over HTTP: ``{"error": {"code": "not_found", "message": "what is wrong, and the cure"}}``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from nilometer.web.reply import reply

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

CODES = {400: "bad_request", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"}
CODES |= {413: "too_large", 429: "too_many", 500: "internal", 501: "not_implemented", 503: "unavailable", 504: "timeout"}


def failure(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """Return an error."""
    return reply({"error": {"code": CODES.get(status, "error"), "message": message}}, status, headers)


async def refused(request: Request, error: Exception) -> Response:
    """Return what a handler, the check of its parameters, or the router refused."""
    if isinstance(error, RequestValidationError):
        return failure(400, "; ".join(_fault(each["loc"], each["msg"]) for each in error.errors()))
    if not isinstance(error, HTTPException):
        return failure(500, "a fault of the server; its log tells more")
    message = error.detail
    if error.status_code in (404, 405) and message in ("Not Found", "Method Not Allowed"):
        message = f"{request.method} {request.url.path}: there is no such thing here; see docs/reference/http.md"
    return failure(error.status_code, message, dict(error.headers or {}))


def _fault(place: tuple[str | int, ...], message: str) -> str:
    """Return what is wrong with one parameter, by its name."""
    name = ".".join(map(str, place[1:])) or "the body"
    return f"{name}: {message.removeprefix('Value error, ')}"
