"""A queue of records on disk, one directory a sink, for the time in which the sink is away.

Rules:

* One file a record, written aside and renamed: a file that is listed is whole. Its name is its number, the second at which it
  was added, how many it stands for where that is not one, and what it is: ``000000000007-1700000000.flush``. The queue's order
  is the order of the numbers, over restarts too.
* A record that `append` gave a number for outlives the process, however it ends. (There is no fsync: after a power cut the
  last seconds may be missing; a torn file is found by its checksum.)
* The files never take more than `size` bytes together, the one being added included, and none stays longer than `age`
  seconds: the oldest goes first. Every record that goes unread is counted: `size`, `age`, `corrupt` or `disk`.
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
from dataclasses import dataclass
from threading import RLock
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from nilometer.core.clock import SYSTEM
from nilometer.core.errors import InputError, InUse, StoreError
from nilometer.core.wire import flushes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nilometer.core.clock import Clock
    from nilometer.core.losses import Losses
    from nilometer.core.record import Flush

Record = TypeVar("Record")
NAME = r"([0-9]{12,18})-([0-9]{1,12})(?:-([0-9]{1,9}))?\."
LOCK, ASIDE = "lock", "next.tmp"
KEPT_CORRUPT = 4
LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Codec(Generic[Record]):
    """How records of one kind lie on disk, and how their losses are counted.

    `what` is the word for one in messages, `suffix` the end of its file's name, `stage` that of its losses. `encode` raises
    ValueError, `decode` raises `InputError`; `weight` is how many losses one record stands for.
    """

    what: str
    suffix: str
    stage: str
    encode: Callable[[Record], bytes]
    decode: Callable[[bytes], Record]
    weight: Callable[[Record], int]


def _one(_: object) -> int:
    return 1


FLUSHES: Codec[Flush] = Codec("flush", "flush", "spool", flushes.encode, flushes.decode, _one)


class Item(NamedTuple):
    """A record in the queue: its number, when it was added (seconds since the epoch), its bytes, and how many it stands for."""

    number: int
    time: int
    size: int
    weight: int

    def file(self, suffix: str) -> str:
        """Return the name of its file."""
        weight = "" if self.weight == 1 else f"-{self.weight}"
        return f"{self.number:012}-{self.time}{weight}.{suffix}"


class SpoolOf(Generic[Record]):
    """The queue in `directory`, at most `size` bytes and `age` seconds. Raise `StoreError` when it cannot be had."""

    def __init__(  # noqa: PLR0913 a place, its bounds and what lies there, by name
        self, directory: Path, codec: Codec[Record], *, size: int, age: float, losses: Losses, clock: Clock = SYSTEM
    ) -> None:
        self._directory = directory
        self._codec = codec
        self._name = re.compile(NAME + re.escape(codec.suffix))
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
                Item(int(match[1]), int(match[2]), entry.stat().st_size, int(match[3] or 1))
                for entry in entries
                if (match := self._name.fullmatch(entry.name)) is not None and entry.is_file(follow_symlinks=False)
            ]
        self._items = deque(sorted(found))
        self._bytes = sum(item.size for item in self._items)
        self._number = self._items[-1].number if self._items else 0

    @property
    def items(self) -> int:
        """How many records wait. Never blocks."""
        return len(self._items)

    @property
    def stored_bytes(self) -> int:
        """How many bytes they take. Never blocks."""
        return self._bytes

    @property
    def dropped(self) -> int:
        """How many records were dropped since the start, for whatever reason."""
        return self._dropped

    def resize(self, *, size: int, age: float) -> None:
        """Use other bounds from now on."""
        with self._guard:
            self._size, self._age = size, age
            self._make_room(0)

    def append(self, record: Record) -> int | None:
        """Add a record and return its number; None when it alone is larger than the bound (which is counted as lost).

        Raise `StoreError` when the disk does not take it, which is not counted: the caller still holds the record.
        """
        data, weight = self._encoded(record), self._codec.weight(record)
        with self._guard:
            if self._lock < 0:
                message = f"{self._directory}: this spool is closed"
                raise StoreError(message)
            if len(data) > self._size:
                LOG.warning(
                    "%s: a %s of %d bytes does not fit spool.size = %d",
                    self._directory,
                    self._codec.what,
                    len(data),
                    self._size,
                )
                self._count("size", weight)
                return None
            self._make_room(len(data))
            item = Item(self._number + 1, int(self._clock.time()), len(data), weight)
            self._write(item, data)
            self._number = item.number
            self._items.append(item)
            self._bytes += item.size
            return item.number

    def _encoded(self, record: Record) -> bytes:
        try:
            return self._codec.encode(record)
        except (ValueError, struct.error) as error:
            message = f"{self._directory}: a {self._codec.what} that cannot be encoded: {error}"
            raise StoreError(message) from error

    def _count(self, reason: str, weight: int) -> None:
        self._dropped += 1
        self._losses.count(self._codec.stage, reason, weight)

    def _path(self, item: Item) -> Path:
        return self._directory / item.file(self._codec.suffix)

    def _write(self, item: Item, data: bytes) -> None:
        aside = self._directory / ASIDE
        try:
            aside.write_bytes(data)
            aside.replace(self._path(item))
        except OSError as error:
            with contextlib.suppress(OSError):
                aside.unlink()
            message = f"{self._directory}: a {self._codec.what} cannot be kept: {error.strerror}"
            raise StoreError(message) from error

    def _make_room(self, incoming: int) -> None:
        """Drop what is too old, then the oldest until `incoming` bytes fit."""
        horizon = self._clock.time() - self._age
        while self._items and self._items[0].time < horizon:
            self._drop("age")
        while self._items and self._bytes + incoming > self._size:
            self._drop("size")

    def _drop(self, reason: str) -> None:
        self._count(reason, self._items[0].weight)
        self._unlink(self._forget())

    def _forget(self) -> Item:
        item = self._items.popleft()
        self._bytes -= item.size
        return item

    def _unlink(self, item: Item) -> None:
        try:
            self._path(item).unlink(missing_ok=True)
        except OSError as error:
            LOG.warning("%s cannot be removed: %s", self._path(item), error.strerror)

    def first(self) -> tuple[int, Record] | None:
        """Return the number and the record of the oldest item, None when the queue is empty. Broken items are passed over."""
        with self._guard:
            if self._lock < 0:
                return None
            self._make_room(0)
            while self._items:
                item = self._items[0]
                try:
                    return item.number, self._codec.decode(self._path(item).read_bytes())
                except InputError as error:
                    self._set_aside(item, error)
                except OSError as error:
                    LOG.warning("%s cannot be read: %s", self._path(item), error.strerror)
                    self._count("disk", item.weight)
                self._forget()
            return None

    def _set_aside(self, item: Item, error: InputError) -> None:
        path = self._path(item)
        LOG.warning("%s is set aside: %s", path, error)
        self._count("corrupt", item.weight)
        with contextlib.suppress(OSError):
            path.replace(path.with_suffix(".corrupt"))
            for old in sorted(self._directory.glob("*.corrupt"))[:-KEPT_CORRUPT]:
                old.unlink()

    def remove(self, number: int) -> None:
        """Take a record out that has been delivered. Nothing happens when it is not there any more."""
        with self._guard:
            if self._lock >= 0 and self._items and self._items[0].number == number:
                self._unlink(self._forget())

    def close(self) -> None:
        """Let other processes have the directory; nothing is read, added or removed any more. Closing twice does nothing."""
        with self._guard:
            if self._lock >= 0:
                os.close(self._lock)
            self._lock = -1

    def abandon(self) -> None:
        """Leave the directory to the parent, in a forked child: let go of the lock that both hold. Takes no lock of ours."""
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)


class Spool(SpoolOf["Flush"]):
    """A queue of flushes."""

    def __init__(self, directory: Path, *, size: int, age: float, losses: Losses, clock: Clock = SYSTEM) -> None:
        super().__init__(directory, FLUSHES, size=size, age=age, losses=losses, clock=clock)


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
        raise InUse(message) from error
    return lock
