"""Writing: one flush, one transaction; then a slice of upkeep, another one.

Rules:

* A file has one writer at a time. It holds a lock on ``FILE-lock`` for as long as it lives; a second one is refused. The
  system frees the lock with the process, however it ends.
* After any error everything is closed, and opened again with the next flush: what this program knows is what the file says.
* A file that was removed or replaced under us is noticed with the next flush, and made anew.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

from nilometer.core.errors import Rejected, Unavailable
from nilometer.history import frame, layout, levels
from nilometer.history.book import AHEAD, Book, newest
from nilometer.history.catalog import Catalog
from nilometer.history.compactor import SETTLED
from nilometer.history.layout import GROUP_BITS, HOUR, LAST_TIME, hot_key
from nilometer.history.upkeep import SHARE, Upkeep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from nilometer.core.clock import Clock
    from nilometer.core.record import Points
    from nilometer.history.damage import Damage
    from nilometer.history.options import Level, Options

SHORTEST, LONGEST = 0.1, 3600.0
"""Bounds of the seconds that one window brings for upkeep."""


class Writer:
    """The writer of one file, from its opening to its closing or its first error. Not safe to share between threads."""

    def __init__(self, file: Path, options: Options, wanted: Sequence[Level], clock: Clock, damage: Damage) -> None:
        self._file, self._clock = file, clock
        with ExitStack() as opened:
            opened.callback(os.close, _locked(file))
            self._db = opened.enter_context(closing(layout.connect(file, write=True)))
            self._place = _place(file)
            with self._transaction():
                group = layout.create(self._db, file, options.group)
                kept = levels.put(self._db, wanted)
            catalog = Catalog(self._db, file, group, options.suffix)
            self._book = Book(self._db, group, kept, catalog, clock.time, damage, newest(self._db))
            self._book.touched.update(dict.fromkeys(layout.hot_hours(self._db), 0))
            self.settle()
            self.upkeep = Upkeep(self._book)
            self._opened = opened.pop_all()

    def close(self) -> None:
        """Close the file and free its lock."""
        self._opened.close()

    def moved(self) -> bool:
        """Whether the file was removed, or another one put in its place."""
        return _place(self._file) != self._place

    def write(self, points: Points, interval: float) -> None:
        """Store the points, then do a slice of upkeep for a window of `interval` seconds.

        Raise `Rejected` for a time that cannot be right, sqlite3.Error.
        """
        self._admit(points.timestamp)
        self._book.writes += 1
        if len(points.values):
            with self._transaction():
                self._store(points)
        seconds = min(max(interval, SHORTEST), LONGEST)
        end = self._clock.monotonic() + seconds * SHARE
        self.tend(seconds, lambda: self._clock.monotonic() < end)

    def settle(self) -> None:
        """Let every hour that is over count as left alone, so that its upkeep is due."""
        self._book.touched.update(dict.fromkeys(self._book.touched, self._book.writes - SETTLED))

    def tend(self, seconds: float, more: Callable[[], bool]) -> bool:
        """Do upkeep for so many seconds of windows, as long as there is time for `more`. Return whether something was due."""
        with self._transaction():
            return self.upkeep.run(seconds, more)

    def _admit(self, second: int) -> None:
        """Raise `Rejected` for a time far ahead of everything known, or so old that nothing is kept from then."""
        latest = max(self._book.newest, int(self._clock.time())) + AHEAD
        oldest = self._book.cutoffs()[0]
        if second > min(latest, LAST_TIME - 1):
            message = f"{self._file}: a window at {second} lies over a day ahead of the clock; set the sender's clock right"
            raise Rejected(message)
        if second < oldest:
            message = f"{self._file}: a window at {second} is older than what is kept, from {oldest} on; raise retention="
            raise Rejected(message)

    def _store(self, points: Points) -> None:
        book, second = self._book, points.timestamp
        hour = second // HOUR
        rows = book.catalog.plan(points.paths, hour).rows(points.values)
        keyed = [(hot_key(second, group), row) for group, row in rows]
        if second <= book.newest:
            keyed = [(key, self._with_older(key, row)) for key, row in keyed]
        self._db.executemany("INSERT OR REPLACE INTO history_hot VALUES (?, ?)", keyed)
        levels.holds(self._db, book.levels[0], second)
        book.newest = max(book.newest, second)
        book.touched[hour] = book.writes

    def _with_older(self, key: int, row: bytes) -> bytes:
        """Return the row with the values that stand at its key already, and which it does not replace."""
        found = self._db.execute("SELECT data FROM history_hot WHERE key = ?", (key,)).fetchone()
        size = self._book.group
        if found is None or found[0][: frame.width(size)] == row[: frame.width(size)]:
            return row
        damage, second = self._book.damage, key >> GROUP_BITS
        if not frame.sound([(second, found[0])], size, lambda _, error: damage.note((second, key), error)):
            return row
        return frame.pack(frame.unpack(found[0], size) | frame.unpack(row, size), size)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def _place(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _locked(file: Path) -> int:
    """Return the descriptor of the file's lock. Raise `Unavailable` while another writer holds it, OSError."""
    file.parent.mkdir(exist_ok=True)
    descriptor = os.open(f"{file}-lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    except BlockingIOError as error:
        owner = os.pread(descriptor, 20, 0).decode("ascii", "replace")
        os.close(descriptor)
        message = f"{file}: process {owner} writes it already; end that one, or name another file here"
        raise Unavailable(message) from error
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
