"""One window of an archive, read until all of it came.

Rules:

* An archive counts its pages anew with each question: a message may come twice, or slip through between two pages. So a window
  is read again until it gave as many different ones as it says there are.
* Messages are different by id and time, as archives tell them apart.
* Everything is bounded: pages of one pass, and passes that bring nothing new.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.core.capability import ArchivePage
    from nilometer.core.record import Event

    Read = Callable[[int], ArchivePage]

MOST_PAGES = 1000
"""Pages of one pass; more are not read."""
IDLE = 2
"""Passes that bring nothing new, after which a window is not read again at once."""


@dataclass(slots=True)
class Gathered:
    """What came of one window: different messages, how many the archive says there are, and entries that are no message."""

    events: dict[tuple[str, float], Event] = field(default_factory=dict)
    total: int = 0
    bad: int = 0

    @property
    def complete(self) -> bool:
        """Whether all of it came."""
        return len(self.events) + self.bad >= self.total

    @property
    def absent(self) -> int:
        """How many did not come."""
        return max(self.total - len(self.events) - self.bad, 0)


def whole(read: Read, begun: ArchivePage, gathered: Gathered) -> None:
    """Read a window, of which `begun` is the first page, until it is complete or brings nothing more. Raise as `read` does."""
    page: ArchivePage | None = begun
    idle = 0
    while idle < IDLE:
        before = len(gathered.events)
        _pass(read, page or read(1), gathered)
        if gathered.complete:
            return
        idle = idle + 1 if len(gathered.events) == before else 0
        page = None


def _pass(read: Read, page: ArchivePage, gathered: Gathered) -> None:
    """Read the pages of a window once."""
    number, total, bad = 1, 0, 0
    while True:
        total, bad = max(total, page.total), bad + page.bad
        gathered.events |= {(event.id, event.time): event for event in page.events}
        is_empty = not page.events and not page.bad
        if is_empty or number >= MOST_PAGES or (number >= page.pages and len(gathered.events) + bad >= total):
            break
        number += 1
        page = read(number)
    gathered.total, gathered.bad = total, max(gathered.bad, bad)
