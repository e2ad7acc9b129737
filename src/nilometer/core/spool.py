"""A queue of flushes on disk, one directory a sink, for the time in which the sink is away.

Rules:

* One file a flush, ``<number>-<seconds since the epoch>.flush``, written aside and renamed: a file that is listed is whole.
  The queue's order is the order of the numbers, over restarts too.
* A flush that `append` gave a number for outlives the process, however it ends. (There is no fsync: after a power cut the
  last seconds may be missing; a torn file is found by its checksum.)
* The files never take more than `size` bytes together, the one being added included, and none stays longer than `age`
  seconds: the oldest goes first. Every flush that goes unread is counted: `size`, `age`, `corrupt` or `disk`.
* What does not decode is set aside as ``*.corrupt`` (the newest `KEPT_CORRUPT` are kept). Other names are left alone.
* A lock on the directory keeps a second process out. All methods may be called from any thread.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import re
import struct
from collections import deque
from threading import RLock
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.clock import SYSTEM
from nilometer.core.errors import InputError, StoreError
from nilometer.core.wire import flushes

if TYPE_CHECKING:
    from pathlib import Path

    from nilometer.core.clock import Clock
    from nilometer.core.losses import Losses
    from nilometer.core.record import Flush

NAME = re.compile(r"([0-9]{12,18})-([0-9]{1,12})\.flush")
LOCK, ASIDE = "lock", "next.tmp"
KEPT_CORRUPT = 4
LOG = logging.getLogger(__name__)


class Item(NamedTuple):
    """A flush in the queue: its number, when it was added (seconds since the epoch) and its bytes."""

    number: int
    time: int
    size: int

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.number:012}-{self.time}.flush"


class Spool:
    """The queue in `directory`, at most `size` bytes and `age` seconds. Raise `StoreError` when it cannot be had."""

    def __init__(self, directory: Path, *, size: int, age: float, losses: Losses, clock: Clock = SYSTEM) -> None:
        self._directory = directory
        self._size = size
        self._age = age
        self._losses = losses
        self._clock = clock
        self._guard = RLock()
        self._items: deque[Item] = deque()
        self._bytes = 0
        self._number = 0
        self._dropped = 0
        self._lock = _locked(directory)
        try:
            self._list()
        except OSError as error:
            self.close()
            message = f"{directory}: cannot be read: {error.strerror}"
            raise StoreError(message) from error

    def _list(self) -> None:
        (self._directory / ASIDE).unlink(missing_ok=True)
        with os.scandir(self._directory) as entries:
            found = [
                Item(int(match[1]), int(match[2]), entry.stat().st_size)
                for entry in entries
                if (match := NAME.fullmatch(entry.name)) is not None and entry.is_file(follow_symlinks=False)
            ]
        self._items = deque(sorted(found))
        self._bytes = sum(item.size for item in self._items)
        self._number = self._items[-1].number if self._items else 0

    @property
    def items(self) -> int:
        """How many flushes wait. Never blocks."""
        return len(self._items)

    @property
    def stored_bytes(self) -> int:
        """How many bytes they take. Never blocks."""
        return self._bytes

    @property
    def dropped(self) -> int:
        """How many flushes were dropped since the start, for whatever reason."""
        return self._dropped

    def resize(self, *, size: int, age: float) -> None:
        """Use other bounds from now on."""
        with self._guard:
            self._size, self._age = size, age
            self._make_room(0)

    def append(self, flush: Flush) -> int | None:
        """Add a flush and return its number; None when it alone is larger than the bound (which is counted as lost).

        Raise `StoreError` when the disk does not take it, which is not counted: the caller still holds the flush.
        """
        data = self._encoded(flush)
        with self._guard:
            if self._lock < 0:
                message = f"{self._directory}: this spool is closed"
                raise StoreError(message)
            if len(data) > self._size:
                LOG.warning("%s: a flush of %d bytes does not fit spool.size = %d", self._directory, len(data), self._size)
                self._count("size")
                return None
            self._make_room(len(data))
            item = Item(self._number + 1, int(self._clock.time()), len(data))
            self._write(item, data)
            self._number = item.number
            self._items.append(item)
            self._bytes += item.size
            return item.number

    def _encoded(self, flush: Flush) -> bytes:
        try:
            return flushes.encode(flush)
        except (ValueError, struct.error) as error:
            message = f"{self._directory}: a flush that cannot be encoded: {error}"
            raise StoreError(message) from error

    def _count(self, reason: str) -> None:
        self._dropped += 1
        self._losses.count("spool", reason)

    def _write(self, item: Item, data: bytes) -> None:
        aside = self._directory / ASIDE
        try:
            aside.write_bytes(data)
            aside.replace(self._directory / item.file)
        except OSError as error:
            with contextlib.suppress(OSError):
                aside.unlink()
            message = f"{self._directory}: a flush cannot be kept: {error.strerror}"
            raise StoreError(message) from error

    def _make_room(self, incoming: int) -> None:
        """Drop what is too old, then the oldest until `incoming` bytes fit."""
        horizon = self._clock.time() - self._age
        while self._items and self._items[0].time < horizon:
            self._drop("age")
        while self._items and self._bytes + incoming > self._size:
            self._drop("size")

    def _drop(self, reason: str) -> None:
        self._count(reason)
        self._unlink(self._forget())

    def _forget(self) -> Item:
        item = self._items.popleft()
        self._bytes -= item.size
        return item

    def _unlink(self, item: Item) -> None:
        try:
            (self._directory / item.file).unlink(missing_ok=True)
        except OSError as error:
            LOG.warning("%s: %s cannot be removed: %s", self._directory, item.file, error.strerror)

    def first(self) -> tuple[int, Flush] | None:
        """Return the number and the flush of the oldest item, None when the queue is empty. Broken items are passed over."""
        with self._guard:
            if self._lock < 0:
                return None
            self._make_room(0)
            while self._items:
                item = self._items[0]
                try:
                    return item.number, flushes.decode((self._directory / item.file).read_bytes())
                except InputError as error:
                    self._set_aside(item, error)
                except OSError as error:
                    LOG.warning("%s: %s cannot be read: %s", self._directory, item.file, error.strerror)
                    self._count("disk")
                self._forget()
            return None

    def _set_aside(self, item: Item, error: InputError) -> None:
        LOG.warning("%s: %s is set aside: %s", self._directory, item.file, error)
        self._count("corrupt")
        path = self._directory / item.file
        with contextlib.suppress(OSError):
            path.replace(path.with_suffix(".corrupt"))
            for old in sorted(self._directory.glob("*.corrupt"))[:-KEPT_CORRUPT]:
                old.unlink()

    def remove(self, number: int) -> None:
        """Take a flush out that has been delivered. Nothing happens when it is not there any more."""
        with self._guard:
            if self._lock >= 0 and self._items and self._items[0].number == number:
                self._unlink(self._forget())

    def close(self) -> None:
        """Let other processes have the directory; nothing is read, added or removed any more. Closing twice does nothing."""
        with self._guard:
            if self._lock >= 0:
                os.close(self._lock)
            self._lock = -1


def _locked(directory: Path) -> int:
    """Make the directory and return a descriptor that holds its lock."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        message = f"{directory}: cannot be made a spool: {error.strerror}; set server.state to a directory that can be written"
        raise StoreError(message) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        message = f"{directory}: another process uses this spool; give each server a server.state of its own"
        raise StoreError(message) from error
    return lock
