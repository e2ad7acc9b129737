"""Request metrics for ASGI: a middleware that measures every request to an application, to its real end.

    application = RequestMetrics(application, client="statsd://127.0.0.1:8125")
    app.add_middleware(RequestMetrics, client="statsd://127.0.0.1:8125")        # Starlette and FastAPI

Rules:

* Application and server exchange the same messages in the same order, and the same exceptions, as without it. What it keeps of
  a request belongs to that request alone.
* A request is over when the server has taken the last part of the response; tasks in the background come after it. It is told
  of once: then, or when the application has returned, if it answered 500 or above or nothing whole.
* WebSockets pass through, not measured; so does lifespan, at whose end the client sends what it still holds.

Protocol: https://asgi.readthedocs.io/en/latest/specs/www.html
"""

from __future__ import annotations

from asyncio import get_running_loop
from time import perf_counter, time
from typing import TYPE_CHECKING, Any

from nilometer.emit.requests import spans, waits
from nilometer.emit.requests.asgi_scope import RoutedScope
from nilometer.emit.requests.asgi_traffic import Traffic
from nilometer.emit.requests.asgi_watch import Patience
from nilometer.emit.requests.endpoints import current
from nilometer.emit.requests.frameworks import starlette
from nilometer.emit.requests.measure import Exchange, announced
from nilometer.emit.requests.options import Options
from nilometer.emit.requests.report import Reporter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from nilometer.emit.requests.asgi_traffic import Receive, Send
    from nilometer.emit.requests.options import Subject

    Application = Callable[[Any, Any, Any], Awaitable[None]]

WAITS = (b"x-request-start", b"x-queue-start")
READ = frozenset({b"content-length", b"transfer-encoding", *WAITS})
"""The headers that are looked at."""
BODILESS = frozenset({"GET", "HEAD"})
"""Methods that have no body unless they announce one."""


class RequestMetrics:
    """An ASGI application that measures another. `options`, or its fields by name, say what and how.

    Raise `ValueError` for a wrong option.
    """

    app: Application
    reporter: Reporter
    _patience: Patience | None
    if TYPE_CHECKING:  # as the type of Starlette's `add_middleware` wants it; others give `app` by its name

        def __init__(self, app: Application, /, options: Options | None = None, **fields: Any) -> None: ...  # noqa: ANN401

    else:

        def __init__(self, app: Application, options: Options | None = None, **fields: Any) -> None:  # noqa: ANN401
            self.app = app
            self.reporter = Reporter(options or Options(**fields), starlette.find)
            self._patience = None

    async def __call__(self, scope: Subject, receive: Receive, send: Send) -> None:
        """Answer a request as the application does."""
        if scope["type"] == "http":
            traffic = self._begun(scope, receive, send)
            if traffic is not None:
                return await self._measured(traffic)
        elif scope["type"] == "lifespan":
            return await self._lived(scope, receive, send)
        return await self.app(scope, receive, send)

    async def _measured(self, traffic: Traffic) -> None:
        token = current.set(traffic.exchange)
        try:
            await self.app(traffic.scope, traffic.receive, traffic.send)
        except BaseException as error:
            traffic.raised(error)
            raise
        finally:
            current.reset(token)
            traffic.end()

    async def _lived(self, scope: Subject, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        finally:
            self.reporter.flush()

    def _begun(self, scope: Subject, receive: Receive, send: Send) -> Traffic | None:
        """Return what measures the request, None when it is not drawn."""
        reporter = self.reporter
        try:
            if not reporter.wanted(scope["path"]):
                return None
            found = {name: value.decode("latin-1") for name, value in scope["headers"] if name in READ}
            expected = announced(found.get(b"content-length")) if found else None
            queued = _queued(found, reporter.options.longest_wait) if found and reporter.waits else None
            method = scope["method"]
            exchange = Exchange(perf_counter(), method, expected, queued)
            if reporter.options.tracer is not None:
                exchange.span = spans.of_asgi(reporter.options.tracer, scope)
            traffic = Traffic(exchange, RoutedScope(scope, exchange), receive, send, reporter)
            traffic.bodiless = not expected and method in BODILESS and b"transfer-encoding" not in found
            self._look_after(traffic)
        except Exception as error:  # noqa: BLE001 the request goes on without us
            reporter.fault("begin", error)
            return None
        return traffic

    def _look_after(self, traffic: Traffic) -> None:
        """Have the client of a slow answer watched, under asyncio."""
        try:
            loop = get_running_loop()
        except RuntimeError:
            return
        traffic.watchable, patience = True, self._patience
        if patience is None or patience.loop is not loop:
            patience = self._patience = Patience(loop)
        patience.add(traffic.exchange.entered, traffic.look)


def _queued(headers: Mapping[bytes, str], longest: float) -> float | None:
    """Return the seconds that a request waited, from the headers of proxies."""
    return waits.told(map(headers.get, WAITS), time(), longest)
