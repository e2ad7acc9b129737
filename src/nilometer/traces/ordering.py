"""The spans of a trace in the order of a tree: parents before children, siblings by start.

Nothing is hidden: a span whose parent is not there is an ``orphan``, one that is among its own ancestors stands in a ``cycle``;
both stand at the top. However deep a trace is, nothing fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nilometer.core.traces.span import Span

Odd = Literal["", "orphan", "cycle"]


class Placed(NamedTuple):
    """A span, how deep it stands, and what is odd about its place."""

    span: Span
    depth: int
    odd: Odd


def ordered(spans: Sequence[Span]) -> Iterator[Placed]:
    """Yield the spans, in order of start, as a tree has them."""
    below = children(spans)
    ids = {span.id for span in spans}
    tops = [Placed(span, 0, "orphan" if span.parent else "") for span in spans if span.parent not in ids]
    seen = set[str]()
    yield from _walk(tops, below, seen)
    for span in spans:
        if span.id not in seen:
            yield from _walk([Placed(span, 0, "cycle")], below, seen)


def children(spans: Sequence[Span]) -> dict[str, list[Span]]:
    """Return the children of each span by its id, in order."""
    below: dict[str, list[Span]] = {}
    for span in spans:
        below.setdefault(span.parent, []).append(span)
    return below


def _walk(tops: Sequence[Placed], below: Mapping[str, Sequence[Span]], seen: set[str]) -> Iterator[Placed]:
    waiting = list(reversed(tops))
    while waiting:
        placed = waiting.pop()
        if placed.span.id in seen:
            continue
        seen.add(placed.span.id)
        yield placed
        waiting += [Placed(child, placed.depth + 1, "") for child in reversed(below.get(placed.span.id, ()))]
