"""What stores of traces share: the layouts they can write, and a page of the list of traces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.core.traces.query import FoundTraces, behind, cursor_of, matches, place_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nilometer.core.traces.query import TraceQuery
    from nilometer.core.traces.summary import Summary


LAYOUTS = ("spans", "osprofiler")
LAYOUT = "how spans are written: `spans`, or `osprofiler`, which OSProfiler reads"


def page_of_all(traces: Iterable[Summary], query: TraceQuery, limit: int, cursor: str) -> FoundTraces:
    """Return a page as `TraceStore.find_traces` does, of traces in any order. Raise `InputError` for a cursor that is none."""
    place = behind(cursor)
    found = (trace for trace in traces if matches(query, trace))
    rest = sorted((trace for trace in found if place is None or place_of(trace) < place), key=place_of, reverse=True)
    return page(rest[: limit + 1], limit)


def page(found: list[Summary], limit: int) -> FoundTraces:
    """Return a page of traces that are in order already, `limit` and one more where there are more."""
    return FoundTraces(found[:limit], cursor_of(found[limit - 1]) if len(found) > limit > 0 else "")
