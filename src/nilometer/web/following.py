"""Records, as they come, to everybody who follows live: what hubs of flushes and of events share.

Rules:

* A record is handed over and nothing is done in its thread; with no follower nothing is done at all.
* A follower that falls `behind` updates behind is let go, so that it can come again; so is everybody when the server ends, and
  when records come faster than they can be handed on.
* At most `MOST` follow at a time.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

from nilometer.core.errors import NilometerError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Sequence

MOST = 256
WAITING = 256
"""Records that wait to be handed on."""

Record = TypeVar("Record")
Wanted = TypeVar("Wanted")
Update = TypeVar("Update")


class Full(NilometerError):
    """So many follow already that one more is refused."""


class Follower(Generic[Wanted, Update]):
    """One who follows what it wants. Iterate over it, in the loop that made it; it ends when it is let go."""

    def __init__(self, wanted: Wanted, behind: int, leave: Callable[[Follower[Wanted, Update]], None]) -> None:
        self.wanted, self._behind, self._leave = wanted, behind, leave
        self._loop = asyncio.get_running_loop()
        self._new = asyncio.Event()
        self._updates: deque[Update] = deque()
        self._gone = False

    def offer(self, update: Update | None) -> None:
        """Hand an update over, from any thread; None lets the follower go."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._take, update)

    def _take(self, update: Update | None) -> None:
        if update is None or len(self._updates) >= self._behind:
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
            self._leave(self)


class Following(Generic[Record, Wanted, Update]):
    """Knows who follows. `put` may be called from any thread and never waits. `behind`: updates that may wait for one."""

    name = "nilometer-live"
    behind = 8

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._followers: set[Follower[Wanted, Update]] = set()
        self._records: queue.Queue[Record | None] = queue.Queue(WAITING)
        self._thread: threading.Thread | None = None
        self._closed = False

    def updates(
        self, record: Record, followers: Sequence[Follower[Wanted, Update]]
    ) -> Iterable[tuple[Follower[Wanted, Update], Update]]:
        """Yield what each follower learns of a record."""
        raise NotImplementedError

    @property
    def followers(self) -> int:
        """How many follow."""
        return len(self._followers)

    def follow(self, wanted: Wanted) -> Follower[Wanted, Update]:
        """Return a new follower. Raise `Full`. Call it in the loop that will iterate."""
        follower = Follower(wanted, self.behind, self.leave)
        with self._lock:
            if self._closed or len(self._followers) >= MOST:
                message = f"{MOST} follow already; try again later" if not self._closed else "the server ends"
                raise Full(message)
            self._followers.add(follower)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
                self._thread.start()
        return follower

    def leave(self, follower: Follower[Wanted, Update]) -> None:
        """Forget a follower."""
        with self._lock:
            self._followers.discard(follower)

    def put(self, record: Record) -> None:
        """Take a record."""
        if self._followers and not self._closed:
            try:
                self._records.put_nowait(record)
            except queue.Full:
                self._let_go()

    def _let_go(self) -> None:
        with self._lock:
            followers = list(self._followers)
        for follower in followers:
            follower.offer(None)

    def _run(self) -> None:
        while (record := self._records.get()) is not None:
            with self._lock:
                followers = list(self._followers)
            for follower, update in self.updates(record, followers) if followers else ():
                follower.offer(update)

    def close(self) -> None:
        """Let everybody go."""
        with self._lock:
            self._closed = True
            thread = self._thread
        self._let_go()
        if thread is not None:
            self._records.put(None)
            thread.join()
