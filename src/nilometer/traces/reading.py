"""What a store of traces is asked over HTTP, answered where the store is read: pages, single traces, who calls whom, as bytes.

Rules:

* Times that JavaScript reads are microseconds: `start` in whole ones since the epoch, `offset` from the start of the trace
  and `duration` with a fraction. ``format=spans`` has whole nanoseconds, as `core/wire/span.py` writes them.
* An answer is bounded: `MOST` spans of a trace, of which `spans` tells how many there are; a map of services looks at
  `TRACES` traces and `SPANS` spans, the newest, and says so.
* Nothing is hidden: a span whose parent is not there is an orphan, one that is among its own ancestors stands in a cycle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nilometer.core.traces.summary import summarise
from nilometer.core.wire import span as wire
from nilometer.traces.calls import Calls

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nilometer.core.capability import TraceStore
    from nilometer.core.traces.query import TraceQuery
    from nilometer.core.traces.span import Span
    from nilometer.core.traces.summary import Summary

    Placed = tuple[Span, int, str]

MOST = 100_000
"""Spans of one trace."""
TRACES, SPANS, PAGE = 1000, 100_000, 100
"""Traces and spans that a map of services looks at, and traces that are asked for at a time."""
MICRO = 1000


def page(store: TraceStore, query: TraceQuery, limit: int, cursor: str) -> bytes:
    """Return a page as JSON: ``traces``, newest first, and ``cursor``, null at the end."""
    found = store.find_traces(query, limit, cursor)
    return _line({"traces": [listed(trace) for trace in found.traces], "cursor": found.cursor or None})


def listed(trace: Summary) -> dict[str, Any]:
    """Return what a list shows of a trace."""
    return {
        "trace": trace.trace,
        "start": trace.start // MICRO,
        "duration": trace.duration / MICRO,
        "name": trace.name,
        "service": trace.service,
        "project": trace.project,
        "spans": trace.spans,
        "errors": trace.errors,
        "error": trace.error,
        "rooted": trace.rooted,
        "services": dict(trace.services),
    }


def one(store: TraceStore, trace: str) -> bytes | None:
    """Return a trace as JSON, None where there is none: what a list shows, and its spans, parents before children."""
    spans = store.read_trace(trace, MOST)
    if not spans:
        return None
    told = listed(summarise(spans))
    start = min(span.start for span in spans)
    return _line({**told, "spans": [_shown(*each, start) for each in ordered(spans)], "count": told["spans"]})


def rows(store: TraceStore, trace: str) -> bytes | None:
    """Return a trace as a list of spans, as they are sent; None where there is none."""
    spans = store.read_trace(trace, MOST)
    return _line([wire.as_object(span) for span in spans]) if spans else None


def delete(store: TraceStore, trace: str) -> bool:
    """Delete a trace. Return whether there was one."""
    return store.delete_trace(trace)


def services(store: TraceStore, query: TraceQuery) -> bytes:
    """Return services, what they do and who calls whom, over the newest traces that fit."""
    calls, cursor, whole = Calls(), "", False
    while not whole and calls.traces < TRACES and calls.spans < SPANS:
        found = store.find_traces(query, min(PAGE, TRACES - calls.traces), cursor)
        cursor = found.cursor
        for trace in found.traces:
            calls.add(store.read_trace(trace.trace, SPANS))
            if calls.spans >= SPANS:
                break
        else:
            whole = not cursor
    return _line({**calls.shown(), "whole": whole})


def ordered(spans: Sequence[Span]) -> Iterator[Placed]:
    """Yield each span with its depth, parents before children, and what is odd: ``orphan``, ``cycle``, or nothing."""
    ids = {span.id for span in spans}
    below: dict[str, list[Span]] = {}
    for span in reversed(spans):
        below.setdefault(span.parent, []).append(span)
    tops = [(span, 0, "orphan" if span.parent else "") for span in reversed(spans) if span.parent not in ids]
    seen = set[str]()
    yield from _walk(tops, below, seen)
    for span in spans:
        if span.id not in seen:
            yield from _walk([(span, 0, "cycle")], below, seen)


def _walk(
    waiting: list[tuple[Span, int, str]], below: dict[str, list[Span]], seen: set[str]
) -> Iterator[tuple[Span, int, str]]:
    while waiting:
        span, depth, odd = waiting.pop()
        if span.id in seen:
            continue
        seen.add(span.id)
        yield span, depth, odd
        waiting += [(child, depth + 1, "") for child in below.get(span.id, ())]


def _shown(span: Span, depth: int, odd: str, start: int) -> dict[str, Any]:
    found = wire.as_object(span._replace(notes=()))
    return {
        "id": span.id,
        "parent": span.parent,
        "depth": depth,
        "odd": odd,
        "name": span.name,
        "offset": (span.start - start) / MICRO,
        "duration": span.duration / MICRO,
        "kind": span.kind,
        "status": span.status,
        "error": span.error,
        "message": span.message,
        "service": span.service,
        "project": span.project,
        "host": span.host,
        "part": span.part,
        "scope": span.scope,
        "state": span.state,
        "attributes": found.get("attributes", {}),
        "resource": found.get("resource", {}),
        "events": [
            {"offset": (each.time - start) / MICRO, "name": each.name, "attributes": dict(each.attributes)}
            for each in span.events
        ],
        "links": [{"trace": link.trace, "id": link.id, "attributes": dict(link.attributes)} for link in span.links],
    }


def _line(value: object) -> bytes:
    return wire.text(value) + b"\n"
