"""An HTTP server on a loopback port that answers whatever a test says, and keeps what it was asked."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nilometer.testing.certificates import Certificate

    Serve = Callable[[Callable[["Asked"], "Reply"]], "Answering"]
    """Starts a server that ends with the test."""


class Asked(NamedTuple):
    """A request: its method, its path, its query, its headers in small letters, its body."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class Reply(NamedTuple):
    """An answer: what is no bytes goes as JSON; pieces go as they come, and the connection ends behind the last."""

    status: int
    body: object = b""
    headers: Mapping[str, str] = {}
    pieces: Iterable[bytes] | None = None


class Answering:
    """A server whose answers a function gives. `asked` keeps the requests in their order."""

    def __init__(self, answer: Callable[[Asked], Reply], secure: Certificate | None = None, port: int = 0) -> None:
        self.asked: list[Asked] = []
        self._answer = answer
        self._server = _Server(self, secure, port)
        self.address = f"{'127.0.0.1' if secure is None else 'localhost'}:{self._server.server_address[1]}"

    def answer(self, asked: Asked) -> Reply:
        """Keep a request and answer it."""
        self.asked.append(asked)
        return self._answer(asked)

    def close(self) -> None:
        """Close the port and every connection."""
        self._server.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, owner: Answering, secure: Certificate | None, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        if secure is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*secure)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.owner = owner
        self._connections: list[socket.socket] = []
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection, and remember it."""
        connection, address = super().get_request()
        self._connections.append(connection)
        return connection, address

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a connection that broke."""

    def end(self) -> None:
        """Close the port and every connection."""
        self.shutdown()
        self._thread.join()
        self.server_close()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()


class _Handler(BaseHTTPRequestHandler):
    disable_nagle_algorithm = True
    protocol_version = "HTTP/1.1"
    server: _Server

    def _handle(self) -> None:
        place = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, place.path, dict(parse_qsl(place.query, keep_blank_values=True)), headers, body)
        reply = self.server.owner.answer(asked)
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.pieces is not None:
            self._send(reply.pieces)
            return
        text = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _send(self, pieces: Iterable[bytes]) -> None:
        self.close_connection = True
        self.send_header("Connection", "close")
        self.end_headers()
        with contextlib.suppress(OSError):
            for piece in pieces:
                self.wfile.write(piece)
                self.wfile.flush()

    do_GET = do_POST = _handle  # noqa: N815 the library's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the library's name
        """Print nothing."""
