"""The way of an application's spans to one URL: a bounded queue, a thread, a spool if wanted; forks and the end of the process.

Rules:

* A wrong URL raises when the outlet is made. Nothing connects and no thread runs before the first span.
* `put` never waits and never raises (`core.batches`). What has no room is dropped, oldest first, and counted.
* A forked child begins anew: what waits in the parent is the parent's to deliver. At the end of the process, what waits is
  delivered within `lifetime.PATIENCE`.
"""

from __future__ import annotations

import atexit
import weakref
from threading import RLock
from typing import TYPE_CHECKING

from nilometer.core.batches import MOST
from nilometer.core.losses import Losses
from nilometer.core.spans import SPANS, SpanSpool, SpanWorker
from nilometer.core.spool_slots import open_slot
from nilometer.core.url import parse
from nilometer.emit import lifetime

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from nilometer.core.capability import SpanSink
    from nilometer.core.traces.span import Span

SIZE, AGE = 64 << 20, 7 * 86_400
"""Bytes and seconds that a spool holds spans, at most."""
_inherited: list[object] = []
"""What a forked child got from its parent: kept, so that nothing of it is closed on the parent's connections."""


class Outlet:
    """Takes spans for a URL. Raise `UrlError` for a wrong one, `MissingDriver` where a package is missing."""

    def __init__(self, url: str, *, spool: Path | None = None, most: int = MOST) -> None:
        self.url, self._spool, self._most = parse(url), spool, most
        self._losses, self._lock = Losses(), RLock()
        self._worker: SpanWorker | None = None
        self._sink: SpanSink | None = self._opened()
        lifetime.follow(self)
        atexit.register(_end, weakref.ref(self))

    def put(self, spans: Iterable[Span]) -> None:
        """Take spans over."""
        (self._worker or self._begin()).put(spans)

    @property
    def idle(self) -> bool:
        """Whether all that came was delivered."""
        return self._worker is None or self._worker.idle

    def losses(self) -> dict[str, int]:
        """Return how many spans were lost, by reason."""
        return {reason: number for (stage, reason), number in self._losses.totals().items() if stage == "span" and number}

    def close(self, deadline: float) -> None:
        """Deliver what can be delivered within so many seconds, keep the rest in the spool, and hang up."""
        with self._lock:
            if self._worker is not None:
                self._worker.close(deadline)
            elif self._sink is not None:
                self._sink.close()

    def forked(self) -> None:
        """Begin anew in a child."""
        if self._worker is not None:
            self._worker.abandon()
        _inherited.extend((self._worker, self._sink))
        self._worker = self._sink = None
        self._losses, self._lock = Losses(), RLock()

    def _opened(self) -> SpanSink:
        from nilometer.backends import registry  # noqa: PLC0415 an application that only imports us loads no backend

        return registry.open(self.url, registry.SPANS)

    def _begin(self) -> SpanWorker:
        with self._lock:
            if self._worker is None:
                lifetime.end_with_multiprocessing(self)
                sink, self._sink = self._sink or self._opened(), None
                spool = None if self._spool is None else self._spooled
                self._worker = SpanWorker(str(self.url).partition("?")[0], sink, self._losses, spool=spool, most=self._most)
            return self._worker

    def _spooled(self) -> SpanSpool:
        losses = self._losses
        assert self._spool is not None  # noqa: S101 it is asked for with one only
        return open_slot(self._spool, lambda path: SpanSpool(path, SPANS, size=SIZE, age=AGE, losses=losses))


def _end(found: weakref.ref[Outlet]) -> None:
    outlet = found()
    if outlet is not None:
        outlet.close(lifetime.PATIENCE)
