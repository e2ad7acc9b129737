"""The embedded series store: ``sqlite:///name.db``, one file that this process writes and any process reads.

Rules:

* A write is stored when it returns: whole after a crash of the process; after a crash of the machine the last seconds may be
  missing (SQLite's WAL with ``synchronous=NORMAL``), never a part of a flush.
* Writing a window again replaces its points; windows may come late and in any order.
* Points older than ``retention`` are kept as roll-ups only; see `aggregate` for what a roll-up is, `reader` for which one
  is read.
* What is damaged in the file is left out, told in the log once, and counted.
* All methods may be called from any thread. Reading never waits for writing.

docs/reference/history.md describes the file.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from nilometer.core.capability import Series
from nilometer.core.clock import SYSTEM
from nilometer.core.errors import Rejected
from nilometer.core.sqlite import file_of, guarded
from nilometer.core.wire import render
from nilometer.history import options, reader
from nilometer.history.damage import Damage
from nilometer.history.options import Options
from nilometer.history.pool import Pool
from nilometer.history.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from nilometer.core.clock import Clock
    from nilometer.core.record import Flush
    from nilometer.core.url import Url

__all__ = ["EXTRA", "SCHEMES", "URL_EXAMPLES", "Options", "Reader", "Store", "open", "open_reader"]

SCHEMES = ("sqlite",)
URL_EXAMPLES = (
    "sqlite:///nilometer.db",
    "sqlite:////var/lib/nilometer/nilometer.db?retention=14d&rollups=1m:60d,10m:730d",
)
EXTRA = ""


class Reader:
    """Reads a store's file, which another process may be writing."""

    def __init__(self, file: Path, clock: Clock = SYSTEM) -> None:
        self.file, self._clock = file, clock
        self._pool = Pool(file)
        self.damage = Damage(str(file))

    def find(self, pattern: str = "*", limit: int = 10_000, after: str = "") -> list[str]:
        """Return the first `limit` paths after `after` that match the glob, sorted. Raise `Unavailable`, `StoreError`."""
        with guarded(self.file), self._pool.snapshot() as db:
            return [] if db is None else reader.find(db, pattern, limit, after)

    def count(self, pattern: str, limit: int) -> int:
        """Return how many paths match the glob, `limit` when there are more. Raise `Unavailable`, `StoreError`."""
        with guarded(self.file), self._pool.snapshot() as db:
            return 0 if db is None else reader.count(db, pattern, limit)

    def read(self, paths: Sequence[str], start: float, end: float) -> list[Series]:
        """Return each path's points with ``start <= time <= end``. Raise `Unavailable`, `StoreError`."""
        with guarded(self.file), self._pool.snapshot() as db:
            if db is None:
                return [Series(path, (), ()) for path in paths]
            return reader.read(db, paths, start, end, self._clock.time(), damage=self.damage)

    def check(self) -> str:
        """Say how much the file holds. Raise `Unavailable`, `StoreError`."""
        with guarded(self.file), self._pool.snapshot() as db:
            if db is None:
                return f"{self.file}: not there yet, made with the first flush"
            (series,) = db.execute("SELECT count(*) FROM history_series").fetchone()
            return f"{self.file}: {series} series, {self.file.stat().st_size / 1e6:.1f} MB"

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()


class Store(Reader):
    """Reads and writes a store's file."""

    def __init__(self, url: Url, clock: Clock = SYSTEM) -> None:
        self._options, self._levels = options.read(url)
        super().__init__(file_of(url), clock)
        self._naming = self._options.naming(url)
        self._writing = Lock()
        self._writer: Writer | None = None

    def write(self, flush: Flush) -> None:
        """Store the flush. Raise `Rejected` for a time that cannot be right, `Unavailable`, `StoreError`."""
        points = render.points(flush, self._naming)
        with self._writing, guarded(self.file):
            try:
                self.writer().write(points, flush.window.interval)
            except Rejected:
                raise
            except BaseException:
                self._close_writer()
                raise

    def left_out(self) -> Mapping[tuple[str, str], int]:
        """Return how many damaged blocks and rows were met since the last call, by writing and by this object's reads."""
        return {("store", "damaged"): self.damage.taken()}

    def close(self) -> None:
        """Close the file and give up its lock; what was written is stored."""
        with self._writing:
            self._close_writer()
        super().close()

    def writer(self) -> Writer:
        """Return what writes the file, opened when it is not. For one thread at a time: `write` takes care of that."""
        if self._writer is not None and self._writer.moved():
            self._close_writer()
        if self._writer is None:
            self._writer = Writer(self.file, self._options, self._levels, self._clock, self.damage)
        return self._writer

    def _close_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()


def open(url: Url) -> Store:  # noqa: A001 each backend has this name
    """Open ``sqlite:///name.db``; the file is made with the first flush. Raise `UrlError` for a wrong option."""
    return Store(url)


def open_reader(url: Url) -> Reader:
    """Open a store's file for reading only. Raise `UrlError` when the URL names none."""
    return Reader(file_of(url))
