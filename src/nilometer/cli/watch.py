"""Watches a file: `changed` says once for each change that it has another content, when that has settled.

Rules:

* Looking costs one ``stat``; content is compared by time of change, size and inode, so that a file that is replaced is noticed.
* A file that is being written, or is away for a moment, is waited for: it must have stayed the same for `SETTLED` seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.clock import SYSTEM

if TYPE_CHECKING:
    from pathlib import Path

    from nilometer.core.clock import Clock

SETTLED = 0.15


class State(NamedTuple):
    """What tells one content of a file from another: time of change (ns), size (bytes), device and inode."""

    changed: int
    size: int
    device: int
    inode: int


class Watch:
    """One file. Call `changed` now and then."""

    def __init__(self, file: Path, clock: Clock = SYSTEM) -> None:
        self._file, self._clock = file, clock
        self._known = self._seen = self._look()
        self._since = clock.monotonic()

    def _look(self) -> State | None:
        try:
            found = self._file.stat()
        except OSError:
            return None
        return State(found.st_mtime_ns, found.st_size, found.st_dev, found.st_ino)

    def note(self) -> None:
        """Take the file as it is now for known."""
        self._known = self._seen = self._look()

    def changed(self) -> bool:
        """Return whether the file has changed since the last time that this said so."""
        now, found = self._clock.monotonic(), self._look()
        if found != self._seen:
            self._seen, self._since = found, now
        if found is None or found == self._known or now - self._since < SETTLED:
            return False
        self._known = found
        return True
