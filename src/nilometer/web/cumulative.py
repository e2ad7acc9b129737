"""What flushes count, added up since the start: Prometheus takes totals, not the sums of a window.

Rules:

* A series that is not in a flush is not shown, but its totals are kept, so that it goes on from there when it comes back; of
  such series at most `MOST_ABSENT` are kept, those that were absent longest go first.
* Flushes of values with a time of their own are left out: who asks wants to know what is now.
* A flush whose series are those of the flush before, byte for byte, is added column by column: no name is looked at.
"""

from __future__ import annotations

import queue
import threading
import time
from array import array
from contextlib import contextmanager
from itertools import repeat
from operator import add
from typing import TYPE_CHECKING

from nilometer.core.record import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nilometer.core.record import Block, Flush

MOST_ABSENT = 100_000
SUMMED = {Kind.COUNTER: ("count",), Kind.TIMER: ("count", "sum")}
OLD = 3600.0
"""Seconds before now from which on a flush is of values with a time of their own."""
BINS = ("histogram.bin_", "histogram.le_")


class Totals:
    """The totals of the series of one block, by statistic."""

    def __init__(self, keys: list[str], kept: dict[str, dict[str, float]]) -> None:
        """Begin with what was kept of these series, which is kept no longer."""
        self.keys = keys
        before = [kept.pop(key, {}) for key in keys]
        names = dict.fromkeys(name for each in before for name in each)
        self.columns = {name: array("d", (each.get(name, 0.0) for each in before)) for name in names}

    def add(self, block: Block, statistics: Iterable[str]) -> None:
        """Add the values of a block's statistics."""
        for name in statistics:
            values, before = summed(block, name), self.columns.get(name)
            self.columns[name] = array("d", values if before is None else map(add, before, values))

    def by_key(self) -> Iterator[tuple[str, dict[str, float]]]:
        """Yield each series with its totals."""
        for place, key in enumerate(self.keys):
            yield key, {name: column[place] for name, column in self.columns.items()}


class KindTotals:
    """The totals of all blocks of one kind: a series keeps its own, whichever block it is in."""

    def __init__(self) -> None:
        self.blocks: list[Totals] = []
        self._names: list[bytes] = []
        self._absent: dict[str, dict[str, float]] = {}

    def add(self, blocks: Sequence[Block]) -> None:
        """Add a flush's blocks of the kind."""
        names = [block.names for block in blocks]
        if names != self._names:
            self._follow(blocks, names)
        for totals, block in zip(self.blocks, blocks, strict=True):
            bins = (column.name for column in block.columns if column.name.startswith(BINS))
            totals.add(block, dict.fromkeys([*SUMMED[block.kind], *bins]))

    def _follow(self, blocks: Sequence[Block], names: list[bytes]) -> None:
        """Bring the totals into the order of other series."""
        for totals in self.blocks:
            self._absent.update(totals.by_key())
        self.blocks = [Totals(block.keys(), self._absent) for block in blocks]
        self._names = names
        for key in list(self._absent)[: max(len(self._absent) - MOST_ABSENT, 0)]:
            del self._absent[key]


def summed(block: Block, statistic: str) -> Sequence[float]:
    """Return a statistic of each series, 0 where there is none; where it stands in two columns, whichever is there."""
    found = array("d", repeat(0.0, block.count))
    for column in block.columns:
        if column.name != statistic:
            continue
        if column.present is None:
            return column.values
        for place, there in enumerate(column.present):
            if there:
                found[place] = column.values[place]
    return found


class Cumulative:
    """The last flush, and the totals since the start."""

    def __init__(self) -> None:
        self.flush: Flush | None = None
        self._kinds = {kind: KindTotals() for kind in SUMMED}

    def add(self, flush: Flush) -> None:
        """Take the next flush."""
        self.flush = flush
        for kind, totals in self._kinds.items():
            totals.add([block for block in flush.blocks if block.kind is kind])

    def totals(self, kind: Kind) -> list[tuple[Block, Totals]]:
        """Return the last flush's blocks of a kind, each with the totals of its series."""
        blocks = [block for block in self.flush.blocks if block.kind is kind] if self.flush else []
        return list(zip(blocks, self._kinds[kind].blocks, strict=True))


class Exposition:
    """Adds flushes up in a thread of its own."""

    def __init__(self) -> None:
        self._cumulative, self._lock = Cumulative(), threading.Lock()
        self._flushes: queue.SimpleQueue[Flush | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="nilometer-exposition", daemon=True)

    def start(self) -> None:
        """Begin to add up."""
        self._thread.start()

    def put(self, flush: Flush) -> None:
        """Take a flush. Never waits."""
        if flush.window.end > time.time() - OLD:
            self._flushes.put(flush)

    def _run(self) -> None:
        while (flush := self._flushes.get()) is not None:
            with self._lock:
                self._cumulative.add(flush)

    @contextmanager
    def cumulative(self) -> Iterator[Cumulative]:
        """Give the sums, which stand still meanwhile."""
        with self._lock:
            yield self._cumulative

    def close(self) -> None:
        """End the thread."""
        self._flushes.put(None)
        if self._thread.ident is not None:
            self._thread.join()
