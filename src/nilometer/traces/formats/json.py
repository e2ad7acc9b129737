"""A trace as JSON for programs and the page. Times are µs: `start` since the epoch, `offset` from the start of the trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nilometer.core.traces.summary import summarise
from nilometer.core.wire import span as wire
from nilometer.traces.critical import critical
from nilometer.traces.ordering import ordered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.traces.span import Span
    from nilometer.core.traces.summary import Summary

MICRO = 1000


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


def told(spans: Sequence[Span]) -> dict[str, Any]:
    """Return a trace: what a list shows, and its spans, parents before children; `critical` is each one's time on that path."""
    found, start, path = listed(summarise(spans)), min(span.start for span in spans), critical(spans)
    shown = [_shown(*each, start, path.get(each.span.id, 0)) for each in ordered(spans)]
    return {**found, "spans": shown, "count": found["spans"]}


def _shown(span: Span, depth: int, odd: str, start: int, critical: int) -> dict[str, Any]:
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
        "attributes": wire.plain("attributes", span.attributes),
        "resource": wire.plain("resource", span.resource),
        "events": [
            {"offset": (each.time - start) / MICRO, "name": each.name, "attributes": dict(each.attributes)}
            for each in span.events
        ],
        "critical": critical / MICRO,
        "links": [{"trace": link.trace, "id": link.id, "attributes": dict(link.attributes)} for link in span.links],
    }
