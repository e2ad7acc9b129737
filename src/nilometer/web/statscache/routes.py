"""The routes: which go to feeds, and which to pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from nilometer.web.statscache.feeds import Feeds
from nilometer.web.statscache.pages import Pages

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from nilometer.web.parts import Parts

START = "/web/getting-started"
FOR_GOOD = 308
METHODS = ["GET", "HEAD", "OPTIONS"]
BEFORE = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, HEAD",
    "access-control-allow-headers": "Accept, X-Requested-With",
    "access-control-max-age": "86400",
}
"""What a browser asks before it lets a script of another site read rows."""


def router(parts: Parts) -> APIRouter:
    """Return the routes over statistics."""
    found, feeds, pages = APIRouter(), Feeds(parts.statistics), Pages(parts.statistics)
    routes: dict[str, Callable[[Request], Response]] = {
        "/api": _to_index,
        "/api/": feeds.index,
        "/api/{ident}": feeds.rows,
        "/api/{ident}/layout": feeds.layout,
        "/web": _to_start,
        "/web/": _to_start,
        START: pages.getting_started,
        "/web/reference": pages.reference,
        "/web/dashboard": pages.dashboard,
        "/web/dashboard/{ident}": pages.statistic,
    }
    for path, answer in routes.items():
        found.add_route(path, _or_methods(answer), METHODS, include_in_schema=False)
    return found


def front() -> APIRouter:
    """Return what stands at ``/`` of a server that has nothing but statistics."""
    found = APIRouter()
    found.add_route("/", _or_methods(_to_start), METHODS, include_in_schema=False)
    return found


def _or_methods(answer: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """Return a route that, asked by OPTIONS, tells its methods; and other sites, which ask before they read, what they may."""

    def answered(request: Request) -> Response:
        if request.method != "OPTIONS":
            return answer(request)
        return Response(headers={"allow": ", ".join(METHODS), **BEFORE})

    return answered


def _to_start(_: Request) -> RedirectResponse:
    return RedirectResponse(START, 302)


def _to_index(request: Request) -> RedirectResponse:
    query = request.url.query
    return RedirectResponse("/api/" + (f"?{query}" if query else ""), FOR_GOOD)
