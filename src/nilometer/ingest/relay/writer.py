"""Writes packets to a stream target, over one connection that is kept.

Rules:

* While the target is away packets wait in the router's outbox; it is bounded, and what it has no room for is counted there.
* A connection that failed is dialled again after a delay that doubles, with jitter.
* What was under way when a connection broke is counted as lost, whatever of it arrived: nothing is written twice.
* Before each write the peer's end is looked for, so that a server that was restarted costs nothing.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING

from nilometer.core.backoff import Backoff

if TYPE_CHECKING:
    from nilometer.ingest.relay.router import Router
    from nilometer.ingest.relay.targets import Target

PATIENCE = 5.0
"""Seconds that connecting, or one write, may take."""
LOOK = 0.5
"""Seconds between two looks whether it is time to end."""
FIRST, MOST = 0.1, 30.0
"""Seconds: the bound of the delay after the first failure, and what it grows to."""


class Writer:
    """One target's thread.

    `sent` packets and their `bytes` were written, `lost` packets not; `taken` bytes were either.
    """

    def __init__(self, router: Router, number: int, target: Target) -> None:
        self._router, self._number, self._target = router, number, target
        self._link: socket.socket | None = None
        self._backoff = Backoff(FIRST, MOST)
        self._closing, self._end = threading.Event(), threading.Event()
        self.sent = self.bytes = self.lost = self.taken = 0
        self.error = ""
        self._thread = threading.Thread(target=self._run, name=f"nilometer-relay-{number}", daemon=True)
        self._thread.start()

    def close(self, end: float) -> None:
        """Write what waits until `end`, in monotonic seconds, then count the rest as lost. The router is stopped by then.

        A target that is away then is not waited for.
        """
        self._closing.set()
        self._thread.join(max(end - time.monotonic(), 0))
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while (parcel := self._router.take(self._number, LOOK)) is not None:
            data, packets = parcel
            if data and self._write(data):
                self.sent += packets
                self.bytes += len(data)
            else:
                self.lost += packets
            self.taken += len(data)
        self._hang_up()

    def _write(self, data: bytes) -> bool:
        while not self._end.is_set():
            link = self._connected()
            if link is None and self._closing.is_set():
                self._end.set()
            if link is None:
                self._closing.wait(self._backoff.failed())
                continue
            try:
                link.sendall(data)
            except OSError as error:
                self._failed(error)
                return False
            else:
                return True
        return False

    def _connected(self) -> socket.socket | None:
        if self._link is not None and _ended(self._link):
            self._hang_up()
        if self._link is None:
            try:
                self._link = socket.create_connection((self._target.host, self._target.port), PATIENCE)
            except OSError as error:
                self._failed(error)
            else:
                self._backoff.reset()
                self.error = ""
        return self._link

    def _failed(self, error: OSError) -> None:
        self.error = error.strerror or str(error)
        self._hang_up()

    def _hang_up(self) -> None:
        if self._link is not None:
            with contextlib.suppress(OSError):
                self._link.shutdown(socket.SHUT_WR)
            self._link.close()
            self._link = None


def _ended(link: socket.socket) -> bool:
    """Return whether the peer has closed its side. What it says is thrown away, some of it at a time."""
    link.settimeout(0)
    try:
        return not link.recv(65536)
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        link.settimeout(PATIENCE)
