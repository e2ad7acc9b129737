"""Each flush, as it leaves, to everybody who follows it live.

Rules:

* The flush is handed over and nothing is done in its thread; with no follower nothing is done at all.
* Values come from the flush itself, under the paths that the store gives them: no sink is asked and none is waited for.
* A follower that falls `BEHIND` messages behind is let go, so that it can come again; so is everybody when the server ends.
* At most `MOST` follow at a time, each at most `MOST_PATHS` paths.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.errors import NilometerError
from nilometer.core.wire import render

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable

    from nilometer.core.naming import Naming
    from nilometer.core.record import Flush

BEHIND = 8
MOST, MOST_PATHS = 256, 100


class Full(NilometerError):
    """So many follow already that one more is refused."""


class Update(NamedTuple):
    """What a follower learns of one flush.

    `time` is seconds since the epoch, `interval` seconds, `series` how many it has; `values` of the paths that are followed.
    """

    time: int
    interval: float
    series: int
    values: dict[str, float]


class Follower:
    """One who follows some paths. Iterate over it, in the loop that made it; it ends when it is let go."""

    def __init__(self, hub: Hub, paths: frozenset[str]) -> None:
        self._hub, self.paths = hub, paths
        self._loop = asyncio.get_running_loop()
        self._new = asyncio.Event()
        self._updates: deque[Update] = deque()
        self._gone = False

    def offer(self, update: Update | None) -> None:
        """Hand an update over, from any thread; None lets the follower go."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._take, update)

    def _take(self, update: Update | None) -> None:
        if update is None or len(self._updates) >= BEHIND:
            self._gone = True
        else:
            self._updates.append(update)
        self._new.set()

    async def updates(self, patience: float) -> AsyncGenerator[Update | None, None]:
        """Yield each update, and None when none came for `patience` seconds."""
        try:
            while not self._gone:
                self._new.clear()
                while self._updates:
                    yield self._updates.popleft()
                try:
                    async with asyncio.timeout(patience):
                        await self._new.wait()
                except TimeoutError:
                    yield None
        finally:
            self._hub.leave(self)


class Hub:
    """Knows who follows. `put` may be called from any thread and never waits."""

    def __init__(self, naming: Callable[[], Naming]) -> None:
        self._naming = naming
        self._lock = threading.Lock()
        self._followers: set[Follower] = set()
        self._flushes: queue.SimpleQueue[Flush | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closed = False

    @property
    def followers(self) -> int:
        """How many follow."""
        return len(self._followers)

    def follow(self, paths: Iterable[str]) -> Follower:
        """Return a new follower of these paths. Raise `Full`. Call it in the loop that will iterate."""
        follower = Follower(self, frozenset(paths))
        with self._lock:
            if self._closed or len(self._followers) >= MOST:
                message = f"{MOST} follow already; try again later" if not self._closed else "the server ends"
                raise Full(message)
            self._followers.add(follower)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="nilometer-live", daemon=True)
                self._thread.start()
        return follower

    def leave(self, follower: Follower) -> None:
        """Forget a follower."""
        with self._lock:
            self._followers.discard(follower)

    def put(self, flush: Flush) -> None:
        """Take a flush."""
        if self._followers:
            self._flushes.put(flush)

    def _run(self) -> None:
        while (flush := self._flushes.get()) is not None:
            with self._lock:
                followers = list(self._followers)
            if followers:
                self._give(flush, followers)

    def _give(self, flush: Flush, followers: list[Follower]) -> None:
        wanted = frozenset[str]().union(*(follower.paths for follower in followers))
        found = values(flush, self._naming(), wanted)
        for follower in followers:
            own = {path: found[path] for path in follower.paths if path in found}
            follower.offer(Update(int(flush.window.timestamp), flush.window.interval, flush.series, own))

    def close(self) -> None:
        """Let everybody go."""
        with self._lock:
            self._closed = True
            followers, thread = list(self._followers), self._thread
        for follower in followers:
            follower.offer(None)
        self._flushes.put(None)
        if thread is not None:
            thread.join()


def values(flush: Flush, naming: Naming, wanted: frozenset[str]) -> dict[str, float]:
    """Return the values of the paths that are wanted and in the flush."""
    if not wanted:
        return {}
    points = render.points(flush, naming)
    sought = {path.encode(): path for path in wanted}
    pairs = zip(points.paths.split(b"\n"), points.values, strict=False)
    return {sought[path]: value for path, value in pairs if path in sought}
