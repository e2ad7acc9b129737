"""Who looks on: functions that are called with every new event."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nilometer.core.record import Event

    Watcher = Callable[[Sequence[Event]], None]

LOG = logging.getLogger(__name__)


class Watchers:
    """Those who look on now. Any thread may call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watchers: tuple[Watcher, ...] = ()

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Call `watcher` with events that are new; it neither waits nor raises. Return what ends that."""
        with self._lock:
            self._watchers = (*self._watchers, watcher)

        def end() -> None:
            with self._lock:
                self._watchers = tuple(each for each in self._watchers if each is not watcher)

        return end

    def tell(self, events: Sequence[Event]) -> None:
        """Tell everybody."""
        for watcher in self._watchers:
            try:
                watcher(events)
            except Exception:  # a fault in who looks on must not keep events from the others
                LOG.exception("who watches events failed")
