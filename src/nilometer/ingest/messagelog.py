"""The log of every line that comes in, bad ones too: `log.messages`, or statsd's `dumpMessages`.

Rules:

* Ingest never waits for the log: lines wait in a queue of `QUEUE` bytes, and how many found it full is told.
* Whatever a peer sent is shown escaped: no control character reaches a terminal or a log file. A line is cut at `SHOWN` bytes.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from nilometer.core.priority import step_back
from nilometer.core.show import printable

if TYPE_CHECKING:
    from nilometer.ingest.kernel import Kernel, Tap

LOG = logging.getLogger(__name__)
QUEUE = 1 << 20
SHOWN = 4096
PATIENCE = 1.0
"""Seconds between two looks at what the queue had no room for, and between two words about that."""


class MessageLog:
    """Logs what a kernel receives while that is wanted. With `statsd`, in the words of statsd."""

    def __init__(self, kernel: Kernel, *, statsd: bool = False) -> None:
        self._kernel = kernel
        self._form = "DEBUG: %s" if statsd else "received: %s"
        self._tap: Tap | None = None
        self._thread: threading.Thread | None = None

    def change(self, *, wanted: bool) -> None:
        """Begin to log, or end after what has come in until now. A log that shows no such messages is spared them."""
        wanted = wanted and LOG.isEnabledFor(logging.INFO)
        if wanted and self._tap is None:
            self._tap = self._kernel.tap(QUEUE)
            self._thread = threading.Thread(target=self._run, args=(self._tap,), name="nilometer-messages", daemon=True)
            self._thread.start()
        elif not wanted and self._tap is not None and self._thread is not None:
            self._tap.stop()
            self._thread.join()
            self._tap = self._thread = None

    def _run(self, tap: Tap) -> None:
        step_back()
        told, due = 0, time.monotonic() + PATIENCE
        while (lines := tap.take(PATIENCE)) is not None:
            for line in filter(None, lines.split(b"\n")):
                LOG.info(self._form, shown(line))
            if time.monotonic() >= due:
                told, due = _tell(tap, told), time.monotonic() + PATIENCE
        _tell(tap, told)


def _tell(tap: Tap, told: int) -> int:
    """Say how many lines were not shown since that was `told`; return how many there were in all."""
    missed = tap.missed()
    if missed > told:
        LOG.warning("… and %d more lines, which came in faster than they can be logged", missed - told)
    return missed


def shown(line: bytes) -> str:
    """Return a line as one that prints, cut where it is long."""
    text = printable(line[:SHOWN].decode("utf-8", "replace"))
    return text if len(line) <= SHOWN else f"{text}… ({len(line)} bytes)"
