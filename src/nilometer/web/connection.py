"""One connection of the HTTP interface, in uvicorn.

Rules:

* A connection has `FIRST` seconds for its first request and lives for `LIFE` seconds at most; more than the bound at a time are
  answered 503. So a peer that never ends, or never reads, harms only itself.
* A head of more than `LONGEST_HEAD` bytes is refused. ``X-Forwarded-For`` and the like are not believed.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from starlette.types import ASGIApp

FIRST, LIFE = 10.0, 120.0
LONGEST_HEAD = 16 * 1024
logging.getLogger("uvicorn").setLevel(logging.WARNING)


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


def server(app: ASGIApp, most: int) -> uvicorn.Server:
    """Return a server of at most so many connections."""
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
        limit_concurrency=most,
        timeout_graceful_shutdown=1,
        h11_max_incomplete_event_size=LONGEST_HEAD,
    )
    return uvicorn.Server(config)


def serve(servers: Sequence[tuple[uvicorn.Server, list[socket.socket]]]) -> None:
    """Answer on all sockets, in one loop, until each server is told to exit."""

    async def together() -> None:
        await asyncio.gather(*(server.serve(sockets) for server, sockets in servers))

    asyncio.run(together())
