"""Routes of the room ``ingest``: series of the open window, health, settings, who talks most."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response

from nilometer.core import toml
from nilometer.core.record import Kind
from nilometer.core.settings import TABLE
from nilometer.ingest.admin.control import MOST_LISTED, MOST_SERIES, bound
from nilometer.web import models
from nilometer.web.bodies import whole
from nilometer.web.openapi import ERROR, Answers, ok
from nilometer.web.parameters import DIGITS, Glob
from nilometer.web.reply import reply
from nilometer.web.statistics import told

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.ingest.admin.control import Control
    from nilometer.web.parts import Parts

MOST_BODY = 1024
MOST_TOP = 100
UP, DOWN = "up", "down"
WORD = {"type": "string", "enum": [UP, DOWN]}
HEALTH = {"type": "object", "required": ["health"], "properties": {"health": WORD}, "additionalProperties": False}
BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": HEALTH}}}}


def router(parts: Parts) -> APIRouter:
    """Return the routes over what may be asked of a server."""
    found, asked = APIRouter(), _Ingest(parts.control)
    found.get("/stats", responses=ok(models.Stats))(asked.stats)
    found.get("/health", responses=ok(models.Health) | {503: {"model": models.Health, "description": "down"}})(asked.health)
    large: Answers = {413: {"description": "the body is too long", **ERROR}}
    found.put("/health", responses=ok(models.Health) | large, openapi_extra=BODY)(asked.set_health)
    found.get("/config", responses=ok(models.Config))(asked.config)
    found.get("/top", responses=ok(models.Top))(asked.top)
    none: Answers = {404: {"description": "there is none", **ERROR}}
    for kind in Kind:
        of_kind = asked.listed(kind) if bound(kind) == MOST_LISTED else asked.plain(kind)
        found.get(f"/{kind}s", name=f"{kind}s", responses=ok(models.Found))(of_kind)
        delete = found.delete(f"/{kind}s/{{name:path}}", name=f"delete {kind}s", responses=ok(models.Deleted) | none)
        delete(asked.delete(kind))
    return found


def word(control: Control) -> str:
    """Return what is said about the server's health."""
    return UP if control.healthy else DOWN


def counted(control: Control) -> dict[str, Any]:
    """Return what was counted since the start, for JSON."""
    statistics = control.statistics()
    return {
        "totals": dataclasses.asdict(control.totals()),
        "connections": control.connections(),
        "losses": control.losses(),
        "sinks": [dataclasses.asdict(status) for status in control.sinks()],
        "relay": [status._asdict() for status in control.relay()],
        "events": dataclasses.asdict(control.events()),
        "statistics": None if statistics is None else told.of_status(statistics),
        "traces": dataclasses.asdict(control.traces()),
    }


class _Ingest:
    """The handlers. Those that are not coroutines run in threads, so that a large answer holds nobody up."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def stats(self) -> Response:
        """Totals since the start, losses, sinks, servers that packets are forwarded to."""
        return reply({"uptime": round(self._control.uptime, 3), "health": word(self._control)} | counted(self._control))

    def plain(self, kind: Kind) -> Callable[..., Response]:
        """Counters or gauges."""

        def series(match: Glob = "*", limit: Annotated[int, Query(ge=1, le=MOST_SERIES), DIGITS] = 100) -> Response:
            """Series of the open window whose keys fit."""
            return reply(self._control.series(kind, match, limit))

        return series

    def listed(self, kind: Kind) -> Callable[..., Response]:
        """Timers or sets, each with its samples or members."""

        def series(match: Glob = "*", limit: Annotated[int, Query(ge=1, le=MOST_LISTED), DIGITS] = 100) -> Response:
            """Series of the open window whose keys fit, with samples or members."""
            return reply(self._control.series(kind, match, limit))

        return series

    def delete(self, kind: Kind) -> Callable[..., Response]:
        """One series, or ``folder.*``."""

        def delete(name: Annotated[str, Path(description="a whole key, or `folder.*`")]) -> Response:
            """Delete one series, or all of a folder."""
            deleted = self._control.delete(kind, name)
            if not deleted:
                raise HTTPException(404, f"there is no {kind} {name!r}; a whole name or folder.* is expected")
            return reply({"kind": kind, "deleted": deleted})

        return delete

    def health(self) -> Response:
        """Tell what is said about the server's health: 200 while it is up, 503 while somebody has said that it is down."""
        return reply({"health": word(self._control)}, 200 if self._control.healthy else 503)

    async def set_health(self, request: Request) -> Response:
        """Say something else about the server's health."""
        wanted = _json(await whole(request, MOST_BODY))
        if wanted not in ({"health": UP}, {"health": DOWN}):
            raise HTTPException(400, 'expected {"health": "up"} or {"health": "down"}')
        self._control.set_health(healthy=wanted["health"] == UP)
        return reply({"health": word(self._control)})

    def config(self) -> Response:
        """Tell every setting in force, as TOML writes it, with its origin; secrets in URLs are masked."""
        settings = self._control.settings()
        told = {each.name: (toml.literal(settings.value(each.name)), settings.origin(each.name)) for each in TABLE}
        return reply({"settings": {name: {"value": value, "origin": origin} for name, (value, origin) in told.items()}})

    def top(self, limit: Annotated[int, Query(ge=1, le=MOST_TOP), DIGITS] = 10) -> Response:
        """Tell the busiest names and sources, and what is refused."""
        top = self._control.top(limit)
        return reply(
            {
                "names": [name._asdict() for name in top.names],
                "sources": [source._asdict() for source in top.sources],
                "refused": [refused._asdict() for refused in top.refused],
            }
        )


def _json(body: bytes) -> Any:  # noqa: ANN401 whatever JSON can hold
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
