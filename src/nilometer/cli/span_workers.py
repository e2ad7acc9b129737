"""The pipes of spans in a server: one to the store, one to each further sink, each with a spool of its own.

Rules:

* A sink's spool is named for where the URL leads, as those of metrics are (`sinks`).
* The store is not the worker's: it is left open for who deletes from it.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from nilometer.backends import registry
from nilometer.cli.sinks import place_of
from nilometer.core.spans import SPANS, SpanWorker
from nilometer.core.spool import SpoolOf

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from nilometer.core.capability import SpanSink
    from nilometer.core.losses import Losses
    from nilometer.core.pipe import Status
    from nilometer.core.settings import Settings
    from nilometer.core.spans import SpanSpool
    from nilometer.core.traces.span import Span
    from nilometer.core.url import Url

STORE = "store"


class Prepared(NamedTuple):
    """The sinks to have: every URL by its full text, and those of them that are new, opened."""

    urls: dict[str, Url]
    opened: dict[str, SpanSink]

    def close(self) -> None:
        """Let the sinks go that were opened for nothing."""
        for sink in self.opened.values():
            sink.close()


class SpanWorkers:
    """The workers of one server; each holds at most `most` spans in memory."""

    def __init__(self, directory: Path, losses: Losses, most: int) -> None:
        self._directory, self._losses, self._most = directory, losses, most
        self._store: SpanWorker | None = None
        self._sinks: dict[str, tuple[str, SpanWorker]] = {}

    def prepare(self, wanted: Iterable[Url]) -> Prepared:
        """Open the sinks that are new; none of them connects. Raise `ConfigError` for a wrong URL."""
        prepared = Prepared({url.reveal(): url for url in wanted}, {})
        try:
            for text, url in prepared.urls.items():
                if text not in self._sinks:
                    prepared.opened[text] = registry.open(url, registry.SPANS)
        except Exception:
            prepared.close()
            raise
        return prepared

    def change(self, prepared: Prepared, settings: Settings) -> list[SpanWorker]:
        """Begin what is new, and return the workers of what is gone: no more spans are to be put into them."""
        gone = [self._sinks[text][1] for text in self._sinks if text not in prepared.urls]
        sinks = {text: each for text, each in self._sinks.items() if text in prepared.urls}
        for text, sink in prepared.opened.items():
            url = prepared.urls[text]
            place = place_of(url, {place for place, _ in sinks.values()})
            sinks[text] = place, self._worker(_plain(url), place, sink, settings)
        self._sinks = sinks
        return gone

    def keep(self, url: Url, store: SpanSink, settings: Settings) -> None:
        """Begin to put spans into the store, too."""
        self._store = self._worker(_plain(url), STORE, _Kept(store), settings)

    def _worker(self, name: str, place: str, sink: SpanSink, settings: Settings) -> SpanWorker:
        return SpanWorker(name, sink, self._losses, spool=partial(self._spool, place, settings), most=self._most)

    def _spool(self, place: str, settings: Settings) -> SpanSpool:
        spool = settings.spool
        return SpoolOf(self._directory / place, SPANS, size=spool.size, age=spool.age, losses=self._losses)

    def all(self) -> list[SpanWorker]:
        """Return the workers, the store's first."""
        return [*([self._store] if self._store is not None else []), *(worker for _, worker in self._sinks.values())]

    def statuses(self) -> tuple[Status | None, tuple[Status, ...]]:
        """Return how the store is doing, None while nothing is put into it, and how each sink is."""
        store = None if self._store is None else self._store.status()
        return store, tuple(worker.status() for _, worker in self._sinks.values())

    @staticmethod
    def close(workers: Iterable[SpanWorker], deadline: float) -> None:
        """Write what can be written within so many seconds, all at a time; the rest stays in the spools."""
        threads = [threading.Thread(target=worker.close, args=(deadline,)) for worker in workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


class _Kept:
    """The store as a worker has it, which does not close it."""

    def __init__(self, store: SpanSink) -> None:
        self._store = store

    def write_spans(self, spans: Sequence[Span]) -> None:
        self._store.write_spans(spans)

    def close(self) -> None:
        """The server's own."""


def _plain(url: Url) -> str:
    return str(url).partition("?")[0]
