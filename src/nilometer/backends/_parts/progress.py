"""What a system has taken of a flush: so that a flush that is written again goes on where it stopped.

Rules:

* A flush is known by its window and a checksum of its names and values, so also after it lay on disk.
* Its parts are numbered by whoever sends them, the same way each time.
* The flush under way has its parts kept; of those written last, only that they were written whole.
"""

from __future__ import annotations

import zlib
from array import array
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from nilometer.core.record import Flush, Window

REMEMBERED = 16
"""Flushes written last that are known again."""


class Mark(NamedTuple):
    """What a flush is known by."""

    window: Window
    checksum: int


def mark(flush: Flush) -> Mark:
    """Return what the flush is known by."""
    checksum = 0
    for block in flush.blocks:
        checksum = zlib.crc32(block.names, zlib.crc32(block.kind.encode(), checksum))
        for column in block.columns:
            checksum = zlib.crc32(column.name.encode(), checksum)
            checksum = zlib.crc32(array("d", column.values).tobytes(), checksum)
            checksum = zlib.crc32(column.present or b"", checksum)
    return Mark(flush.window, checksum)


class Progress:
    """Which parts of the flush under way were taken, and which flushes were written whole. Not safe for several threads."""

    def __init__(self) -> None:
        self._written: deque[Mark] = deque(maxlen=REMEMBERED)
        self._mark: Mark | None = None
        self._taken: set[int] = set()

    def begin(self, flush: Flush) -> set[int] | None:
        """Return the numbers of the parts taken earlier, to which the caller adds; None when the flush was written whole."""
        marked = mark(flush)
        if marked in self._written:
            return None
        if marked != self._mark:
            self._mark, self._taken = marked, set()
        return self._taken

    def end(self) -> None:
        """Note that the flush under way is written whole."""
        if self._mark is not None:
            self._written.append(self._mark)
        self._mark, self._taken = None, set()
