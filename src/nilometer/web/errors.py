"""The one shape of an error over HTTP: ``{"error": {"code": "not_found", "message": "what is wrong, and the cure"}}``."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from nilometer.core.errors import NilometerError
from nilometer.web.reading import status as status_of
from nilometer.web.reply import reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.responses import Response

CODES = {400: "bad_request", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"}
CODES |= {
    413: "too_large",
    415: "unsupported_media_type",
    429: "too_many",
    500: "internal",
    501: "not_implemented",
    503: "unavailable",
    504: "timeout",
}
METHOD_NOT_ALLOWED = 405


def failure(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """Return an error."""
    return reply({"error": {"code": CODES.get(status, "error"), "message": message}}, status, headers)


@contextmanager
def answering() -> Iterator[None]:
    """Have an error of what is asked within answered with the status that says its kind. Raise `HTTPException`."""
    try:
        yield
    except NilometerError as error:
        raise HTTPException(status_of(error), str(error)) from error


async def refused(request: Request, error: Exception) -> Response:
    """Return what a handler, the check of its parameters, or the router refused."""
    if isinstance(error, RequestValidationError):
        return failure(400, "; ".join(_fault(each["loc"], each["msg"]) for each in error.errors()))
    if not isinstance(error, HTTPException):
        return failure(500, "a fault of the server; its log tells more")
    message, headers = error.detail, {name.lower(): value for name, value in (error.headers or {}).items()}
    if error.status_code == METHOD_NOT_ALLOWED:
        headers["allow"] = ", ".join(sorted(_methods(request)))
    if error.status_code in (404, 405) and message in ("Not Found", "Method Not Allowed"):
        message = f"{request.method} {request.url.path}: there is no such thing here; see docs/reference/http.md"
    return failure(error.status_code, message, headers)


def _methods(request: Request) -> set[str]:
    """Return the methods of all routes of the path that fits first; the router itself looks no further than one route."""
    found, first, path = set[str](), "", str(request.scope["path"])
    for prefix, router in request.app.state.routers:
        if path.startswith(prefix):
            scope = {
                "type": "http",
                "method": request.method,
                "path": path.removeprefix(prefix),
                "root_path": "",
                "headers": [],
            }
            for route in router.routes:
                if route.matches(scope)[0] is not Match.NONE and first in ("", prefix + route.path):
                    first = prefix + route.path
                    found.update(getattr(route, "methods", None) or ())
    return found


def _fault(place: tuple[str | int, ...], message: str) -> str:
    """Return what is wrong with one parameter, by its name."""
    name = ".".join(map(str, place[1:])) or "the body"
    return f"{name}: {message.removeprefix('Value error, ')}"
