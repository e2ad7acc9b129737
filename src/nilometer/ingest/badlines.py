"""The log of bad lines: shows what was refused and who sent it, at a bounded rate.

Rules:

* Lines are shown as `core.show` allows; how many were not is said at the next flush.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from nilometer.core.show import Allowance, printable

if TYPE_CHECKING:
    from nilometer.core.clock import Clock
    from nilometer.ingest.kernel import BadLine, Kernel, Tally

LOG = logging.getLogger(__name__)


class BadLineLog:
    """Shows a kernel's bad lines. With `statsd`, in the words of statsd."""

    def __init__(self, kernel: Kernel, clock: Clock, *, statsd: bool = False) -> None:
        self._kernel, self._statsd = kernel, statsd
        self._lock = threading.Lock()
        self._allowance = Allowance(clock)
        self._shown = 0

    def drain(self) -> None:
        """Show what the kernel has refused since the last call, as far as the rate allows. Call it a few times a second."""
        with self._lock:
            self._drain()

    def _drain(self) -> None:
        for bad in self._kernel.bad_lines():
            if self._allowance.take():
                self._shown += 1
                self._show(bad)

    def _show(self, bad: BadLine) -> None:
        if self._statsd:
            LOG.warning('DEBUG: Bad line: %s in msg "%s"', printable(bad.fields), printable(bad.line))
        else:
            LOG.warning("bad line from %s: %s: %s", printable(bad.source) or "unknown", bad.reason, printable(bad.line))

    def counted(self, tally: Tally) -> None:
        """Show what is left of a window, and say how many of its bad values were not shown."""
        with self._lock:
            self._drain()
            more, self._shown = tally.bad_lines - self._shown, 0
        if more > 0:
            LOG.warning("… and %d more bad lines", more)
