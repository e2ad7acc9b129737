"""An archive and an inbox in this process: the one fails as a test says, the other forgets, and both count."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nilometer.core.capability import ArchivePage
from nilometer.core.errors import Rejected, Unavailable
from nilometer.core.record import Event
from nilometer.core.statistics import Inbox
from nilometer.core.statistics.coverage import union
from nilometer.statistics.filler.taking import SEEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from nilometer.core.statistics import Covered


def event(number: int, time: float) -> Event:
    """Return a message of its own."""
    return Event(f"id-{number}", time, "org.example.prod.git.receive", payload={"n": number})


class ArchiveInMemory:
    """Messages by the time they were sent. `failing` may raise for a question, or change the page that answers it."""

    def __init__(self, events: Iterable[Event] = (), size: int = 100) -> None:
        self.events, self.size = list(events), size
        self.failing: Callable[[float, float, int, ArchivePage], ArchivePage] | None = None
        self.asked: list[tuple[float, float, int]] = []
        self.closed = False

    def read_page(self, start: float, end: float, page: int) -> ArchivePage:
        """Return a page of what was sent from `start` to `end`, both included."""
        self.asked.append((start, end, page))
        found = sorted((each for each in self.events if start <= each.time <= end), key=lambda each: each.time)
        begin = (page - 1) * self.size
        answer = ArchivePage(found[begin : begin + self.size], len(found), math.ceil(len(found) / self.size))
        return self.failing(start, end, page, answer) if self.failing else answer

    def close(self) -> None:
        """Be closed."""
        self.closed = True


def down(start: float, end: float, page: int, answer: ArchivePage) -> ArchivePage:
    """Fail, whatever is asked for."""
    del start, end, page, answer
    message = "archive: away"
    raise Unavailable(message)


class InboxInMemory:
    """The inbox of a store, and what is covered. `counted` is how often each id was new; `expire` forgets ids.

    `coverage` is of every source but the `others`.

    While `away`, it raises `Unavailable`; ids in `refused` it rejects.
    """

    def __init__(self) -> None:
        self.arrived: dict[str, float] = {}
        self.counted: dict[str, int] = {}
        self.coverage: list[Covered] = []
        self.others: dict[str, list[Covered]] = {SEEN: []}
        self.away = False
        self.refused: set[str] = set()

    def take_in(
        self, events: Sequence[Event], *, arrived: float, source: str, archived: bool = False, covered: Sequence[Covered] = ()
    ) -> list[Event]:
        """Take what is new, and note what is covered."""
        del archived
        self._check()
        if any(each.id in self.refused for each in events):
            message = "refused"
            raise Rejected(message)
        new = {each.id: each for each in events if each.id not in self.arrived}
        for id_ in new:
            self.arrived[id_] = arrived
            self.counted[id_] = self.counted.get(id_, 0) + 1
        self.cover(source, covered)
        return list(new.values())

    def inbox(self) -> Inbox:
        """Return what it holds."""
        first = len(self.counted) - len(self.arrived) + 1
        return Inbox(len(self.arrived), first, len(self.counted), min(self.arrived.values(), default=None))

    def covered(self, source: str) -> list[Covered]:
        """Return what is covered."""
        self._check()
        return list(self.others.get(source, self.coverage))

    def sources(self) -> list[str]:
        """Return the sources that a test gave something to."""
        return sorted(self.others)

    def cover(self, source: str, covered: Sequence[Covered]) -> None:
        """Note what is covered."""
        self._check()
        if source in self.others:
            self.others[source] = union([*self.others[source], *covered])
        else:
            self.coverage = union([*self.coverage, *covered])

    def expire(self, before: float) -> None:
        """Forget what arrived before."""
        self.arrived = {id_: at for id_, at in self.arrived.items() if at >= before}

    def _check(self) -> None:
        if self.away:
            message = "store: away"
            raise Unavailable(message)
