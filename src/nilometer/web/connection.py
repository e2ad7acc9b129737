"""The connections of the HTTP interface, in uvicorn.

Rules:

* A connection has `FIRST` seconds to agree on TLS, as many for its first request, and lives for `LIFE` seconds at most, one
  that follows a stream for as long as it reads; more than the bound at a time are answered 503. So a peer that never ends, or
  never reads, harms only itself.
* A head of more than `LONGEST_HEAD` bytes is refused. ``X-Forwarded-For`` and the like are not believed.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, NamedTuple

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Sequence

    from starlette.types import ASGIApp

FIRST, LIFE = 10.0, 120.0
LASTING = "lasting"
"""What a route sets in the request's state when its answer is a stream that may last."""
LONGEST_HEAD = 16 * 1024
logging.getLogger("uvicorn").setLevel(logging.ERROR)  # warnings are about what peers send: any could fill the log


class Listening(NamedTuple):
    """A bound socket, and the TLS on it, if any."""

    socket: socket.socket
    tls: ssl.SSLContext | None = None


class Connection(H11Protocol):
    """A connection that ends in time."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own type
        """Begin to count the time."""
        super().connection_made(transport)
        self._timers = [self.loop.call_later(FIRST, self._hurry), self.loop.call_later(LIFE, self._end)]

    def _hurry(self) -> None:
        if self.cycle is None:
            self.transport.abort()

    def _end(self) -> None:
        """End the connection, or look again later when it follows a stream and has read all of it so far."""
        lasting = self.cycle is not None and self.cycle.scope["state"].get(LASTING, False)
        if lasting and not self.transport.get_write_buffer_size():
            self._timers[-1] = self.loop.call_later(LIFE, self._end)
        else:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the time."""
        for timer in self._timers:
            timer.cancel()
        super().connection_lost(exc)


class Server(uvicorn.Server):
    """uvicorn on sockets of which each may have a TLS of its own."""

    def __init__(self, app: ASGIApp, listening: Sequence[Listening], most: int) -> None:
        self._listening = listening
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
        super().__init__(config)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept; uvicorn's own way knows one TLS for all, and a handshake of a minute."""
        del sockets
        loop = asyncio.get_running_loop()

        def connection() -> Connection:
            return Connection(config=self.config, server_state=self.server_state, app_state={})

        self.servers = [
            await loop.create_server(
                connection,
                sock=each.socket,
                ssl=each.tls,
                ssl_handshake_timeout=FIRST if each.tls else None,
                backlog=self.config.limit_concurrency or 1,
            )
            for each in self._listening
        ]
        self.started = True
