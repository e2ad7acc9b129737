"""What listeners refuse before anything of it is read: counted by reason, and logged with the source at a bounded rate.

Rules:

* A reason is logged at most once in `QUIET` seconds for each listener, with how many there were and one who sent it.
* Nothing that a peer wrote is shown, only its address.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from nilometer.core.show import printable

if TYPE_CHECKING:
    from nilometer.core.losses import Losses

QUIET = 10.0
TOLD = {
    ("listener", "address"): "outside the listener's networks (allow)",
    ("listener", "signature"): "not signed with the listener's key",
    ("listener", "time"): "signed too long ago or too far ahead; compare the clocks, or raise hmac_window",
    ("listener", "replayed"): "a signed datagram that came before",
    ("listener", "full"): "more signed datagrams than can be remembered; raise hmac_remembered",
    ("listener", "tls"): "no TLS session came about",
}
"""The reasons, by their line in `LOSSES`."""
LOG = logging.getLogger(__name__)


class Refusals:
    """Counts and tells of what was refused. Any thread may call."""

    def __init__(self, losses: Losses) -> None:
        self._losses = losses
        self._lock = threading.Lock()
        self._told: dict[tuple[str, str], float] = {}
        self._untold: dict[tuple[str, str], int] = {}

    def count(self, listener: str, reason: str, number: int, source: str, why: str = "") -> None:
        """Count refusals of one reason. `source`: who sent one of them; `why`: what is known besides."""
        loss = ("listener", reason)
        self._losses.count(*loss, number)
        now = time.monotonic()
        with self._lock:
            number += self._untold.pop((listener, reason), 0)
            if now - self._told.get((listener, reason), -QUIET) < QUIET:
                self._untold[listener, reason] = number
                return
            self._told[listener, reason] = now
        more = f": {printable(why)}" if why else ""
        LOG.warning("%s: refused %d, one from %s: %s%s", listener, number, printable(source), TOLD[loss], more)
