"""Spans held in this process, by trace, in order of arrival. Safe to use from several threads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from nilometer.backends._parts.trace_list import page_of_all
from nilometer.core.traces.ids import trace_id
from nilometer.core.traces.span import NANO, merge
from nilometer.core.traces.summary import summarise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.traces.query import FoundTraces, TraceQuery
    from nilometer.core.traces.span import Span


class HeldTraces:
    """At most `most` spans; beyond that the traces that came first are dropped, never the newest."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._traces: dict[str, list[Span]] = {}
        self._count = 0

    def add(self, spans: Sequence[Span]) -> None:
        """Keep the spans; each that is there already is replaced."""
        with self._lock:
            touched = {span.trace for span in spans}
            for span in spans:
                self._traces.setdefault(span.trace, []).append(span)
            self._count += len(spans)
            for trace in touched:
                self._put(trace, merge(self._traces[trace]))
            for old in list(self._traces):
                if self._count <= self._most or len(self._traces) == 1:
                    break
                self._count -= len(self._traces.pop(old))

    def _put(self, trace: str, spans: list[Span]) -> None:
        self._count += len(spans) - len(self._traces[trace])
        self._traces[trace] = spans

    def read(self, trace: str, most: int) -> list[Span]:
        """Return the spans of a trace as `TraceStore.read_trace` does."""
        with self._lock:
            return self._traces.get(trace_id(trace), [])[:most]

    def find(self, query: TraceQuery, limit: int, cursor: str) -> FoundTraces:
        """Return a page as `TraceStore.find_traces` does."""
        with self._lock:
            held = list(self._traces.values())
        return page_of_all(map(summarise, held), query, limit, cursor)

    def delete(self, trace: str) -> bool:
        """Delete a trace. Return whether there was one."""
        with self._lock:
            gone = self._traces.pop(trace_id(trace), None)
            self._count -= len(gone or ())
            return gone is not None

    def drop(self, before: float) -> int:
        """Delete traces all of whose spans started before a time, seconds since the epoch. Return how many."""
        limit = before * NANO
        with self._lock:
            old = [trace for trace, spans in self._traces.items() if spans[-1].start < limit]
            for trace in old:
                self._count -= len(self._traces.pop(trace))
        return len(old)

    def __len__(self) -> int:
        """Return how many spans are held."""
        return self._count
