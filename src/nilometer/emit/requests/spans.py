"""A span of each request, beside its metrics: from the same measurements, named after the endpoint.

The caller's headers say which trace it belongs to (`emit.tracer.headers`). Within the application the span is current; it ends
with the body. A request that failed (500 or above, or an exception) is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.core.wire import trace_info, traceparent
from nilometer.emit.tracer.context import current

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nilometer.emit.requests.measure import Exchange
    from nilometer.emit.requests.options import Subject
    from nilometer.emit.tracer import Active, Tracer

NAMES = (traceparent.PARENT, traceparent.STATE, trace_info.INFO.lower(), trace_info.SIGNATURE.lower())
IN_WSGI = {f"HTTP_{name.upper().replace('-', '_')}": name for name in NAMES}
IN_ASGI = {name.encode(): name for name in NAMES}
FAILURE = 500


def of_wsgi(tracer: Tracer, environ: Subject) -> Active:
    """Begin the span of a request."""
    told = {name: environ[key] for key, name in IN_WSGI.items() if key in environ}
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    query, scheme = environ.get("QUERY_STRING", ""), environ.get("wsgi.url_scheme", "")
    return _begun(tracer, told, environ.get("REQUEST_METHOD", ""), (path, query, scheme))


def of_asgi(tracer: Tracer, scope: Subject) -> Active:
    """Begin the span of a request."""
    told = {IN_ASGI[name]: value.decode("latin-1") for name, value in scope["headers"] if name in IN_ASGI}
    where = scope.get("path", ""), scope.get("query_string", b"").decode("latin-1"), scope.get("scheme", "")
    return _begun(tracer, told, scope.get("method", ""), where)


def _begun(tracer: Tracer, headers: Mapping[str, str], method: str, where: tuple[str, str, str]) -> Active:
    current.set(tracer.caller(headers) if headers else None)
    path, query, scheme = where
    span = tracer.span(method, "server")
    span.update(
        {"http.request.method": method, "url.path": path, "url.scheme": scheme} | ({"url.query": query} if query else {})
    )
    return span.start()


def ended(span: Active, exchange: Exchange, endpoint: str, status: int, *, sent: bool) -> None:
    """End the span of a request; one that is not `sent`, for its endpoint is left out, is dropped."""
    span.name = f"{exchange.method} {endpoint}".strip()
    span.update({"http.route": endpoint, "http.response.status_code": status})
    if status >= FAILURE:
        span.fail("exception" if exchange.exception else str(status))
    span.sampled = span.sampled and sent
    span.end()
    current.set(None)
