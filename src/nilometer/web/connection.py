"""The connections of the HTTP interface, in uvicorn.

Rules:

* A connection has `FIRST` seconds to agree on TLS, as many for its first request, and lives for `LIFE` seconds at most, one
  that follows a stream for as long as it reads and may; more than the bound at a time are answered 503. So a peer that never
  ends, or never reads, harms only itself.
* A head of more than `LONGEST_HEAD` bytes is refused. ``X-Forwarded-For`` and the like are not believed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, NamedTuple

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from nilometer.web.errors import failure

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

FIRST, LIFE, LINGER = 10.0, 120.0, 2.0
LASTING, ALLOWED = "lasting", "allowed"
"""In a request's state: a route sets the first when its answer is a stream that may last, the guard the second, a function that
says whether who asked still may."""
LONGEST_HEAD = 64 * 1024
PIECE = 4096
logging.getLogger("uvicorn").setLevel(logging.ERROR)  # warnings are about what peers send: any could fill the log


class Listening(NamedTuple):
    """A bound socket, and the TLS on it, if any."""

    socket: socket.socket
    tls: ssl.SSLContext | None = None


async def _busy(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer who comes while all connections are taken."""
    await failure(503, "too many connections at a time", {"connection": "close", "retry-after": "1"})(scope, receive, send)


class Connection(H11Protocol):
    """A connection that ends in time. `most`: how many there may be at a time."""

    most: int
    _deaf = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own type
        """Begin to count the time."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            self.app = _busy
        self._timers = [self.loop.call_later(LIFE, self._end), self.loop.call_later(FIRST, self._hurry)]

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, in the shape of every error."""
        del msg
        answer = failure(
            400, f"this is no HTTP request, or its head has more than {LONGEST_HEAD} bytes", {"connection": "close"}
        )
        head = h11.Response(status_code=400, headers=answer.raw_headers, reason=b"Bad Request")
        with contextlib.suppress(h11.LocalProtocolError):  # an answer has begun already
            for part in (head, h11.Data(data=bytes(answer.body)), h11.EndOfMessage()):
                self.transport.write(self.conn.send(part) or b"")
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._deaf = True
        self._timers.append(self.loop.call_later(LINGER, self.transport.close))

    def data_received(self, data: bytes) -> None:
        """Take what came; after a refusal the rest is let go by, else the peer would miss why.

        It is taken by pieces: h11 looks how long a head is only when it has not all of it.
        """
        for start in range(0, len(data), PIECE):
            if not self._deaf:
                super().data_received(data[start : start + PIECE])

    def _hurry(self) -> None:
        if self.cycle is None:
            self.transport.abort()

    def _end(self) -> None:
        """End the connection, or look again later when it follows a stream and has read all of it so far."""
        state = self.cycle.scope["state"] if self.cycle is not None else {}
        lasts = state.get(LASTING, False) and state.get(ALLOWED, lambda: True)()
        if lasts and not self.transport.get_write_buffer_size():
            self._timers[0] = self.loop.call_later(LIFE, self._end)
        else:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the time."""
        for timer in self._timers:
            timer.cancel()
        super().connection_lost(exc)


class Server(uvicorn.Server):
    """uvicorn on sockets of which each may have a TLS of its own. `loop`: where it runs, None before it does."""

    loop: asyncio.AbstractEventLoop | None = None

    def __init__(self, app: ASGIApp, listening: Sequence[Listening], most: int) -> None:
        self._listening, self._most = listening, most
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
            timeout_graceful_shutdown=1,
            h11_max_incomplete_event_size=LONGEST_HEAD,
        )
        super().__init__(config)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept; uvicorn's own way knows one TLS for all, and a handshake of a minute."""
        del sockets
        loop = self.loop = asyncio.get_running_loop()

        def connection() -> Connection:
            made = Connection(config=self.config, server_state=self.server_state, app_state={})
            made.most = self._most
            return made

        self.servers = [
            await loop.create_server(
                connection,
                sock=each.socket,
                ssl=each.tls,
                ssl_handshake_timeout=FIRST if each.tls else None,
                backlog=self._most,
            )
            for each in self._listening
        ]
        self.started = True
