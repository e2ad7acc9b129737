"""A span of a request to another service: what its URL says, the headers that carry the trace on, the status."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from nilometer.emit.tracer import Active, Tracer

FAILURE = 400


def begun(tracer: Tracer, method: str, url: str) -> Active:
    """Return the span of a request, not yet begun."""
    parts = urlsplit(url)
    told = {
        "http.request.method": method,
        "url.scheme": parts.scheme,
        "server.address": parts.hostname or "",
        "url.path": parts.path,
        "url.query": parts.query,
        "server.port": _port(parts.netloc),
    }
    return tracer.span(method, "client").update({name: value for name, value in told.items() if value})


def _port(place: str) -> int:
    found = place.rpartition(":")[2]
    return int(found) if found.isascii() and found.isdigit() and len(found) < 6 else 0  # noqa: PLR2004 digits of a port


def carry(tracer: Tracer, headers: MutableMapping[str, str]) -> None:
    """Put the trace's headers into those of a request."""
    for name, value in tracer.headers().items():
        headers[name] = value


def answered(span: Active, status: int) -> None:
    """Note the status of an answer."""
    span.update({"http.response.status_code": status})
    if status >= FAILURE:
        span.fail(str(status))
