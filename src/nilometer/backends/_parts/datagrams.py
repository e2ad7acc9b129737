"""Datagrams to another system, UDP or Unix.

Rules: the system's refusals (nobody listens there, no route, a full queue of a Unix socket) are seen and are
`Unavailable`; a datagram lost on its way is not, nothing on such a wire tells. Bursts are paced, for a receiver's buffer
is small.
"""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING

from nilometer.core.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

BURST, PAUSE = 1 << 16, 0.001
"""After so many bytes the sender pauses for so many seconds."""


class Datagrams:
    """Sends datagrams to one peer. `dial` returns a connected socket, or raises OSError; `peer` names it in errors."""

    def __init__(self, dial: Callable[[], socket.socket], peer: str) -> None:
        self._dial, self._peer = dial, peer
        self._socket: socket.socket | None = None
        self._burst = 0

    def send(self, data: bytes) -> None:
        """Send one datagram. Raise `Unavailable` when it is refused at once."""
        try:
            self._socket = self._socket or self._dial()
            _send(self._socket, data)
        except OSError as error:
            self.close()
            message = f"{self._peer}: {error.strerror or error}"
            raise Unavailable(message) from error
        self._pause(len(data))

    def _pause(self, size: int) -> None:
        self._burst += size
        if self._burst >= BURST:
            self._burst = 0
            time.sleep(PAUSE)

    def check(self) -> str:
        """Send an empty line. Raise `Unavailable` when it is refused at once."""
        self.send(b"\n")
        return "refuses no datagram; nothing on this wire confirms one"

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _send(connected: socket.socket, data: bytes) -> None:
    """Send, and raise OSError for a refusal that came back by the time the call ended, as it does on one machine."""
    connected.send(data)
    refused = connected.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if refused:
        raise OSError(refused, os.strerror(refused))
