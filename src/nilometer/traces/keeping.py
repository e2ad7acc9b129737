"""The way of spans from who brings them to who keeps them: written down, sampled, then put into the store and into sinks.

Rules:

* `offer` takes all of the spans or none. When it returns they are on disk (`journal`), and stay there until the store and
  every sink have them, or have them on disk themselves: a process that is killed loses nothing, and reads them again. A span
  may be stored twice by that, which changes nothing.
* It waits for no store: what the store does not take yet waits in its spool. While more than `queue` spans are in memory
  alone, or the journal is full, `Full` is raised: who brings spans comes again.
* `told` hear of every span once, before sampling; `dropped` of the traces that sampling drops.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nilometer.core.clock import SYSTEM
from nilometer.core.intake.spans import Full
from nilometer.traces.policy import Policy
from nilometer.traces.sampling import Sampler

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nilometer.core.clock import Clock
    from nilometer.core.spans import SpanWorker
    from nilometer.core.traces.span import Span
    from nilometer.traces.journal import Journal
    from nilometer.traces.sampling import Outcome

    Tell = Callable[[Sequence[Span]], None]

LOG = logging.getLogger(__name__)
TICK = 0.2
"""Seconds between two looks at what is due."""
PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """How sampling goes: its policy, the seconds that spans of a trace are awaited, how many traces and spans may wait."""

    policy: Policy = field(default_factory=Policy)
    wait: float = 10.0
    traces: int = 20_000
    queue: int = 50_000


class Keeping:
    """Takes spans in for workers, the store's first; owns the journal. Any thread may call `offer`."""

    def __init__(  # noqa: PLR0913 what it stands between
        self,
        journal: Journal,
        workers: Sequence[SpanWorker],
        bounds: Bounds,
        *,
        told: Sequence[Tell] = (),
        dropped: Callable[[Sequence[str]], None] = lambda _: None,
        clock: Clock = SYSTEM,
    ) -> None:
        self._journal, self._workers, self._bounds, self._clock = journal, list(workers), bounds, clock
        self._told, self._dropped = told, dropped
        self._sampler = Sampler(bounds.policy, wait=bounds.wait, traces=bounds.traces, spans=bounds.queue)
        self._lock = threading.Lock()
        self._handed = self._unstored = 0
        self._pending: deque[tuple[int, Counter[int]]] = deque()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="nilometer-traces", daemon=True)
        self._wake = threading.Event()
        self.taken = self.kept = self.sampled = self.refused = 0

    def start(self) -> None:
        """Take in what the last run left, if anybody keeps it, then begin to look at what is due."""
        with self._lock:
            self._take_left()
        self._thread.start()

    def _take_left(self) -> None:
        again = 0
        for spans in self._journal.left() if self._workers else ():
            self._sample(spans, self._journal.append(spans, again=True))
            again += len(spans)
        if again:
            LOG.info("%d spans of the last run are taken in again", again)

    def use(self, bounds: Bounds, workers: Sequence[SpanWorker], size: int) -> None:
        """Use other settings, other workers and a journal of that size from now on; workers that are gone are the caller's."""
        with self._lock:
            self._journal.size = size
            self._bounds, self._workers = bounds, list(workers)
            self._sampler.use(bounds.policy, wait=bounds.wait, traces=bounds.traces, spans=bounds.queue)
            self._take_left()
        self._wake.set()

    def offer(self, spans: Sequence[Span]) -> None:
        """Take spans over, all of them. Raise `Full` or `Unavailable`: then nothing has happened, and one may try again."""
        if not spans:
            return
        with self._lock:
            self._check(len(spans))
            number = self._journal.append(spans) if self._workers else 0
            self.taken += len(spans)
            self._tell(spans)
            self._sample(spans, number)
        self._wake.set()

    def _check(self, more: int) -> None:
        if self._stop.is_set():
            message = "the server ends; try again soon"
            raise Full(message)
        waiting = self._in_memory()
        if waiting and waiting + more > self._bounds.queue:
            self.refused += more
            message = f"{waiting} spans wait; try again later"
            raise Full(message)

    def _in_memory(self) -> int:
        self._unstored = self._workers[0].held if self._workers else 0
        return self._sampler.held + self._unstored

    def _tell(self, spans: Sequence[Span]) -> None:
        for tell in self._told:
            try:
                tell(spans)
            except Exception:  # a fault in who is told must not have spans come again
                LOG.exception("who is told of spans failed")

    def _sample(self, spans: Sequence[Span], number: int) -> None:
        self._pass(self._sampler.take(spans, number, self._clock.monotonic()))

    def _pass(self, found: Outcome) -> None:
        """Give what is kept to the workers, and note what is dropped."""
        if found.kept:
            spans = [span for span, _ in found.kept]
            for worker in self._workers:
                worker.put(spans)
            self._handed += len(spans)
            self.kept += len(spans)
            self._pending.append((self._handed, Counter(number for _, number in found.kept)))
        if found.dropped:
            self.sampled += found.dropped.total()
            self._journal.done(found.dropped)
        if found.gone:
            self._dropped(found.gone)

    def _run(self) -> None:
        while not self._clock.wait(self._stop, TICK):
            try:
                waits = self.tend()
            except Exception:  # a fault of ours must not end the thread
                LOG.exception("spans that wait could not be looked at")
            else:
                if not waits:
                    self._clock.wait(self._wake, None)

    def tend(self) -> bool:
        """Decide upon what is due, and forget what all who keep spans have. Return whether anything waits still."""
        with self._lock:
            self._pass(self._sampler.due(self._clock.monotonic()))
            self._release()
            self._wake.clear()
            return bool(self._pending or self._sampler.traces) or self._stop.is_set()

    def _release(self) -> None:
        held = [worker.held for worker in self._workers] or [0]
        self._unstored, safe = held[0], self._handed - max(held)
        done: Counter[int] = Counter()
        while self._pending and self._pending[0][0] <= safe:
            done.update(self._pending.popleft()[1])
        if done:
            self._journal.done(done)

    def end(self) -> None:
        """Take no more. What is undecided stays in the journal."""
        with self._lock:
            self._stop.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(PATIENCE)

    def close(self) -> None:
        """Let the journal go, once the workers have ended: what neither they nor their disks have stays in it."""
        with self._lock:
            self._release()
            self._journal.close()

    @property
    def waiting(self) -> int:
        """How many spans waited, for a decision or for the store, when that was last looked at. Takes no lock."""
        return self._sampler.held + self._unstored

    @property
    def undecided(self) -> int:
        """How many traces wait for a decision."""
        return self._sampler.traces

    @property
    def early(self) -> int:
        """How many traces were decided upon before their time, for want of room."""
        return self._sampler.early

    @property
    def decided(self) -> dict[str, int]:
        """How many traces were kept and dropped since the start, by reason."""
        return {str(reason): number for reason, number in self._sampler.counts.items()}

    @property
    def written_down(self) -> int:
        """How many bytes are written down."""
        return self._journal.stored_bytes
