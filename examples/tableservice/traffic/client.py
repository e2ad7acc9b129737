"""One visitor's connection to the service: kept open, JSON both ways; able to be slow, and to leave in the middle."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any, NamedTuple
from urllib.parse import urlsplit

PATIENCE = 10.0
"""Seconds after which a visitor gives up."""
PIECES, PAUSE = 4, 0.12
"""A slow visitor sends its body in so many pieces, with so many seconds in between."""


class Answer(NamedTuple):
    """What came back."""

    status: int
    json: Any


class Client:
    """A connection, made when it is needed. Every method raises OSError or HTTPException when the service does not answer."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._link = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=PATIENCE)

    def ask(self, method: str, path: str, body: object = None, *, slowly: bool = False) -> Answer:
        """Return the answer to a request."""
        data = b"" if body is None else json.dumps(body).encode()
        try:
            self._begin(method, path, len(data))
            self._send(data, PAUSE if slowly else 0)
            answer = self._link.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        return Answer(answer.status, json.loads(text) if text.startswith((b"{", b"[")) else None)

    def leave(self, path: str, body: object) -> None:
        """Send half of a request, and go."""
        data = json.dumps(body).encode()
        self._begin("POST", path, len(data))
        self._link.send(data[: len(data) // 2])
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._link.close()

    def _begin(self, method: str, path: str, length: int) -> None:
        self._link.putrequest(method, path)
        self._link.putheader("Content-Type", "application/json")
        self._link.putheader("Content-Length", str(length))
        self._link.endheaders()

    def _send(self, data: bytes, pause: float) -> None:
        size = len(data) if not pause else -(-len(data) // PIECES)
        for first in range(0, len(data), max(size, 1)):
            self._link.send(data[first : first + size])
            time.sleep(pause)
