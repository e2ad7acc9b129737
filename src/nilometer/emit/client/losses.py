"""What the client drops, by reason.

==============  ========================================================================================
reason          lines that
==============  ========================================================================================
``queue``       came while so many waited that there was no room: the server is away, or too slow
``network``     the system would not take, or a stream could not send before the end
``refused``     nobody listened for, as far as the system says so
``too_long``    do not fit into a datagram
``name``        have a name of which nothing is left
``value``       have a value that is no finite number, or a rate that is none
``kind``        are of a type that does not exist, or that the dialect has no words for
``closed``      came after the client was closed
``error``       failed in a way that nobody foresaw
==============  ========================================================================================
"""

from __future__ import annotations

from threading import RLock

REASONS = ("queue", "network", "refused", "too_long", "name", "value", "kind", "closed", "error")


class Lost(Exception):
    """A line cannot be made. Never leaves the client."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Losses:
    """Counts of what is lost, by reason. Any thread may count; a signal's handler, too."""

    def __init__(self, reasons: tuple[str, ...] = REASONS) -> None:
        self._counts = dict.fromkeys(reasons, 0)
        self._lock = RLock()

    def count(self, reason: str, lines: int = 1) -> None:
        """Count what is lost."""
        with self._lock:
            self._counts[reason] += lines

    def totals(self) -> dict[str, int]:
        """Return all counts since the start; 0 where nothing was lost."""
        with self._lock:
            return dict(self._counts)

    def forked(self) -> None:
        """Begin anew in a child: what the parent lost, the parent tells."""
        self._counts = dict.fromkeys(self._counts, 0)
        self._lock = RLock()
