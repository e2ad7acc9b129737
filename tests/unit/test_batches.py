"""Where events wait: whatever happens in whatever order, they come out in theirs, and each is delivered, kept or counted."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from nilometer.core.batches import BATCH, BatchBacklog
from nilometer.core.events import EVENTS, Batch, EventSpool
from nilometer.core.losses import Losses
from nilometer.core.record import Event

if TYPE_CHECKING:
    from nilometer.core.backlog import Attempt

ROOM = 700
SMALL = 20_000
"""Bytes of a spool that has room for some events."""


class Backlogs(RuleBasedStateMachine):
    """A backlog with or without a spool, whose disk may fail, beside a list."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.losses = Losses()
        self.put, self.written = 0, list[int]()
        self.attempt: Attempt[Batch] | None = None

    @initialize(kept=st.booleans(), size=st.sampled_from([SMALL, 1 << 24]))
    def begin(self, kept: bool, size: int) -> None:  # noqa: FBT001 Hypothesis draws it
        self.backlog = BatchBacklog[Event]("test", self.losses, ROOM, "event", "events")
        if kept:
            self.backlog.keep(EventSpool(self.directory, EVENTS, size=size, age=1e6, losses=self.losses))

    @property
    def directory(self) -> Path:
        return Path(self.folder.name) / "spool"

    @rule(number=st.integers(1, BATCH + 100))
    def take(self, number: int) -> None:
        """Events come in, numbered."""
        events = [Event(str(self.put + each), 5.0, "type") for each in range(number)]
        self.backlog.take(events)
        self.put += number

    @rule()
    def spill(self) -> None:
        self.backlog.spill()

    @rule()
    def look(self) -> None:
        """The sink is tried, or tried again after it failed."""
        self.attempt = self.backlog.next()

    @precondition(lambda self: self.attempt is not None)
    @rule()
    def write(self) -> None:
        """The sink takes the batch."""
        assert self.attempt is not None
        self.written += [int(event.id) for event in self.attempt.record]
        self.backlog.settle(self.attempt)
        self.attempt = None

    @precondition(lambda self: self.backlog.kept)
    @rule()
    def fail(self) -> None:
        (self.directory / "next.tmp").mkdir(exist_ok=True)

    @precondition(lambda self: self.backlog.kept)
    @rule()
    def recover(self) -> None:
        if (self.directory / "next.tmp").is_dir():
            (self.directory / "next.tmp").rmdir()

    def lost(self) -> int:
        return sum(number for (stage, _), number in self.losses.totals().items() if stage == "event")

    @invariant()
    def events_are_written_in_order_and_once(self) -> None:
        assert self.written == sorted(set(self.written))

    @invariant()
    def memory_is_bounded(self) -> None:
        if hasattr(self, "backlog"):
            assert len(self.backlog.inbox) <= ROOM
            assert self.backlog.queued <= 1

    def teardown(self) -> None:
        if hasattr(self, "backlog"):
            self.recover() if self.backlog.kept else None
            while (attempt := self.backlog.next()) is not None:
                self.written += [int(event.id) for event in attempt.record]
                self.backlog.settle(attempt)
            assert self.written == sorted(set(self.written))
            assert len(self.written) + self.lost() >= self.put
            assert len(self.written) <= self.put
            assert self.backlog.idle
            self.backlog.close()
        self.folder.cleanup()


TestBacklogs = Backlogs.TestCase
TestBacklogs.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
