"""The other side of Elasticsearch's and OpenSearch's backend: a fake that keeps documents in memory, and says that it is one.

The fake knows what the backend asks: the version, index templates, bulk requests of creations, refresh, and searches by id.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import math
import re
import socket
import ssl
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

from nilometer.testing.peers import differences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nilometer.core.record import Flush
    from nilometer.testing.certificates import Certificate
    from nilometer.testing.peers import Runs

    Document = dict[str, Any]
    Refusal = Callable[[Document], tuple[int, str] | None]

TEMPLATE = re.compile(r"/_index_template/([^/?]+)")
STREAM = re.compile(r"/([^/_?][^/?]*)/(_bulk|_refresh|_search)")


class Request(NamedTuple):
    """A request that arrived: its method and path, its headers in small letters, its body, uncompressed."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Reply(NamedTuple):
    """An answer: status and JSON."""

    status: int
    body: object


def lacks(flush: Flush, found: Iterable[Document]) -> list[str]:
    """Return a line for each series of the flush that is not held by exactly one document with its values."""
    at = math.floor(flush.window.end * 1000 + 0.5)
    held = [_plain(each) for each in found if each["@timestamp"] == at]
    times = Counter(key for key, _ in held)
    wanted: dict[str, dict[str, float]] = {}
    for kind, key, statistic, value in flush.rows():
        if math.isfinite(value):
            wanted.setdefault(f"{kind} {key}", {})[statistic] = value
    twice = [f"{key}: {times[key]} documents" for key in wanted if times[key] > 1]
    return differences(wanted, dict(held)) + twice


def _plain(document: Document) -> tuple[str, dict[str, float]]:
    """Return kind and key of a document's series, and its statistics."""
    tags = "".join(f";{name}={value}" for name, value in document.get("tags", {}).items())
    common = ("@timestamp", "name", "kind", "tags", "interval", "source", "sketch")
    return f"{document['kind']} {document['name']}{tags}", {k: v for k, v in document.items() if k not in common}


def sketches(found: Iterable[Document]) -> Runs:
    """Return the sketches that documents hold."""
    held = [(_plain(each)[0].partition(" ")[2], each["sketch"]) for each in found if "sketch" in each]
    return {key: list(zip(sketch["values"], sketch["counts"], strict=True)) for key, sketch in held}


class FakeElasticsearch:
    """A fake on a loopback port. What is refused, `refusal` says of each document; `answers` come first, one a request."""

    def __init__(self, scheme: str = "elasticsearch", options: str = "", secure: Certificate | None = None) -> None:
        self.scheme, self.version = scheme, "0.0-fake"
        self.tls = None
        if secure is not None:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*secure)
            options += f"&ca={secure.certificate}"
        self.streams: dict[str, dict[str, Document]] = {}
        self.templates: dict[str, Any] = {}
        self.requests: list[Request] = []
        self.answers: list[Reply] = []
        self.refusal: Refusal = lambda _: None
        self._reading, self._lock = threading.Event(), threading.Lock()
        self._reading.set()
        self._server = _Server(0, self)
        self.url = (
            f"{scheme}://{'127.0.0.1' if secure is None else 'localhost'}:{self._server.port}?timeout=2s&source=test{options}"
        )

    # -- what a peer does ----------------------------------------------------------------------------------------------

    def lacks(self, flush: Flush) -> list[str]:
        """Compare with the documents."""
        return lacks(flush, self.documents("nilometer-metrics"))

    def sketches(self, flush: Flush) -> Runs:  # noqa: ARG002 the documents are this flush's
        """Return the sketches of the documents."""
        return sketches(self.documents("nilometer-metrics"))

    def documents(self, stream: str) -> list[Document]:
        """Return a data stream's documents."""
        with self._lock:
            return list(self.streams.get(stream, {}).values())

    def stall(self) -> None:
        """Answer nothing more."""
        self._reading.clear()

    def resume(self) -> None:
        """Answer again."""
        self._reading.set()

    def leave(self) -> None:
        """Close the port and all connections; documents stay."""
        self._server.end()

    def come_back(self) -> None:
        """Answer at the same port again."""
        self._server = _Server(self._server.port, self)

    def close(self) -> None:
        """End the server."""
        self.resume()
        self._server.end()

    # -- what the system does ------------------------------------------------------------------------------------------

    def answer(self, request: Request) -> Reply:
        """Answer one request."""
        self._reading.wait()
        with self._lock:
            self.requests.append(request)
            if self.answers:
                return self.answers.pop(0)
            return self._answer(request)

    def _answer(self, request: Request) -> Reply:
        if request.path == "/":
            distribution = {"distribution": "opensearch"} if self.scheme.startswith("opensearch") else {}
            return Reply(
                200, {"version": {"number": self.version} | distribution, "tagline": "a fake for tests, no search engine"}
            )
        if request.path.startswith("/_data_stream/"):
            return Reply(200, {"data_streams": []})
        if match := TEMPLATE.match(request.path):
            return self._template(match[1], request)
        if match := STREAM.match(request.path):
            return self._stream(match[1], match[2], request)
        return Reply(400, {"error": f"the fake knows no {request.method} {request.path}"})

    def _template(self, name: str, request: Request) -> Reply:
        if request.method == "PUT":
            self.templates[name] = json.loads(request.body)
            return Reply(200, {"acknowledged": True})
        return Reply(200 if name in self.templates else 404, {})

    def _stream(self, name: str, what: str, request: Request) -> Reply:
        held = self.streams.setdefault(name, {})
        if what == "_bulk":
            lines = [json.loads(line) for line in request.body.splitlines()]
            items = [self._create(held, *pair) for pair in zip(lines[::2], lines[1::2], strict=True)]
            return Reply(200, {"errors": any("error" in item for item in items), "items": [{"create": item} for item in items]})
        if what == "_search":
            wanted = json.loads(request.body)["query"]["ids"]["values"]
            return Reply(200, {"hits": {"total": {"value": sum(each in held for each in wanted)}}})
        return Reply(200, {})

    def _create(self, held: dict[str, Document], action: Document, document: Document) -> dict[str, Any]:
        name = action["create"]["_id"]
        if refused := self.refusal(document):
            return {"status": refused[0], "error": {"type": refused[1], "reason": "as the test wants"}}
        if name in held:
            return {"status": 409, "error": {"type": "version_conflict_engine_exception", "reason": "already exists"}}
        held[name] = document
        return {"status": 201}


class _Server(ThreadingHTTPServer):
    """The sockets of a fake."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, port: int, fake: FakeElasticsearch) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        if fake.tls is not None:
            self.socket = fake.tls.wrap_socket(self.socket, server_side=True)
        self.fake, self.port = fake, int(self.server_address[1])
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
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        self.server_close()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()


class _Handler(BaseHTTPRequestHandler):
    """Reads requests and writes answers."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        reply = self.server.fake.answer(Request(self.command, self.path, headers, body))
        text = json.dumps(reply.body).encode()
        self.send_response(reply.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_PUT = do_POST = _handle  # noqa: N815 the library's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the library's name
        """Print nothing."""
