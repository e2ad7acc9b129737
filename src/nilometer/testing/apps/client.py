"""A client of HTTP/1.1 over a bare socket, which can do what well-behaved clients never do."""

from __future__ import annotations

import base64
import http.client
import os
import socket
import struct
import time
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

PATIENCE = 30.0
"""Seconds that an answer may take."""
NO_LINGER = struct.pack("ii", 1, 0)
"""Makes close() send RST instead of FIN."""


class Answer(NamedTuple):
    """What came back: status (0: nothing came), headers by lower-case name, body; `whole` is false when it ended too early."""

    status: int
    headers: dict[str, str]
    body: bytes
    whole: bool = True


class Connection:
    """One connection to a loopback port. `receive_buffer` bytes make a reader whose other side soon has to wait."""

    def __init__(self, port: int, receive_buffer: int = 0) -> None:
        self.link = socket.socket()
        self.link.settimeout(PATIENCE)
        if receive_buffer:
            self.link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.link.connect(("127.0.0.1", port))
        self._method = "GET"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.link.close()

    def head(self, method: str, path: str, **headers: object) -> None:
        """Send a request's head; a header's name is written with ``_`` for ``-``."""
        self._method = method
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *(f"{k.replace('_', '-')}: {v}" for k, v in headers.items())]
        self.link.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    def request(self, method: str, path: str, body: bytes = b"", **headers: object) -> Answer:
        """Send a request in one packet and return its answer; the connection may be used again."""
        length = {"Content_Length": len(body)} if body else {}
        self.head(method, path, **length, **headers)
        self.link.sendall(body)
        return self.answer()

    def pieces(self, pieces: Iterable[bytes], pause: float = 0.0, *, chunked: bool = False) -> None:
        """Send pieces of a body, a pause of so many seconds before each; as chunks, with their end, where that is asked for."""
        for piece in pieces:
            time.sleep(pause)
            self.link.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
        if chunked:
            self.link.sendall(b"0\r\n\r\n")

    def wait_for_continue(self) -> bytes:
        """Return the interim answer to ``Expect: 100-continue``, or the first line of a final one."""
        seen = b""
        while not seen.endswith(b"\r\n\r\n") and (data := self.link.recv(1)):
            seen += data
        return seen.partition(b"\r\n")[0]

    def answer(self) -> Answer:
        """Read an answer to its end, or to where it was cut off."""
        with http.client.HTTPResponse(self.link, method=self._method) as response:
            try:
                response.begin()
            except (http.client.RemoteDisconnected, ConnectionResetError):
                return Answer(0, {}, b"", whole=False)
            headers = {name.lower(): value for name, value in response.getheaders()}
            try:
                return Answer(response.status, headers, response.read())
            except (http.client.IncompleteRead, ConnectionResetError) as error:
                return Answer(response.status, headers, getattr(error, "partial", b""), whole=False)

    def read_slowly(self, step: int, pause: float, steps: int) -> int:
        """Read up to `step` bytes `steps` times, a pause of so many seconds before each; return how many came."""
        total = 0
        for _ in range(steps):
            time.sleep(pause)
            total += len(self.link.recv(step))
        return total

    def drain(self) -> int:
        """Read until the other side closes; return how many bytes came."""
        total = 0
        while data := self.link.recv(1 << 16):
            total += len(data)
        return total

    def finish(self) -> None:
        """Close with FIN, whatever is under way."""
        self.link.close()

    def reset(self) -> None:
        """Close with RST."""
        self.link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        self.link.close()

    def upgrade(self, path: str) -> bytes:
        """Shake hands for a WebSocket (RFC 6455); return the status line."""
        key = base64.b64encode(os.urandom(16)).decode()
        self.head("GET", path, Connection="Upgrade", Upgrade="websocket", Sec_WebSocket_Version=13, Sec_WebSocket_Key=key)
        return self.wait_for_continue()

    def say(self, text: bytes) -> bytes:
        """Send a short text over the WebSocket, masked with zeros, and return the short text that comes back."""
        self.link.sendall(bytes([0x81, 0x80 | len(text)]) + bytes(4) + text)
        length = self._exactly(2)[1]
        return self._exactly(length)

    def _exactly(self, count: int) -> bytes:
        seen = b""
        while len(seen) < count and (data := self.link.recv(count - len(seen))):
            seen += data
        return seen


def ask(port: int, path: str, method: str = "GET", body: bytes = b"", **headers: object) -> Answer:
    """Make one request over a connection of its own."""
    with Connection(port) as connection:
        return connection.request(method, path, body, Connection="close", **headers)
