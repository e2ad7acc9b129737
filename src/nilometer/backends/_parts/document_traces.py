"""Traces in a database of documents, whichever it is: when their summaries are made, and how they are listed.

Rules:

* Spans are stored first, then the row of their trace. A trace that is new gets the summary of what was written; one that was
  there is marked stale. So writing costs the same however large the trace is.
* A stale row is settled when a list would show it: its spans are read, and the summary made of them. It is stored only if
  nobody has marked the row meanwhile. A row without spans goes.
* A stale row is a candidate in every list over its time, until it is settled; `matches` has the last word on each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from nilometer.backends._parts.span_document import TraceRow
from nilometer.backends._parts.trace_list import page
from nilometer.core.traces.ids import trace_id
from nilometer.core.traces.query import behind, matches, place_of
from nilometer.core.traces.span import NANO, merge
from nilometer.core.traces.summary import Summary, summarise

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nilometer.core.cursor import Place
    from nilometer.core.traces.query import FoundTraces, TraceQuery
    from nilometer.core.traces.span import Span

SETTLED = 200
"""Traces that are settled at once, at least: more where more are asked for."""
ROUNDS = 1000
"""How often a list is begun anew because of stale rows, at most: then others write faster than one can read."""
DROPPED = 1000
"""Traces that are dropped at once."""


class Shelf(Protocol):
    """What a database does for it. Each method raises `Unavailable` or `Rejected`."""

    def put(self, spans: Sequence[Span]) -> None:
        """Store spans."""

    def begin(self, rows: Sequence[TraceRow]) -> set[str]:
        """Store the rows of traces that have none. Return the traces that had one."""

    def carry_on(self, rows: Sequence[TraceRow]) -> None:
        """Mark the rows of these traces stale, and widen their times."""

    def spans(self, trace: str, most: int) -> list[Span]:
        """Return spans of a trace, put together, in order."""

    def heads(self, traces: Sequence[str]) -> Mapping[str, list[Span]]:
        """Return the spans of some traces, put together, as far as a summary needs them."""

    def settle(self, rows: Iterable[tuple[TraceRow, TraceRow | None]]) -> None:
        """Store the second of each pair where the first is still there unchanged; None deletes it."""

    def rows(self, query: TraceQuery, place: Place | None, limit: int, *, stale: bool) -> list[TraceRow]:
        """Return rows that may be asked for, or only those of them that are stale, newest first, from behind a place on."""

    def look(self) -> None:
        """See what others have written in a layout of theirs, and begin or carry on their traces."""

    def old(self, before: int, limit: int) -> list[str]:
        """Return traces whose last start is before a time in ns."""

    def remove(self, traces: Sequence[str]) -> bool:
        """Delete traces. Return whether there was any."""

    def tidy(self, before: int) -> None:
        """Free at once what holds nothing but spans of traces before a time in ns."""


class DocumentTraces:
    """The store of traces over a shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def write(self, spans: Sequence[Span]) -> None:
        """Store spans as `SpanSink.write_spans` does."""
        if not spans:
            return
        self._shelf.put(spans)
        self.announce([summarised(group) for group in by_trace(spans).values()])

    def announce(self, rows: Sequence[TraceRow]) -> None:
        """Begin the traces that are new, and carry on the others."""
        known = self._shelf.begin(rows)
        self._shelf.carry_on([row for row in rows if row.summary.trace in known])

    def read(self, trace: str, most: int) -> list[Span]:
        """Return spans as `TraceStore.read_trace` does."""
        return self._shelf.spans(trace_id(trace), most)[:most] if trace else []

    def find(self, query: TraceQuery, limit: int, cursor: str) -> FoundTraces:
        """Return a page as `TraceStore.find_traces` does."""
        place, wanted = behind(cursor), limit + 1
        self._shelf.look()
        kept = list[Summary]()
        while len(kept) < wanted:
            found = self._fresh(query, place, wanted)
            kept += [row.summary for row in found if matches(query, row.summary)]
            if len(found) < wanted:
                break
            place = place_of(found[-1].summary)
        return page(kept, limit)

    def _fresh(self, query: TraceQuery, place: Place | None, wanted: int) -> list[TraceRow]:
        for _ in range(ROUNDS):
            found = self._shelf.rows(query, place, wanted, stale=False)
            if not any(row.stale for row in found):
                break
            self._settle(self._shelf.rows(query, place, max(wanted, SETTLED), stale=True))
        return found

    def _settle(self, rows: Sequence[TraceRow]) -> None:
        heads = self._shelf.heads([row.summary.trace for row in rows])
        self._shelf.settle([(row, summarised(heads[trace]) if heads.get(trace := row.summary.trace) else None) for row in rows])

    def delete(self, trace: str) -> bool:
        """Delete a trace as `TraceStore.delete_trace` does."""
        return bool(trace) and self._shelf.remove([trace_id(trace)])

    def drop(self, before: float) -> int:
        """Delete traces as `TraceStore.drop_traces` does."""
        limit = int(before * NANO)
        self._shelf.look()
        traces = self._shelf.old(limit, DROPPED)
        if traces:
            self._shelf.tidy(limit)
            self._shelf.remove(traces)
        return len(traces)


def by_trace(spans: Iterable[Span]) -> dict[str, list[Span]]:
    """Return spans by trace."""
    found: dict[str, list[Span]] = {}
    for span in spans:
        found.setdefault(span.trace, []).append(span)
    return found


def summarised(spans: Sequence[Span]) -> TraceRow:
    """Return the row of a trace of which these are all spans that are known."""
    whole = merge(spans)
    return TraceRow(summarise(whole), whole[-1].start)


def widened(before: TraceRow, after: TraceRow) -> TraceRow:
    """Return a trace's row, stale, with the times of both."""
    one, two = before.summary, after.summary
    both = one._replace(start=min(one.start, two.start), end=max(one.end, two.end))
    return TraceRow(both, max(before.last, after.last), stale=True)
