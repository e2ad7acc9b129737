"""The HTTP interface at work: its sockets, and the thread beside ingest in which one loop answers on all of them.

Rules:

* Sockets are bound at once, so that what cannot be bound is told at the start. The application, which takes long to import, is
  made in the thread; who connects meanwhile waits.
* A peer that never ends, or never reads, harms only itself: see `connection`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.errors import ConfigError
from nilometer.ingest.sockets import addresses, shown, tcp_socket
from nilometer.web.addresses import PORT, context, renew

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable

    from starlette.types import ASGIApp

    from nilometer.core.url import Url
    from nilometer.web.connection import Server

LOG = logging.getLogger(__name__)
MOST_CONNECTIONS = 500


class Bound(NamedTuple):
    """A URL, the sockets of its addresses, and its TLS."""

    url: Url
    sockets: list[socket.socket]
    tls: ssl.SSLContext | None


class WebServer:
    """Answers on the addresses of URLs. `listen`, then `start`, then `stop`; `make` returns the application."""

    def __init__(self, make: Callable[[], ASGIApp]) -> None:
        self._make = make
        self._bound: list[Bound] = []
        self._server: Server | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="nilometer-web", daemon=True)

    def listen(self, url: Url) -> list[str]:
        """Bind the addresses of a URL, and return them. Raise OSError, and `ConfigError` for its TLS."""
        port, tls = PORT if url.port is None else url.port, context(url)
        with contextlib.ExitStack() as opened:
            sockets = [opened.enter_context(tcp_socket(address, port)) for address in addresses(url)]
            for sock in sockets:
                sock.listen(MOST_CONNECTIONS)
            opened.pop_all()
        self._bound.append(Bound(url, sockets, tls))
        return [shown(sock.getsockname()) for sock in sockets]

    def renew(self) -> Callable[[], None]:
        """Read certificates and keys again; what is returned uses them. Raise `ConfigError`."""
        for bound in self._bound:
            context(bound.url)

        def use() -> None:
            loop = self._server.loop if self._server is not None else None
            if loop is None:
                self._use()
            elif not loop.is_closed():
                loop.call_soon_threadsafe(self._use)  # between two handshakes

        return use

    def _use(self) -> None:
        try:
            for bound in self._bound:
                if bound.tls is not None:
                    renew(bound.url, bound.tls)
        except ConfigError as error:
            LOG.error("%s", error)  # noqa: TRY400 the reason is the message

    def start(self) -> None:
        """Begin to answer."""
        if self._bound:
            self._thread.start()

    def _run(self) -> None:
        try:
            from nilometer.web import connection  # noqa: PLC0415 see the rules

            listening = [connection.Listening(sock, bound.tls) for bound in self._bound for sock in bound.sockets]
            self._server = connection.Server(self._make(), listening, MOST_CONNECTIONS)
            if not self._stopping:
                asyncio.run(self._server.serve([each.socket for each in listening]))
        except Exception:  # the server goes on without the interface
            LOG.exception("the HTTP interface has ended")
        finally:
            self._close()  # who waits for an answer is told that none comes

    def stop(self) -> None:
        """End the thread and close everything."""
        self._stopping = True
        if self._server is not None:
            self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join()
        self._close()

    def _close(self) -> None:
        for bound in self._bound:
            for sock in bound.sockets:
                sock.close()
