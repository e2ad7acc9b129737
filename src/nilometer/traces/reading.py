"""What a store of traces is asked over HTTP, answered where the store is read: pages, single traces, who calls whom, as bytes.

Rules:

* Times that JavaScript reads are microseconds: `start` in whole ones since the epoch, `offset` from the start of the trace
  and `duration` with a fraction. ``format=spans`` has whole nanoseconds, as `core/wire/span.py` writes them.
* An answer is bounded: `MOST` spans of a trace, of which `spans` tells how many there are; a map of services looks at
  `TRACES` traces and `SPANS` spans, the newest, and says so.
* What tells a trace is a function from its spans to a text: those of `FORMATS`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from nilometer.core.traces.summary import summarise
from nilometer.core.wire import span as wire
from nilometer.traces import osprofiler
from nilometer.traces.calls import Calls
from nilometer.traces.comparing import compare
from nilometer.traces.formats.chrome import chrome
from nilometer.traces.formats.dot import dot
from nilometer.traces.formats.html import html
from nilometer.traces.formats.json import MICRO, listed, told

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nilometer.core.capability import TraceStore
    from nilometer.core.traces.query import TraceQuery
    from nilometer.core.traces.span import Span
    from nilometer.traces.comparing import Compared

MOST = 100_000
"""Spans of one trace."""
TRACES, SPANS, PAGE = 1000, 100_000, 100
"""Traces and spans that a map of services looks at, and traces that are asked for at a time."""
SECONDS = 5.0
"""For how long it looks, at most."""


def page(store: TraceStore, query: TraceQuery, limit: int, cursor: str) -> bytes:
    """Return a page as JSON: ``traces``, newest first, and ``cursor``, null at the end."""
    found = store.find_traces(query, limit, cursor)
    return _line({"traces": [listed(trace) for trace in found.traces], "cursor": found.cursor or None})


def one(store: TraceStore, trace: str, form: str) -> bytes | None:
    """Return a trace in one of `FORMATS`, None where there is none."""
    spans = store.read_trace(trace, MOST)
    return FORMATS[form](spans) if spans else None


def rows(spans: Sequence[Span]) -> bytes:
    """Return a trace as a list of spans, as they are sent."""
    return _line([wire.as_object(span) for span in spans])


def diff(store: TraceStore, first: str, second: str) -> bytes | None:
    """Return two traces beside each other as JSON, None where one is not there."""
    traces = [store.read_trace(trace, MOST) for trace in (first, second)]
    if not all(traces):
        return None
    starts = [min(span.start for span in spans) for spans in traces]
    spans = [_compared(each, starts) for each in compare(*traces)]
    return _line({"first": listed(summarise(traces[0])), "second": listed(summarise(traces[1])), "spans": spans})


def delete(store: TraceStore, trace: str) -> bool:
    """Delete a trace. Return whether there was one."""
    return store.delete_trace(trace)


def services(store: TraceStore, query: TraceQuery) -> bytes:
    """Return services, what they do and who calls whom, over the newest traces that fit."""
    calls, cursor, whole, end = Calls(), "", False, time.monotonic() + SECONDS

    def enough() -> bool:
        return calls.traces >= TRACES or calls.spans >= SPANS or time.monotonic() > end

    while not whole and not enough():
        found = store.find_traces(query, min(PAGE, TRACES - calls.traces), cursor)
        cursor = found.cursor
        for trace in found.traces:
            calls.add(store.read_trace(trace.trace, SPANS))
            if enough() and trace is not found.traces[-1]:
                break
        else:
            whole = not cursor
    return _line({**calls.shown(), "whole": whole})


def _compared(found: Compared, starts: Sequence[int]) -> dict[str, Any]:
    span = found.first or found.second
    both = found.first is not None and found.second is not None
    sides = zip(("first", "second"), found[1:], starts, strict=True)
    return {
        "depth": found.depth,
        "service": "" if span is None else span.service,
        "name": "" if span is None else span.name,
        **{name: None if side is None else _side(side, start) for name, side, start in sides},
        "longer": (found.second.duration - found.first.duration) / MICRO if both and found.first and found.second else None,
    }


def _side(span: Span, start: int) -> dict[str, Any]:
    return {
        "id": span.id,
        "offset": (span.start - start) / MICRO,
        "duration": span.duration / MICRO,
        "status": span.status,
        "error": span.error,
    }


def _line(value: object) -> bytes:
    return wire.text(value) + b"\n"


FORMATS: dict[str, Callable[[Sequence[Span]], bytes]] = {
    "json": lambda spans: _line(told(spans)),
    "spans": rows,
    "osprofiler": lambda spans: _line(osprofiler.report(spans)),
    "dot": lambda spans: dot(spans).encode("utf-8", "replace"),
    "html": lambda spans: html(spans).encode(),
    "chrome": lambda spans: _line(chrome(spans)),
}
"""How a trace can be told."""
