"""Takes messages from one bus: read, kept, then settled.

Rules:

* A message is settled after its event is kept: one that a killed server had taken comes again, and its event is
  known then. So every event that a bus delivers at least once is stored exactly once.
* While the store is away nothing more is received and nothing is settled: events wait on the bus.
* A message that is no event is counted, shown in the log as `refused` allows, and settled: it would never become one.
* Whatever a source raises is taken as being away; it is asked again after a delay that grows.
"""

from __future__ import annotations

import dataclasses
import logging
import math
import threading
from typing import TYPE_CHECKING

from nilometer.core.backoff import Backoff
from nilometer.core.clock import SYSTEM
from nilometer.core.errors import InputError, NilometerError, Unavailable, UnknownType
from nilometer.core.intake.refused import RefusedLog
from nilometer.core.statistics.coverage import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nilometer.core.capability import MessageSource
    from nilometer.core.clock import Clock
    from nilometer.core.event_status import WayStatus
    from nilometer.core.intake.way import Way
    from nilometer.core.losses import Losses
    from nilometer.core.record import Event, Message

    Decode = Callable[[Message], Event]

LOG = logging.getLogger(__name__)
MOST = 500
"""Messages taken at a time."""
LARGEST = 4 << 20
"""Bytes in a message."""
SECONDS, AT_FIRST = 1.0, 0.05
"""For how long a source is waited for; a stop takes no longer. At first it is only looked whether it is there."""
FIRST, LONGEST = 0.5, 30.0
"""Bounds of the delay between attempts, in seconds."""


class Consumer:
    """A thread that takes from one source to one way. Owns the source. `decode` raises `InputError` for what is no event."""

    def __init__(self, way: Way, source: MessageSource, decode: Decode, losses: Losses, clock: Clock = SYSTEM) -> None:
        self._way, self._source, self._decode, self._losses, self._clock = way, source, decode, losses, clock
        self._refused = RefusedLog(way.name, clock)
        self._backoff = Backoff(FIRST, LONGEST)
        self._error, self._away_since = "", 0.0
        self._since: float | None = None
        self._upto = -math.inf
        self._stop, self._tried = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"events from {way.name}", daemon=True)

    @property
    def name(self) -> str:
        """What the source is called."""
        return self._way.name

    def start(self) -> None:
        """Begin to take messages."""
        self._thread.start()

    def await_first(self, seconds: float) -> None:
        """Wait until the source was connected to, or could not be, up to so many seconds."""
        self._tried.wait(seconds)

    def status(self) -> WayStatus:
        """Return how it fares."""
        return dataclasses.replace(self._way.status(), error=self._error, away_since=self._away_since if self._error else None)

    def consumed(self) -> Span | None:
        """Return since when the source is heard without a break, and up to when its messages are kept. None while away."""
        since = self._since
        return None if since is None or self._stop.is_set() else Span(since, self._upto)

    def end(self) -> None:
        """Take no more from now on. `close` waits for what was taken."""
        self._stop.set()

    def close(self, deadline: float) -> None:
        """End, and wait for at most so many seconds. What is not settled by then comes again."""
        self.end()
        if self._thread.ident is None:
            self._close_source()
            return
        self._thread.join(deadline)
        if self._thread.is_alive():
            LOG.warning("%s: did not end within %g s; what it had taken comes again", self._way.name, deadline)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                messages = self._receive()
                if messages:
                    self._take(messages)
        finally:
            self._close_source()

    def _receive(self) -> Sequence[Message]:
        """Return what has come; nothing, after a delay, when the source is away."""
        try:
            messages = self._source.receive(MOST, SECONDS if self._tried.is_set() else AT_FIRST)
        except Exception as error:  # noqa: BLE001 a fault of a backend must not end the thread; it is logged with its traceback
            self._away(error)
            self._tried.set()
            self._clock.wait(self._stop, self._backoff.failed())
            return ()
        self._well()
        self._tried.set()
        if not messages:  # none waits there
            self._upto = self._clock.time()
        return messages

    def _away(self, error: Exception) -> None:
        known = isinstance(error, NilometerError)
        reason = str(error) if known else f"{type(error).__name__}: {error}"
        if reason != self._error:
            LOG.warning("%s: no events come from there: %s", self._way.name, reason, exc_info=None if known else error)
        if not self._error:
            self._away_since = self._clock.time()
        self._error, self._since = reason, None

    def _well(self) -> None:
        if self._error:
            LOG.info("%s: events come again", self._way.name)
        self._error = ""
        if self._since is None:
            self._since, self._upto = self._clock.time(), -math.inf
        self._backoff.reset()

    def _take(self, messages: Sequence[Message]) -> None:
        events = [event for message in messages if (event := self._read(message)) is not None]
        self._way.received(len(events), len(messages) - len(events))
        if not events or self._kept(events):
            if events:
                self._upto = max(self._upto, min(self._clock.time(), *(event.time for event in events)))
            self._settle(messages)

    def _read(self, message: Message) -> Event | None:
        """Return the event of a message, None when there is none in it."""
        try:
            if len(message.body) > LARGEST:
                error = InputError(f"it has {len(message.body)} bytes, more than {LARGEST}")
            else:
                return self._decode(message)
        except InputError as wrong:
            error = wrong
        except Exception as fault:
            LOG.exception("%s: a message could not be read", self._way.name)
            error = InputError(f"{type(fault).__name__}: {fault}")
        if isinstance(error, UnknownType):
            self._losses.count("event", "unknown_type")
        else:
            self._losses.count("event", "bad_message")
        self._refused.show(message, str(error))
        return None

    def _kept(self, events: list[Event]) -> bool:
        """Keep events, again and again while the store is away. Return False when the server ends before that."""
        delays = Backoff(FIRST, LONGEST)
        while True:
            try:
                self._way.keep(events)
            except Unavailable:  # who keeps has told
                if self._clock.wait(self._stop, delays.failed()):
                    return False
            else:
                return True

    def _settle(self, messages: Sequence[Message]) -> None:
        try:
            self._source.settle(messages)
        except Exception as error:  # noqa: BLE001 see _receive; what is not settled comes again, and is known then
            self._away(error)

    def _close_source(self) -> None:
        try:
            self._source.close()
        except Exception:  # the thread ends here, whatever the backend does
            LOG.exception("%s: could not be closed", self._way.name)
