"""The application: every room's routes behind the guard, one shape of error, its description as OpenAPI.

Rules:

* A room's file of routes has a function that takes `Parts` and returns a router; it stands in `API`, below ``/api/v1``, or in
  `ROOT`, with paths of its own.
* Nothing here is imported before something listens: FastAPI takes its time.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from nilometer.web import ingest, openapi
from nilometer.web.errors import refused
from nilometer.web.guard import Guard

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import APIRouter
    from starlette.types import ASGIApp

    from nilometer.web.access import Access
    from nilometer.web.parts import Parts

    Routes = Callable[[Parts], APIRouter]

PREFIX = "/api/v1"
API: tuple[Routes, ...] = (
    # one a line
    ingest.router,
)
"""What stands below `PREFIX`."""
ROOT: tuple[Routes, ...] = (
    # one a line
)
"""What has paths of its own."""


def application(parts: Parts, access: Access) -> ASGIApp:
    """Return the application."""
    app = FastAPI(
        title="Nilometer",
        version=version("nilometer"),
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[Middleware(Guard, access=access)],
        exception_handlers=dict.fromkeys((HTTPException, RequestValidationError, Exception), refused),
    )
    for room in API:
        app.include_router(room(parts), prefix=PREFIX)
    for room in ROOT:
        app.include_router(room(parts))
    openapi.describe(app)
    return app
