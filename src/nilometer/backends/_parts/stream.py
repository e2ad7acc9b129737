"""One byte stream to another system, opened when it is needed and kept: TCP, TLS or a Unix socket.

A line protocol has no answers, so a stream that ended looks alive until something is written, and what was written then is
lost. Rules against that:

* Before a write the peer's end is looked for: a stream that the peer closed is dropped and opened anew.
* A write ends when the peer's system has acknowledged every byte (the socket's send queue is empty) and the peer still
  has not closed; what merely lies in our own buffers is not written.
* Each 256 KiB must be taken, and acknowledged, within `timeout` seconds: a peer that does not read is away, a slow one is not.
* Whatever goes wrong is `Unavailable`, and the next write starts on a new connection.
"""

from __future__ import annotations

import contextlib
import fcntl
import ssl
import struct
import termios
import time
from typing import TYPE_CHECKING

from nilometer.core.errors import Unavailable

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

CHUNK = 1 << 18
FIRST_LOOK, LAST_LOOK = 0.0005, 0.02
"""Seconds between looks at the send queue; they double."""
MOST_READ = 1 << 20
"""Bytes that a peer may send us unasked before we hang up."""


class Stream:
    """Writes to a peer over one connection at a time. `dial` connects, or raises OSError; `peer` names it in errors."""

    def __init__(self, dial: Callable[[], socket.socket], peer: str, timeout: float) -> None:
        self._dial, self._peer, self._timeout = dial, peer, timeout
        self._socket: socket.socket | None = None

    def alive(self) -> bool:
        """Return whether a connection stands. One that the peer closed is dropped."""
        if self._socket is not None and _ended(self._socket):
            self.close()
        return self._socket is not None

    def connect(self) -> socket.socket:
        """Return the connection, a new one when none stands. Raise `Unavailable`."""
        if self._socket is not None and self.alive():
            return self._socket
        try:
            self._socket = self._dial()
            self._socket.settimeout(self._timeout)
        except OSError as error:
            raise self._lost(error) from error
        return self._socket

    def send(self, data: bytes) -> None:
        """Write all of `data` and see it acknowledged. Raise `Unavailable`; how much arrived is then unknown."""
        connection, view = self.connect(), memoryview(data)
        try:
            for at in range(0, len(view), CHUNK):
                connection.sendall(view[at : at + CHUNK])
            _settle(connection, self._timeout)
        except OSError as error:
            raise self._lost(error) from error

    def _lost(self, error: OSError) -> Unavailable:
        self.close()
        return Unavailable(f"{self._peer}: {_reason(error, self._timeout)}")

    def close(self) -> None:
        """Hang up. What was written has been acknowledged. Closing twice does nothing."""
        if self._socket is None:
            return
        with contextlib.suppress(OSError, ValueError):
            self._socket.settimeout(0)
            if isinstance(self._socket, ssl.SSLSocket):
                self._socket.unwrap()
        self._socket.close()
        self._socket = None


def _reason(error: OSError, timeout: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no progress within {timeout:g} s"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate was refused: {error.verify_message}; name its authority with ca=FILE"
    return error.strerror or str(error) or type(error).__name__


def _ended(connection: socket.socket) -> bool:
    """Return whether the peer has closed its side, or keeps sending what nobody asked for."""
    before = connection.gettimeout()
    connection.settimeout(0)
    try:
        for _ in range(0, MOST_READ, CHUNK):
            if not connection.recv(CHUNK):
                return True
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True
    finally:
        connection.settimeout(before)
    return True


def _settle(connection: socket.socket, timeout: float) -> None:
    """Wait until the send queue is empty. Raise OSError when it drains too slowly, or the peer is gone by then."""
    mark, end, look = _queued(connection), time.monotonic() + timeout, FIRST_LOOK
    while (left := _queued(connection)) and not _ended(connection):
        if left <= mark - CHUNK:
            mark, end = left, time.monotonic() + timeout
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(look)
        look = min(look * 2, LAST_LOOK)
    if _ended(connection):
        message = "closed by the peer while we wrote"
        raise ConnectionResetError(message)


def _queued(connection: socket.socket) -> int:
    """Return how many bytes the peer's system has not acknowledged (TCP) or the peer not read (Unix). See tcp(7), SIOCOUTQ."""
    (count,) = struct.unpack("i", fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, b"\0" * 4))
    return int(count)
