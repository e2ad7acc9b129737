"""A tap in Python: the rules are in `nilometer.ingest.kernel`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.ingest._reference.relay import Target

if TYPE_CHECKING:
    from collections.abc import Callable


class ReferenceTap:
    """Copies lines for somebody who looks on; never lets a caller of `offer` wait."""

    def __init__(self, queue_bytes: int, detach: Callable[[], None]) -> None:
        self._lines, self._detach = Target(stream=True, bound=queue_bytes), detach

    def offer(self, data: bytes) -> None:
        """Take the lines of a packet."""
        for line in filter(None, data.split(b"\n")):
            self._lines.send(line)

    def take(self, seconds: float) -> bytes | None:
        """Wait for lines."""
        parcel = self._lines.take(seconds)
        return None if parcel is None else parcel[0]

    def missed(self) -> int:
        """Return how many lines there was no room for."""
        return self._lines.counts.dropped

    def stop(self) -> None:
        """Copy nothing more."""
        self._detach()
        self._lines.close()
