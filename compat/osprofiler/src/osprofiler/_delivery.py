"""From notifications to a backend: a queue, a thread that makes spans of them, and the pipe to the sink.

Rules:

* `put` appends to a bounded queue and returns: it takes no lock and touches no socket. What the queue has no room for is
  dropped, oldest first, and counted.
* The thread puts start and stop of a span together. A span that runs longer than `PATIENCE` is sent as a start first.
* A forked child begins anew; at the end of the process, what waits is delivered within the pipe's patience.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from nilometer.backends import registry
from nilometer.core.errors import InputError
from nilometer.core.losses import Losses
from nilometer.core.spans import SpanWorker
from nilometer.core.traces.span import merge
from nilometer.core.wire import osprofiler as wire
from nilometer.emit import lifetime

if TYPE_CHECKING:
    from nilometer.core.capability import SpanSink
    from nilometer.core.traces.span import Span

LOG = logging.getLogger(__name__)
ROOM = 20_000
"""Notifications that wait to be made spans, at most."""
OPEN = 10_000
"""Spans that have started and not ended, at most; the oldest are sent as they are."""
PATIENCE = 5.0
"""Seconds that a start waits for its stop."""
PAUSE = 0.1
"""Seconds for which notifications are gathered."""
_made: dict[str, Delivery] = {}
_lock = threading.Lock()


class Delivery:
    """The way to one URL. `of` returns the one of this process."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._begin()
        self._sink: SpanSink | None = registry.open(url, registry.SPANS)
        lifetime.follow(self)
        atexit.register(self.close, lifetime.PATIENCE)

    @classmethod
    def of(cls, url: str) -> Delivery:
        """Return the way to a URL; there is one in a process."""
        with _lock:
            if url not in _made:
                _made[url] = cls(url)
            return _made[url]

    def _begin(self) -> None:
        self._waiting: deque[dict[str, Any]] = deque()
        self._open: dict[tuple[str, str], tuple[float, Span]] = {}
        self._losses = Losses()
        self._wake, self._closing, self._idle = threading.Event(), threading.Event(), threading.Event()
        self._worker: SpanWorker | None = None
        self._thread: threading.Thread | None = None

    def put(self, document: dict[str, Any]) -> None:
        """Take a notification."""
        self._waiting.append(document)
        if len(self._waiting) > ROOM:
            self._drop()
        if self._thread is None:
            self._start()
        if not self._wake.is_set():
            self._idle.clear()
            self._wake.set()

    def _drop(self) -> None:
        try:
            self._waiting.popleft()
        except IndexError:
            return
        self._losses.count("span", "sink")

    def _start(self) -> None:
        with _lock:
            if self._thread is None:
                lifetime.end_with_multiprocessing(self)
                self._thread = threading.Thread(target=self._run, name="osprofiler", daemon=True)
                self._thread.start()

    @property
    def lost(self) -> int:
        """How many notifications and spans were lost."""
        return sum(self._losses.totals().values())

    def flush(self, timeout: float) -> bool:
        """Wait until all that was taken, open spans but for their stops, is with the backend. Return whether it is."""
        end = time.monotonic() + timeout
        if self._thread is None:
            return True
        self._wake.set()
        while time.monotonic() < end:
            if not self._waiting and self._idle.wait(0.01) and (self._worker is None or self._worker.idle):
                return True
        return False

    # -- the thread ----------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            sink, self._sink = self._sink or registry.open(self._url, registry.SPANS), None
            self._worker = SpanWorker(self._url.partition("?")[0], sink, self._losses)
        except Exception:
            LOG.exception("no traces: %s cannot be opened", self._url.partition("?")[0])
            return
        while not self._closing.is_set():
            self._wake.wait(PATIENCE if self._open else None)
            self._wake.clear()
            self._closing.wait(PAUSE)
            self._drain(time.monotonic())
            if not self._waiting:
                self._idle.set()

    def _drain(self, now: float) -> None:
        ready = [span for span in map(self._made_of, list(self._taken())) if span is not None]
        done = [whole for span in ready if (whole := self._paired(span, now)) is not None]
        if self._worker is not None and (done := [*done, *self._overdue(now)]):
            self._worker.put(done)

    def _taken(self) -> list[dict[str, Any]]:
        found = []
        while self._waiting:
            found.append(self._waiting.popleft())
        return found

    def _made_of(self, document: dict[str, Any]) -> Span | None:
        try:
            return wire.half(document)
        except (InputError, ValueError, TypeError) as error:
            self._losses.count("span", "rejected")
            LOG.debug("a notification is none: %s", error)
            return None

    def _paired(self, span: Span, now: float) -> Span | None:
        """Return a span that can be sent: with its start where that is here."""
        key = span[:2]
        if span.part == "start":
            self._open[key] = (now, span)
            return None
        start = self._open.pop(key, None)
        return span if start is None else merge((start[1], span))[0]

    def _overdue(self, now: float, patience: float = PATIENCE) -> list[Span]:
        """Return the starts that have waited long enough, and forget them."""
        old = [key for key, (since, _) in self._open.items() if now - since >= patience]
        keys = dict.fromkeys([*old, *list(self._open)[: max(len(self._open) - OPEN, 0)]])
        return [self._open.pop(key)[1] for key in keys]

    # -- the process ---------------------------------------------------------------------------------------------------

    def close(self, deadline: float) -> None:
        """Deliver what can be delivered within so many seconds."""
        if self._thread is None:
            return
        self._closing.set()
        self._wake.set()
        self._thread.join(deadline)
        self._drain(time.monotonic())
        if self._worker is not None:
            self._worker.put(self._overdue(time.monotonic(), -1.0))
            self._worker.close(deadline)

    def forked(self) -> None:
        """Begin anew in a child; what waits is the parent's."""
        if self._worker is not None:
            self._worker.abandon()
        self._inherited = self._worker, self._sink
        self._sink = None
        self._begin()
