"""Which statistics changed, to everybody who follows them live. How following goes is in `nilometer.web.following`.

Rules:

* At the first change followers are told at once; what changes within `PAUSE` seconds after that is told together.
* Statistics are watched from the first follower on.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from nilometer.web.following import Follower, Following

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from nilometer.statistics.asked import Asked

PAUSE = 1.0
Idents = frozenset[str]


class StatisticsHub(Following[Idents, Idents, Idents]):
    """Tells each follower which of its statistics changed; who wants none in particular, hears of all."""

    name = "nilometer-live-statistics"
    behind = 64

    def __init__(self, pause: float = PAUSE) -> None:
        super().__init__()
        self._pause, self._ending = pause, threading.Event()
        self._changing, self._changed = threading.Lock(), set[str]()
        self._watched: tuple[Asked, Callable[[], None]] | None = None

    def watch(self, asked: Asked) -> None:
        """Hear of these statistics from now on, and of no others."""
        with self._changing:
            before = self._watched
            if before is not None and before[0] is asked:
                return
            self._watched = asked, asked.watch(self.put)
        if before is not None:
            before[1]()

    def put(self, record: Idents) -> None:
        """Take the idents of statistics that changed."""
        if not self.followers:
            return
        with self._changing:
            self._changed |= record
        if self._records.empty():
            super().put(record)

    def updates(
        self, record: Idents, followers: Sequence[Follower[Idents, Idents]]
    ) -> Iterable[tuple[Follower[Idents, Idents], Idents]]:
        """Yield what changed of each follower's, then let changes gather."""
        del record  # what it named is among those that changed
        with self._changing:
            changed = frozenset(self._changed)
            self._changed.clear()
        for follower in followers:
            found = changed & follower.wanted if follower.wanted else changed
            if found:
                yield follower, found
        self._ending.wait(self._pause)

    def close(self) -> None:
        """Let everybody go, and the statistics."""
        self._ending.set()
        super().close()
        with self._changing:
            watched, self._watched = self._watched, None
        if watched is not None:
            watched[1]()
