"""Routes of the room ``ingest``: series, health, settings, who talks most."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Route

from nilometer.core import toml
from nilometer.core.record import Kind
from nilometer.core.settings import TABLE
from nilometer.ingest.admin.control import bound
from nilometer.web.reply import reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from nilometer.ingest.admin.control import Control

MOST_BODY = 1024
MOST_TOP = 100
USUAL, USUAL_TOP = 100, 10
LONGEST_GLOB = 1000
UP, DOWN = "up", "down"


def routes(control: Control) -> list[Route]:
    """Return the routes over what may be asked of a server."""
    asked = _Ingest(control)
    found = [
        Route("/stats", asked.stats),
        Route("/health", asked.health),
        Route("/health", asked.set_health, methods=["PUT"]),
        Route("/config", asked.config),
        Route("/top", asked.top),
    ]
    for kind in Kind:
        found += [
            Route(f"/{kind}s", asked.series(kind)),
            Route(f"/{kind}s/{{name:path}}", asked.delete(kind), methods=["DELETE"]),
        ]
    return found


class _Ingest:
    """The handlers. Those that are not coroutines run in threads, so that a large answer holds nobody up."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def stats(self, request: Request) -> Response:
        """``GET /stats``: totals since the start, losses, sinks, servers that packets are forwarded to."""
        del request
        control = self._control
        return reply(
            {
                "uptime": round(control.uptime, 3),
                "health": self._word(),
                "totals": dataclasses.asdict(control.totals()),
                "connections": control.connections(),
                "losses": control.losses(),
                "sinks": [dataclasses.asdict(status) for status in control.sinks()],
                "relay": [status._asdict() for status in control.relay()],
            }
        )

    def series(self, kind: Kind) -> Callable[[Request], Response]:
        """``GET /counters`` and the like: series of the open window; ``match`` is a glob over keys, ``limit`` how many."""

        def answer(request: Request) -> Response:
            glob = request.query_params.get("match", "*")
            if len(glob) > LONGEST_GLOB:
                raise HTTPException(400, f"match has more than {LONGEST_GLOB} characters")
            return reply(self._control.series(kind, glob, _limit(request, USUAL, bound(kind))))

        return answer

    def delete(self, kind: Kind) -> Callable[[Request], Response]:
        """``DELETE /counters/NAME`` and the like: one series, or ``folder.*``."""

        def answer(request: Request) -> Response:
            name = request.path_params["name"]
            deleted = self._control.delete(kind, name)
            if not deleted:
                raise HTTPException(404, f"there is no {kind} {name!r}; a whole name or folder.* is expected")
            return reply({"kind": kind, "deleted": deleted})

        return answer

    def _word(self) -> str:
        return UP if self._control.healthy else DOWN

    def health(self, request: Request) -> Response:
        """``GET /health``: 200 while it is up, 503 while somebody has said that it is down."""
        del request
        return reply({"health": self._word()}, 200 if self._control.healthy else 503)

    async def set_health(self, request: Request) -> Response:
        """``PUT /health``: say something else, ``{"health": "down"}``."""
        wanted = _json(await _body(request))
        if not isinstance(wanted, dict) or wanted.get("health") not in (UP, DOWN):
            raise HTTPException(400, 'expected {"health": "up"} or {"health": "down"}')
        self._control.set_health(healthy=wanted["health"] == UP)
        return reply({"health": self._word()})

    def config(self, request: Request) -> Response:
        """``GET /config``: every setting in force, as TOML writes it, with its origin; secrets in URLs are masked."""
        del request
        settings = self._control.settings()
        told = {each.name: (toml.literal(settings.value(each.name)), settings.origin(each.name)) for each in TABLE}
        return reply({"settings": {name: {"value": value, "origin": origin} for name, (value, origin) in told.items()}})

    def top(self, request: Request) -> Response:
        """``GET /top``: the busiest names and sources, and what is refused."""
        top = self._control.top(_limit(request, USUAL_TOP, MOST_TOP))
        return reply(
            {
                "names": [name._asdict() for name in top.names],
                "sources": [source._asdict() for source in top.sources],
                "refused": [refused._asdict() for refused in top.refused],
            }
        )


def _limit(request: Request, usual: int, most: int) -> int:
    text = request.query_params.get("limit", str(min(usual, most)))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):  # noqa: PLR2004 digits of a number
        raise HTTPException(400, f"limit is not a number from 1 to {most}")
    return int(text)


async def _body(request: Request) -> bytes:
    body = b""
    try:
        async for part in request.stream():
            body += part
            if len(body) > MOST_BODY:
                raise HTTPException(413, f"the body has more than {MOST_BODY} bytes")
    except ClientDisconnect as error:
        raise HTTPException(400, "the body has no end") from error
    return body


def _json(body: bytes) -> Any:  # noqa: ANN401 whatever JSON can hold
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
