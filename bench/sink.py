"""A TCP server that keeps every byte it is sent, and adds the counters of the load up afterwards."""

from __future__ import annotations

import re
import socket
import threading

COUNTER = re.compile(
    rb"^(?:[\w.-]*\bstats_counts\.|counts\.)?(?:[\w.-]*\.)?bench\.c\d+\.x*(?P<count>\.count)?[ |](?P<value>\S+?)[ |]\d+$",
    re.MULTILINE,
)


class Sink:
    """Takes Graphite lines (``path value time``) or statsite's (``path|value|time``) on a free loopback port."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._chunks: list[bytes] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._read, args=(link,), daemon=True).start()

    def _read(self, link: socket.socket) -> None:
        own: list[bytes] = []
        with link:
            while data := link.recv(1 << 20):
                own.append(data)
                if data.endswith(b"\n"):
                    self._chunks.append(b"".join(own))
                    own.clear()

    def take(self) -> bytes:
        """Return the whole lines that came since the last call."""
        count = len(self._chunks)
        taken, self._chunks[:count] = b"".join(self._chunks[:count]), []
        return taken

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()


def counted(text: bytes) -> float:
    """Return the sum of the load's counters: ``….count`` of the new names, ``stats_counts.…`` of the old, ``counts.…``."""
    total = 0.0
    for match in COUNTER.finditer(text):
        old = match[0].startswith((b"counts.", b"stats_counts."))
        if match["count"] or old:
            total += float(match["value"])
    return total
