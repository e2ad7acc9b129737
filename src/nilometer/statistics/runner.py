"""Statistics moved on through the inbox: a thread that reads what they have not seen, and applies what it comes to.

Rules:

* Statistics with the same offset go together: the inbox is read once, and a plugin processes a message once, for all of them.
  One that lags behind catches up with the next before it, and goes on with it from there.
* A batch and the offsets are one transaction. When somebody else moved a statistic, its offset is read anew.
* A plugin that raises is applied up to the message before, then stopped; the others go on.
* While the store is away the same is tried again after a delay that grows.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from nilometer.core.backoff import Backoff
from nilometer.core.clock import SYSTEM
from nilometer.core.errors import NilometerError, Rejected
from nilometer.core.statistics import Progress, State
from nilometer.statistics.raised import said
from nilometer.statistics.tallying import tallied

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from nilometer.core.capability import StatisticsStore
    from nilometer.core.clock import Clock
    from nilometer.core.statistics import Message, Tally
    from nilometer.statistics.plugin import Statistic
    from nilometer.statistics.tallying import Failure

    Told = Callable[[frozenset[str]], None]

LOG = logging.getLogger(__name__)
ANEW = "statistic %s: it was of version %d, now it is of %d: its rows are made anew, of the messages that the inbox still has"
BATCH = 5000
"""Messages that are read and applied at a time, at most."""
SECONDS = 1.0
"""For how long new messages are waited for: others may write the inbox, too."""
REST = 0.05
"""Seconds, at most, for which who writes the inbox goes first after a batch that was not full: as long as that took."""
FIRST, LONGEST = 0.5, 30.0
"""Bounds of the delay between attempts, in seconds."""


class Runner:
    """Moves statistics on. `told` hears which have other rows. `wake` says that the inbox has more."""

    def __init__(self, store: StatisticsStore, statistics: Sequence[Statistic], told: Told, clock: Clock = SYSTEM) -> None:
        self._store, self._told, self._clock = store, told, clock
        self._statistics = {statistic.ident: statistic for statistic in statistics}
        self._progress: dict[str, Progress] = {}
        self._lock = threading.Lock()
        self._more, self._stop = threading.Event(), threading.Event()
        self.error, self._full = "", False
        self._thread = threading.Thread(target=self._run, name="nilometer-statistics", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Look at the inbox now."""
        self._more.set()

    def close(self, deadline: float) -> None:
        """End after the batch that is being applied, within so many seconds."""
        self._stop.set()
        self._more.set()
        if self._thread.ident is not None:
            self._thread.join(deadline)

    def progress(self) -> dict[str, Progress]:
        """Return how far each statistic is, by ident, as far as was known last."""
        with self._lock:
            return {ident: self._progress.get(ident, Progress(ident)) for ident in sorted(self._statistics)}

    def retry(self) -> None:
        """Let those that were stopped try again, with the next step."""
        with self._lock:
            self._progress = {}
        self.wake()

    def look(self) -> None:
        """Read from the store how far each statistic is; new ones are registered, stopped ones try again at the start."""
        with self._lock:
            first = not self._progress
        found = {each.ident: each for each in self._store.progress()} if not first else self._registered()
        with self._lock:
            self._progress = {ident: found[ident] for ident in self._statistics if ident in found}

    def _registered(self) -> dict[str, Progress]:
        found = {}
        begin = max(self._store.inbox().first - 1, 0)
        held = {each.ident: each for each in self._store.progress()}
        for ident, statistic in self._statistics.items():
            plugin = statistic.plugin
            found[ident] = self._store.register(ident, plugin.kind, plugin.version, offset=begin)
            if ident in held and (held[ident].version != plugin.version or found[ident].offset < held[ident].offset):
                LOG.warning(ANEW, ident, held[ident].version, plugin.version)
            if found[ident].state is State.STOPPED:
                self._store.resume(ident)
                found[ident] = self._store.register(ident, plugin.kind, plugin.version)
        return found

    def _run(self) -> None:
        delays = Backoff(FIRST, LONGEST)
        while not self._stop.is_set():
            self._more.clear()
            began = self._clock.monotonic()
            try:
                moved = self.step()
            except NilometerError as error:
                self._failed(str(error))
                self._clock.wait(self._stop, delays.failed())
                continue
            except Exception as error:  # a fault of ours must not end the thread
                LOG.exception("statistics could not be moved on")
                self._failed(f"{type(error).__name__}: {error}")
                self._clock.wait(self._stop, delays.failed())
                continue
            self.error = ""
            delays.reset()
            if not moved:
                self._more.wait(SECONDS)
            elif not self._full:
                self._clock.wait(self._stop, min(self._clock.monotonic() - began, REST))

    def _failed(self, reason: str) -> None:
        if reason != self.error:
            LOG.warning("statistics do not move on: %s", reason)
        self.error = reason

    def step(self) -> bool:
        """Move each group of statistics on by a batch. Return whether any moved. Raise as the store does."""
        if not self._progress:
            self.look()
        offsets = sorted({each.offset for each in self._progress.values() if each.state is State.RUNNING})
        moved = self._full = False
        if not offsets:
            return False
        for offset, following in zip(offsets, [*offsets[1:], None], strict=True):
            messages = self._store.read_inbox(offset, BATCH)
            if following is not None:
                messages = [message for message in messages if message.number <= following]
            if messages:
                moved = True
                self._full = self._full or len(messages) >= BATCH
                self._batch(offset, messages)
            if self._stop.is_set():
                break
        return moved

    def _batch(self, offset: int, messages: list[Message]) -> None:
        """Move the statistics at one offset over messages."""
        going = [
            self._statistics[each.ident]
            for each in self._progress.values()
            if each.offset == offset and each.state is State.RUNNING
        ]
        found = tallied(going, messages)
        failed = {statistic.ident for failure in found.failures for statistic in failure.statistics}
        well = {ident: tally for ident, tally in found.tallies.items() if ident not in failed}
        done = not well or self._applied(well, offset, messages)
        for failure in found.failures:
            tallies = {statistic.ident: found.tallies[statistic.ident] for statistic in failure.statistics}
            done = self._stopped(failure, tallies, offset) and done
        self._moved(well.keys(), messages[-1].number, done=done and not failed)
        changed = frozenset(ident for ident, tally in found.tallies.items() if tally) | failed
        if changed:
            self._told(frozenset(changed))

    def _applied(self, tallies: dict[str, Tally], offset: int, messages: list[Message]) -> bool:
        """Apply tallies; one that the store refuses is sought out, and its statistic stopped."""
        try:
            return self._store.apply(tallies, offset, messages[-1].number)
        except Rejected:
            for ident, tally in tallies.items():
                try:
                    self._store.apply({ident: tally}, offset, messages[-1].number)
                except Rejected as error:
                    LOG.error("statistic %s stopped, as its rows cannot be stored: %s", ident, error)  # noqa: TRY400 the reason is the message
                    self._store.stop(ident, str(error), messages[0], self._clock.time())
            return False

    def _moved(self, well: Collection[str], upto: int, *, done: bool) -> None:
        """Remember where statistics are; read it where somebody else was there, or some stopped."""
        if not done:
            self.look()
            return
        with self._lock:
            for ident in well:
                self._progress[ident] = replace(self._progress[ident], offset=upto)

    def _stopped(self, failure: Failure, tallies: dict[str, Tally], offset: int) -> bool:
        """Apply what came before a failure, and stop. Return whether nobody else was there."""
        before = failure.message.number - 1
        if before > offset and not self._store.apply(tallies, offset, before):
            return False
        error = said(failure.error)
        for statistic in failure.statistics:
            self._store.stop(statistic.ident, error, failure.message, self._clock.time())
        LOG.error("statistics %s stopped at message %s: %s", ", ".join(tallies), failure.message.id, error)
        return True
