"""The HTTP interface at work: its sockets, and the thread beside ingest in which one loop answers on all of them.

Rules:

* Sockets are bound at once, so that what cannot be bound is told at the start. The application, which takes long to import, is
  made in the thread; who connects meanwhile waits.
* A peer that never ends, or never reads, harms only itself: see `connection`.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING, NamedTuple

from nilometer.ingest.sockets import addresses, shown, tcp_socket

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    import uvicorn
    from starlette.types import ASGIApp

    from nilometer.core.url import Url

LOG = logging.getLogger(__name__)
PORT = 8127
MOST_CONNECTIONS = 100


class Bound(NamedTuple):
    """A URL and the sockets of its addresses."""

    url: Url
    sockets: list[socket.socket]


class WebServer:
    """Answers on the addresses of URLs. `listen`, then `start`, then `stop`; `make` returns the application."""

    def __init__(self, make: Callable[[], ASGIApp]) -> None:
        self._make = make
        self._bound: list[Bound] = []
        self._servers: list[uvicorn.Server] = []
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="nilometer-web", daemon=True)

    def listen(self, url: Url) -> list[str]:
        """Bind the addresses of a URL, and return them. Raise OSError."""
        port = PORT if url.port is None else url.port
        with contextlib.ExitStack() as opened:
            sockets = [opened.enter_context(tcp_socket(address, port)) for address in addresses(url)]
            for sock in sockets:
                sock.listen(MOST_CONNECTIONS)
            opened.pop_all()
        self._bound.append(Bound(url, sockets))
        return [shown(sock.getsockname()) for sock in sockets]

    def start(self) -> None:
        """Begin to answer."""
        if self._bound:
            self._thread.start()

    def _run(self) -> None:
        try:
            from nilometer.web import connection  # noqa: PLC0415 see the rules

            app = self._make()
            self._servers = [connection.server(app, MOST_CONNECTIONS) for _ in self._bound]
            if not self._stopping:
                connection.serve(list(zip(self._servers, (bound.sockets for bound in self._bound), strict=True)))
        except Exception:  # the server goes on without the interface
            LOG.exception("the HTTP interface has ended")

    def stop(self) -> None:
        """End the thread and close everything."""
        self._stopping = True
        for server in self._servers:
            server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join()
        for bound in self._bound:
            for sock in bound.sockets:
                sock.close()
