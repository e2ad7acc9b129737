"""A real server with its page, for tests in a browser."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

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

    def close(self) -> None:
        """End the server."""
        self._server.kill()
