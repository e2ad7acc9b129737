"""The HTTP interface at work: Starlette's application in uvicorn, its loop in a thread of its own, beside ingest.

Rules:

* A connection has `FIRST` seconds for its first request and lives for `LIFE` seconds at most; more than `MOST_CONNECTIONS` at a
  time are answered 503. So a peer that never ends, or never reads, harms only itself.
* A head of more than `LONGEST_HEAD` bytes is refused. ``X-Forwarded-For`` and the like are not believed.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount
from uvicorn.protocols.http.h11_impl import H11Protocol

from nilometer.ingest.sockets import addresses, shown, tcp_socket
from nilometer.web.errors import refused
from nilometer.web.guard import Guard

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp

    from nilometer.core.url import Url
    from nilometer.web.guard import Access

PORT = 8127
FIRST, LIFE = 10.0, 120.0
MOST_CONNECTIONS = 100
logging.getLogger("uvicorn").setLevel(logging.WARNING)
LONGEST_HEAD = 16 * 1024
PREFIX = "/api/v1"


def application(routes: Sequence[BaseRoute], access: Access) -> ASGIApp:
    """Return the application: the rooms' routes behind the guard."""
    return Starlette(
        routes=[Mount(PREFIX, routes=list(routes))],
        middleware=[Middleware(Guard, access)],
        exception_handlers={HTTPException: refused, Exception: refused},
    )


class Connection(H11Protocol):
    """A connection that ends in time."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own type
        """Begin to count the time."""
        super().connection_made(transport)
        self._timers = [self.loop.call_later(FIRST, self._hurry), self.loop.call_later(LIFE, transport.abort)]

    def _hurry(self) -> None:
        if self.cycle is None:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the time."""
        for timer in self._timers:
            timer.cancel()
        super().connection_lost(exc)


class WebServer:
    """Answers on the addresses of a URL."""

    def __init__(self, app: ASGIApp, url: Url) -> None:
        """Bind the addresses. Raise OSError."""
        port = PORT if url.port is None else url.port
        with contextlib.ExitStack() as opened:
            self._sockets = [opened.enter_context(tcp_socket(address, port)) for address in addresses(url)]
            opened.pop_all()
        self.names = [shown(sock.getsockname()) for sock in self._sockets]
        config = uvicorn.Config(
            app,
            http=Connection,
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_graceful_shutdown=1,
            h11_max_incomplete_event_size=LONGEST_HEAD,
        )
        self._server = uvicorn.Server(config)
        for sock in self._sockets:
            sock.listen(MOST_CONNECTIONS)
        self._thread = threading.Thread(target=self._run, name="nilometer-web", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def _run(self) -> None:
        self._server.run(sockets=self._sockets)

    def stop(self) -> None:
        """End the thread and close everything."""
        self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join()
        for sock in self._sockets:
            sock.close()
