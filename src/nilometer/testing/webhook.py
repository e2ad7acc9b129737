"""A receiver of webhooks for tests: a real HTTP server that keeps what it is sent, and answers as it is told."""

from __future__ import annotations

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.record import Event, Message
from nilometer.core.wire import messages

if TYPE_CHECKING:
    from nilometer.testing.certificates import Certificate

EMPTY = 204


class Request(NamedTuple):
    """What came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def events(self) -> list[Event]:
        """Return the events in it."""
        held = Message("", self.body, 0, headers=self.headers, content_type=self.headers["content-type"])
        return messages.decode_all(held, 1 << 24)


class Receiver:
    """The server. `statuses` are answered in order, then 204; while `silent` is set, nothing is answered."""

    def __init__(self, secure: Certificate | None = None) -> None:
        self.requests: list[Request] = []
        self.statuses: list[int] = []
        self.headers: dict[str, str] = {}
        self.silent = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.requests.append(Request(self.command, self.path, headers, body))
                if receiver.silent.is_set():
                    receiver.over.wait()
                status = receiver.statuses.pop(0) if receiver.statuses else EMPTY
                said = b"" if status == EMPTY else b"because\nof this"
                self.send_response(status)
                for name, value in (receiver.headers | {"Content-Length": str(len(said))}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said)

            do_OPTIONS = do_POST  # noqa: N815 the library's name

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if secure is not None:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(secure.certificate, secure.key)
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"webhook+http://127.0.0.1:{self.port}/a%20path?timeout=1s"

    def arrived(self, count: int) -> list[Event]:
        """Return the events that were posted, which are so many at least."""
        found = [event for request in self.requests if request.method == "POST" for event in request.events()]
        if len(found) < count:
            message = f"{len(found)} of {count} events came"
            raise TimeoutError(message)
        return found

    def close(self) -> None:
        """End the server."""
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
