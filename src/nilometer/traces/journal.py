"""What was taken in and is not stored yet, on disk: it outlives the process, however that ends.

Rules:

* What `append` has returned for is on disk, in one file. A file goes when all of its spans are done with, and those before it.
* What lies there from the last run is read by `left`, oldest first, and taken in anew.
* It never takes much more than `size` bytes: beyond that nothing is taken in, so nothing is dropped either.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from typing import TYPE_CHECKING

from nilometer.core.clock import SYSTEM
from nilometer.core.errors import StoreError, Unavailable
from nilometer.core.intake.spans import Full
from nilometer.core.spans import SPANS
from nilometer.core.spool import SpoolOf

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from nilometer.core.clock import Clock
    from nilometer.core.losses import Losses
    from nilometer.core.traces.span import Span

ENDLESS = 1 << 62


class Journal:
    """The files in a directory. Any thread may call. Raise `StoreError` when the directory cannot be had."""

    def __init__(self, directory: Path, size: int, losses: Losses, clock: Clock = SYSTEM) -> None:
        self._files = SpoolOf(directory, SPANS, size=ENDLESS, age=math.inf, losses=losses, clock=clock)
        self.size = size
        self._lock = threading.Lock()
        self._order: deque[int] = deque()
        self._open: dict[int, int] = {}
        self._before = self._files.items

    @property
    def stored_bytes(self) -> int:
        """How many bytes the files take."""
        return self._files.stored_bytes

    def append(self, spans: Sequence[Span], *, again: bool = False) -> int:
        """Write spans down and return the number of their entry. Raise `Full`, or `Unavailable` when the disk fails.

        `again`: they lay there before, so there is room.
        """
        with self._lock:
            if self._files.stored_bytes >= self.size and not again:
                message = f"{self._files.stored_bytes} bytes of spans wait for the store; try again later"
                raise Full(message)
            try:
                number = self._files.append(tuple(spans))
            except StoreError as error:
                raise Unavailable(str(error)) from error
            if number is None:  # it never is: nothing is larger than `ENDLESS`
                return 0
            self._order.append(number)
            self._open[number] = len(spans)
            return number

    def done(self, spans: Mapping[int, int]) -> None:
        """Note that so many spans of these entries are done with."""
        with self._lock:
            for number, count in spans.items():
                if number in self._open:
                    self._open[number] -= count
            while self._order and self._open[self._order[0]] <= 0 and not self._before:
                number = self._order.popleft()
                del self._open[number]
                self._files.remove(number)

    def left(self) -> Iterator[tuple[Span, ...]]:
        """Yield what lies there from the last run; a batch is gone when the next one is asked for."""
        while self._before > 0:
            waiting = self._files.items
            found = self._files.first()
            self._before -= waiting - self._files.items  # those that were broken are set aside, and counted
            if found is None or self._before <= 0:
                break
            yield found[1]
            self._files.remove(found[0])
            self._before -= 1
        self._before = 0
        self.done({})

    def close(self) -> None:
        """Let go of the directory."""
        self._files.close()
