"""The critical path of a trace: which span was at work at each moment, so that the whole would have been quicker had it been.

From the end of the root backwards: the child that ended last before then was waited for, so the path goes through it, from its
end to its start, and on from there; what no child covers is the span's own time. Source: the critical path of Jaeger's UI,
https://github.com/jaegertracing/jaeger-ui
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.traces.ordering import children

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nilometer.core.traces.span import Span


def critical(spans: Sequence[Span]) -> dict[str, int]:
    """Return the spans on the critical path by their ids, and how many ns of it are each one's own. Empty without spans."""
    if not spans:
        return {}
    below = children(spans)
    root = min((span for span in spans if not span.parent), key=lambda span: span.start, default=spans[0])
    path: dict[str, int] = {root.id: 0}
    waiting: list[tuple[Span, int, Iterator[Span]]] = [(root, root.end, _last_first(below.get(root.id, ())))]
    while waiting:
        span, until, rest = waiting.pop()
        child = next((each for each in rest if span.start < each.end <= until and each.id not in path), None)
        if child is None:
            path[span.id] += max(until - span.start, 0)
            continue
        path[span.id] += until - child.end
        path[child.id] = 0
        waiting.append((span, max(child.start, span.start), rest))
        waiting.append((child, child.end, _last_first(below.get(child.id, ()))))
    return path


def _last_first(spans: Sequence[Span]) -> Iterator[Span]:
    return iter(sorted(spans, key=lambda span: span.end, reverse=True))
