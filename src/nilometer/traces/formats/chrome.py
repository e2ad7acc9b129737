"""A trace as Chrome's and Perfetto's viewers take it: https://ui.perfetto.dev, the Trace Event Format of Catapult.

Each service is a process, and as many threads as it takes so that spans which overlap stand beside each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nilometer.core.wire.span import sound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.traces.span import Span

MICRO = 1000


def chrome(spans: Sequence[Span]) -> dict[str, Any]:
    """Return the object whose JSON the viewers open. Times are microseconds since the epoch."""
    numbers: dict[str, int] = {}
    lanes: dict[int, list[list[int]]] = {}
    events: list[dict[str, Any]] = []
    for span in sorted(spans, key=lambda each: (each.start, -each.end)):
        process = numbers.setdefault(span.service, len(numbers) + 1)
        events.append(_event(span, process, _lane(lanes.setdefault(process, []), span)))
    names = [
        {"ph": "M", "name": "process_name", "pid": number, "tid": 0, "args": {"name": service or "(no service)"}}
        for service, number in numbers.items()
    ]
    return {"displayTimeUnit": "ms", "traceEvents": names + events}


def _event(span: Span, process: int, lane: int) -> dict[str, Any]:
    told = {"trace": span.trace, "id": span.id, "parent": span.parent, "status": span.status, **sound(span.attributes)}
    if span.failed:
        told |= {"error": span.error, "message": span.message}
    return {
        "ph": "X",
        "name": span.name,
        "cat": span.kind,
        "ts": span.start / MICRO,
        "dur": span.duration / MICRO,
        "pid": process,
        "tid": lane,
        "args": told,
    }


def _lane(lanes: list[list[int]], span: Span) -> int:
    """Return the number of the first lane where nothing is cut: it is free, or what is open there ends later."""
    for number, open_ends in enumerate(lanes, 1):
        while open_ends and open_ends[-1] <= span.start:
            open_ends.pop()
        if not open_ends or open_ends[-1] >= span.end:
            open_ends.append(span.end)
            return number
    lanes.append([span.end])
    return len(lanes)
