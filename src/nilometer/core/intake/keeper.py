"""The way of events into a store: every event once, and whoever wants to know is told of each that is new.

Rules:

* `keep` returns when the store has committed, or raises `Unavailable`: then nobody was told, and one may keep the same again.
* An event is new when the store says so, by its id. Nothing is told twice: an event whose commit was not confirmed (the store
  went away, the process was killed) counts as known when it comes again. So whoever is told, is told at most once.
* What the store refuses for good is sought out, one by one, counted and logged; the rest is kept.
* Without a store every event counts as new.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.clock import SYSTEM
from nilometer.core.errors import Rejected, Unavailable
from nilometer.core.event_status import KeepStatus
from nilometer.core.show import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nilometer.core.clock import Clock
    from nilometer.core.losses import Losses
    from nilometer.core.record import Event

    Put = Callable[[list[Event]], "Kept"]
    Tell = Callable[[Sequence[Event]], None]

LOG = logging.getLogger(__name__)
SHOWN = 80
"""Characters of an event's id in the log."""
LONG = 5.0
"""Seconds after which a store that has not answered is told of."""


class Kept(NamedTuple):
    """What became of events: those that were new, and how many were known."""

    new: list[Event]
    known: int


class Keeper:
    """Keeps events by `put`, which stores all or none and says which are new, under a store's name; None stores nothing.

    `told` hear of new ones, in this order. `nouns`: what they are called in the log. Any thread may call.
    """

    def __init__(  # noqa: PLR0913 what it stands between, and what to call it
        self,
        name: str,
        put: Put | None,
        losses: Losses,
        told: Sequence[Tell] = (),
        clock: Clock = SYSTEM,
        *,
        nouns: str = "events",
    ) -> None:
        self._name, self._put, self._losses, self._told, self._clock = name, put, losses, told, clock
        self._nouns = nouns
        self._lock = threading.Lock()  # between asking what is known and writing, nobody else writes
        self._error = ""
        self._away_since: float | None = None
        self._asked: float | None = None

    def status(self) -> KeepStatus | None:
        """Return how the store fares, None without one. A store that does not answer for `LONG` is away, too."""
        if self._put is None:
            return None
        asked, now = self._asked, self._clock.time()
        if asked is not None and now - asked > LONG:
            return KeepStatus(self._name, self._error or "does not answer", self._away_since or asked)
        return KeepStatus(self._name, self._error, self._away_since)

    def keep(self, events: Sequence[Event], also: Sequence[Tell] = ()) -> Kept:
        """Store events that are new, then tell of them, `also` these. Raise `Unavailable`, and nothing is told."""
        distinct: dict[str, Event] = {}
        for event in events:
            distinct.setdefault(event.id, event)
        first = list(distinct.values())
        kept = self._stored(self._put, first) if self._put is not None else Kept(first, 0)
        if kept.new:
            self._tell(kept.new, (*self._told, *also))
        return Kept(kept.new, kept.known + len(events) - len(distinct))

    def _stored(self, put: Put, events: list[Event]) -> Kept:
        try:
            with self._lock, self._asking():
                kept = self._write(put, events)
        except Exception as error:
            self._failed(error)
            if isinstance(error, Unavailable):
                raise
            message = f"{self._name}: {type(error).__name__}: {error}"
            raise Unavailable(message) from error
        self._well()
        return kept

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        self._asked = self._clock.time()
        try:
            yield
        finally:
            self._asked = None

    def _write(self, put: Put, events: list[Event]) -> Kept:
        """Store events; what the store refuses is sought out by halves."""
        try:
            return put(events)
        except Rejected as error:
            if len(events) == 1:
                LOG.error("%s: refused event %s, which is lost: %s", self._name, printable(events[0].id[:SHOWN]), error)  # noqa: TRY400 the reason is the message
                self._losses.count("event", "rejected")
                return Kept([], 0)
            middle = len(events) // 2
            first, second = self._write(put, events[:middle]), self._write(put, events[middle:])
            return Kept(first.new + second.new, first.known + second.known)

    def _failed(self, error: Exception) -> None:
        reason = str(error) if isinstance(error, Unavailable) else f"{type(error).__name__}: {error}"
        if reason != self._error:
            fault = None if isinstance(error, Unavailable) else error
            LOG.warning("%s: keeps no %s now: %s", self._name, self._nouns, reason, exc_info=fault)
        self._error, self._away_since = reason, self._away_since or self._clock.time()

    def _well(self) -> None:
        if self._error:
            LOG.info("%s: keeps %s again", self._name, self._nouns)
        self._error, self._away_since = "", None

    def _tell(self, events: list[Event], told: Sequence[Tell]) -> None:
        for tell in told:
            try:
                tell(events)
            except Exception:  # a fault in who is told must not have events come again
                LOG.exception("who is told of events failed")
