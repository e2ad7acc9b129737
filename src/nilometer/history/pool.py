"""Connections for reading, shared by threads: each read takes one, and gives it back."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from nilometer.history import layout

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

MOST_IDLE = 4


class Pool:
    """Read-only connections to one file. One that was opened on a file since replaced is not used again."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = Lock()
        self._idle: list[tuple[tuple[int, int], sqlite3.Connection]] = []

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection | None]:
        """Give a connection inside a transaction that sees one moment, None while there is no store yet.

        Raise sqlite3.Error, OSError, and `StoreError` for a file of a newer version.
        """
        if not self._file.exists() and self._file.parent.is_dir():
            yield None
            return
        found = self._file.stat()
        place = (found.st_dev, found.st_ino)
        db = self._take(place)
        try:
            db.execute("BEGIN")
            yield db if layout.version(db, self._file) else None
            db.execute("COMMIT")
        except BaseException:
            db.close()
            raise
        self._give(place, db)

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for _, db in idle:
            db.close()

    def _take(self, place: tuple[int, int]) -> sqlite3.Connection:
        with self._lock:
            while self._idle:
                opened, db = self._idle.pop()
                if opened == place:
                    return db
                db.close()
        return layout.connect(self._file, write=False)

    def _give(self, place: tuple[int, int], db: sqlite3.Connection) -> None:
        with self._lock:
            if len(self._idle) < MOST_IDLE:
                self._idle.append((place, db))
                return
        db.close()
