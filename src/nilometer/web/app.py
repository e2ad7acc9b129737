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
from starlette.middleware.cors import CORSMiddleware

from nilometer.web import (
    events,
    events_in,
    graphite,
    ingest,
    live,
    openapi,
    otlp,
    page,
    prometheus,
    series,
    statistics,
    statscache,
    status,
    traces,
    traces_in,
    usage,
)
from nilometer.web.bodies import Bounded
from nilometer.web.errors import refused
from nilometer.web.guard import Guard
from nilometer.web.headers import SecurityHeaders

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
    status.router,
    series.router,
    events.router,
    live.router,
    events_in.router,
    usage.router,
    traces.router,
    traces_in.router,
    statistics.router,
)
"""What stands below `PREFIX`."""
ROOT: tuple[Routes, ...] = (
    # one a line
    graphite.router,
    otlp.router,
    prometheus.router,
    statscache.router,
)
"""What has paths of its own, besides the page."""


def application(parts: Parts, access: Access) -> ASGIApp:
    """Return the application; that of statistics alone has statscache's pages in front, not the page."""
    front = statscache.front() if parts.alone else page.router(parts)
    app = FastAPI(
        title="Nilometer",
        description="What a Nilometer server takes in, keeps, loses and sends on.",
        version=version("nilometer"),
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name.replace(" ", "_"),
        redirect_slashes=False,
        middleware=[Middleware(Bounded)],
        exception_handlers=dict.fromkeys((HTTPException, RequestValidationError, Exception), refused),
    )
    app.state.routers = [*((PREFIX, room(parts)) for room in API), *(("", room(parts)) for room in ROOT), ("", front)]
    for prefix, router in app.state.routers:
        app.include_router(router, prefix=prefix)
    openapi.describe(app)
    return SecurityHeaders(_for_other_sites(Guard(app, access), access))


def _for_other_sites(app: ASGIApp, access: Access) -> ASGIApp:
    """Let pages of the sites that the settings name read answers; without such, no other site's page can.

    But the rows that statscache served: they say so themselves.
    """
    if not access.origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=sorted(access.origins),
        allow_methods=("GET", "HEAD", "POST", "PUT", "DELETE"),
        allow_headers=("Authorization", "Content-Type"),
        expose_headers=("Retry-After", "Link", "X-Link-Number", "X-Link-Count"),
        allow_private_network=True,
    )
