"""The route that tells how the server is doing, and what is wrong now."""

from __future__ import annotations

import time
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Response

from nilometer.ingest.aggregate import static_tags
from nilometer.web import models
from nilometer.web.ingest import counted, word
from nilometer.web.openapi import ok
from nilometer.web.reply import reply

if TYPE_CHECKING:
    from nilometer.core.settings import Settings
    from nilometer.ingest.listeners import Listener
    from nilometer.web.parts import Parts

STATSD = "statsd"


def router(parts: Parts) -> APIRouter:
    """Return the route."""
    found = APIRouter()

    @found.get("/status", responses=ok(models.Status))
    def status() -> Response:
        """How the server is doing: what is wrong now in words, listeners, sinks, spools, losses, totals."""
        return reply(_status(parts))

    return found


def _status(parts: Parts) -> dict[str, Any]:
    control = parts.control
    settings, history = control.settings(), parts.series()
    most, found = settings.spool.size, counted(control)
    spools = [
        {"sink": sink["name"], "items": sink["spool_items"], "bytes": sink["spool_bytes"], "most": most}
        for sink in found["sinks"]
    ]
    return {
        "version": version("nilometer"),
        "kernel": control.kernel,
        "time": round(time.time(), 3),
        "uptime": round(control.uptime, 3),
        "interval": float(settings.flush.interval),
        "flushed": control.written,
        "health": word(control),
        "problems": control.problems(),
        "history": None if history is None else str(history),
        "metrics": None if control.statsd is not None else _metrics(settings),
        "listeners": [_listener(listener) for listener in control.listeners()],
        "spools": spools,
    } | found


def _metrics(settings: Settings) -> str | None:
    if settings.self.names == STATSD:
        return None
    before = f"{settings.self.prefix}." if settings.self.prefix else ""
    return f"{before}*" + "".join(f";{name}={value}" for name, value in static_tags(settings))


def _listener(listener: Listener) -> dict[str, Any]:
    return {"url": str(listener.url), "addresses": listener.addresses, "buffer": min(listener.buffers, default=None)}
