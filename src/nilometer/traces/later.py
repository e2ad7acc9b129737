"""A store of traces that is opened when it is first asked: who has no traces does not pay for it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from nilometer.backends import registry
from nilometer.core.errors import ConfigError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.capability import TraceStore
    from nilometer.core.traces.query import FoundTraces, TraceQuery
    from nilometer.core.traces.span import Span
    from nilometer.core.url import Url


class Later:
    """The store at a URL. What is wrong with the URL, or missing to open it, is `Unavailable` when it is asked."""

    def __init__(self, url: Url) -> None:
        self._url, self._lock = url, threading.Lock()
        self._opened: TraceStore | None = None

    @property
    def _store(self) -> TraceStore:
        with self._lock:
            if self._opened is None:
                try:
                    self._opened = registry.open(self._url, registry.TRACES)
                except ConfigError as error:
                    raise Unavailable(str(error)) from error
            return self._opened

    def write_spans(self, spans: Sequence[Span]) -> None:
        """Store all of the spans, or raise."""
        self._store.write_spans(spans)

    def read_trace(self, trace: str, most: int = 100_000) -> list[Span]:
        """Return the spans of a trace."""
        return self._store.read_trace(trace, most)

    def find_traces(self, query: TraceQuery, limit: int = 100, cursor: str = "") -> FoundTraces:
        """Return a page of traces."""
        return self._store.find_traces(query, limit, cursor)

    def delete_trace(self, trace: str) -> bool:
        """Delete a trace."""
        return self._store.delete_trace(trace)

    def drop_traces(self, before: float) -> int:
        """Delete old traces."""
        return self._store.drop_traces(before)

    def close(self) -> None:
        """Close the store, if it was opened."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()
