"""The log of keys that a limit refused: shows some of them and who sent them, at a bounded rate.

Rules:

* At most `RATE` keys a second are shown, `BURST` at once. `losslog` says how many values there were, and what helps.
* Whatever a peer sent is shown escaped: no control character reaches a terminal or a log file.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from nilometer.core.show import Allowance, printable

if TYPE_CHECKING:
    from nilometer.core.clock import Clock
    from nilometer.ingest.kernel import Kernel

RATE = 1.0
BURST = 10.0
LOG = logging.getLogger(__name__)
REASONS = {
    "name_over_limit": "its name is longer than limits.name",
    "tags_over_limit": "it has more tags than limits.tags",
    "series_over_limit": "there are as many series as limits.series",
    "keys_over_limit": "the keys of all series take as many bytes as limits.keys",
    "prefix_over_limit": "its prefix has as many series as limits.series_per_prefix",
    "source_over_limit": "its source has made as many series as limits.series_per_source",
}
"""Why a key got no series, by the field of `Tally` that counts it."""


class OverflowLog:
    """Shows the keys that a kernel's limits refused."""

    def __init__(self, kernel: Kernel, clock: Clock) -> None:
        self._kernel = kernel
        self._lock = threading.Lock()
        self._allowance = Allowance(clock, RATE, BURST)

    def drain(self) -> None:
        """Show what was refused since the last call, as far as the rate allows. Call it a few times a second."""
        with self._lock:
            for refused in self._kernel.overflowed():
                if self._allowance.take():
                    source, key = printable(refused.source) or "unknown", printable(refused.key)
                    LOG.warning("no series for %s %s from %s: %s", refused.kind, key, source, REASONS[refused.limit])
