"""What can go wrong, in the words and with the bodies of MagnetoDB: ``{"code", "title", "explanation", "error": {…}}``.

The class's name is the ``type`` that a client reads.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI, Request

LOG = logging.getLogger(__name__)
BAD = "The server could not comply with the request since it is either malformed or otherwise incorrect."
TITLES = {
    400: ("Bad Request", BAD),
    404: ("Not Found", "The resource could not be found."),
    405: ("Method Not Allowed", BAD),
    500: (
        "Internal Server Error",
        "The server has either erred or is incapable of performing the requested operation.",
    ),
    503: ("Service Unavailable", "The server is currently unavailable. Please try again at a later time."),
}
"""Title and explanation of each status code, as MagnetoDB gives them."""


class Fault(Exception):
    """Something that the client is told about."""

    status = 500


class ValidationError(Fault):
    """The request says something that cannot be."""

    status = 400


class TableNotExistsException(Fault):
    """There is no table of that name in the project."""

    status = 404


class TableAlreadyExistsException(Fault):
    """There is a table of that name already."""

    status = 400


class ResourceInUseException(Fault):
    """The table is being created or deleted."""

    status = 400


class ConditionalCheckFailedException(Fault):
    """The item is not as the request expected it."""

    status = 400

    def __init__(self) -> None:
        super().__init__("The conditional request failed")


class BackendInteractionException(Fault):
    """The storage failed at this request; another may succeed."""


class ServiceUnavailable(Fault):
    """The storage is away."""

    status = 503


def answer(status: int, name: str, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return the body that tells of an error."""
    title, explanation = TITLES.get(status, (name, message))
    error = {"message": message, "type": name, "traceback": None}
    body = {"code": status, "title": title, "explanation": explanation, "error": error}
    return JSONResponse(body, status, headers)


def install(app: FastAPI) -> None:
    """Have every error answered in that shape."""

    @app.exception_handler(Fault)
    def fault(_: Request, error: Fault) -> JSONResponse:
        return answer(error.status, type(error).__name__, str(error))

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return answer(400, ValidationError.__name__, _told(error))

    @app.exception_handler(HTTPException)
    def unknown(_: Request, error: HTTPException) -> JSONResponse:
        return answer(error.status_code, f"HTTP{error.status_code}", str(error.detail), error.headers)

    @app.exception_handler(OperationalError)
    @app.exception_handler(InterfaceError)
    @app.exception_handler(PoolTimeout)
    def away(_: Request, error: Exception) -> JSONResponse:
        LOG.warning("the storage is away: %s", error)
        return answer(503, ServiceUnavailable.__name__, "the storage is away")

    @app.exception_handler(Exception)
    def failed(_: Request, error: Exception) -> JSONResponse:
        return answer(500, type(error).__name__, "internal error")


def _told(error: RequestValidationError) -> str:
    """Return where the first thing stands that is wrong, and why it is."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}"
