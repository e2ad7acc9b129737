"""Forgets what a store keeps and is older than the settings say.

Rules:

* A thread looks every `EVERY` seconds, and deletes in parts with a pause between them, so that nobody waits for long.
* A store that is away is asked again at the next look.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from nilometer.core.clock import SYSTEM
from nilometer.core.errors import Unavailable
from nilometer.core.priority import step_back

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.core.clock import Clock

LOG = logging.getLogger(__name__)
SOON, EVERY = 30.0, 600.0
"""Seconds until the first look, and between two."""
PAUSE, PATIENCE = 0.2, 5.0
"""Seconds between two parts, and for how long the last one is waited for."""


class Retention:
    """Deletes what is older than `seconds` returns; 0 keeps all. `worth` says whether there is anything.

    `drop` deletes a part of what is older than a time, and returns how many `what` that were: 0 once none is left.
    """

    def __init__(
        self,
        what: str,
        drop: Callable[[float], int],
        seconds: Callable[[], float],
        worth: Callable[[], bool],
        clock: Clock = SYSTEM,
    ) -> None:
        self._what, self._drop, self._seconds, self._worth, self._clock = what, drop, seconds, worth, clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="nilometer-retention", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """End after the part that is being deleted; a store that hangs is left behind in its (daemon) thread."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(PATIENCE)

    def _run(self) -> None:
        step_back()
        wait = SOON
        while not self._clock.wait(self._stop, wait):
            wait = EVERY
            try:
                self._look()
            except Unavailable as error:
                LOG.info("old %s stay for now: %s", self._what, error)
            except Exception:  # a fault of a store must not end the thread
                LOG.exception("old %s could not be deleted", self._what)

    def _look(self) -> None:
        """Delete what is too old now."""
        seconds = self._seconds()
        if not seconds or not self._worth():
            return
        before, dropped = self._clock.time() - seconds, 0
        while part := self._drop(before):
            dropped += part
            if self._clock.wait(self._stop, PAUSE):
                break
        if dropped:
            LOG.info("%d %s that were too old are deleted", dropped, self._what)
