"""A real server with its page, for tests in a browser."""

from __future__ import annotations

import json
import socket
import urllib.request
from typing import TYPE_CHECKING, Any

from nilometer.testing.serving import Serving

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = ("--listen=udp://127.0.0.1:0", "--web-listen=http://127.0.0.1:0", "--flush-interval=500ms")


class Site:
    """A server process that keeps a history, and the URL of its page."""

    def __init__(self, state: Path, *options: str) -> None:
        self._server = Serving(*OPTIONS, *options, sinks=(), state=state).ready()
        host, port = self._server.interface("HTTP interface")
        self.url = f"http://{host}:{port}/"
        self._to = self._server.address("udp")
        self.port: int = self._to[1]

    def send(self, *lines: str) -> None:
        """Send lines in one datagram."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            link.sendto("\n".join(lines).encode(), self._to)

    def events(self, *events: dict[str, Any]) -> None:
        """Send events over HTTP: objects of an event's fields. Raise OSError when the server refuses them."""
        request = urllib.request.Request(  # noqa: S310 an address of this machine
            f"{self.url}api/v1/events", json.dumps(events).encode(), {"content-type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=10).close()  # noqa: S310 as above

    def close(self) -> None:
        """End the server."""
        self._server.kill()
