"""Two traces beside each other: which spans both have, which one alone, and how much longer each took.

Rules:

* Spans are the same when their parents are, and they have the same service and name; of several such siblings the first and
  the first, the second and the second, in order of start.
* What stands at the top is compared as if it had the same parent; what is odd in a trace (`ordering`) stands there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nilometer.traces.ordering import ordered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.traces.span import Span

    Key = tuple[str, str]


class Compared(NamedTuple):
    """A span of the first trace, of the second, or of both."""

    depth: int
    first: Span | None
    second: Span | None


class _Node:
    __slots__ = ("below", "depth", "first", "second")

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.first: Span | None = None
        self.second: Span | None = None
        self.below: dict[tuple[Key, int], _Node] = {}


def compare(first: Sequence[Span], second: Sequence[Span]) -> list[Compared]:
    """Return both as one tree, parents before children: what the first has in its order, then what the second alone has."""
    root = _Node(-1)
    _put(root, first, "first")
    _put(root, second, "second")
    found: list[Compared] = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node is not root:
            found.append(Compared(node.depth, node.first, node.second))
        waiting += reversed(node.below.values())
    return found


def _put(root: _Node, spans: Sequence[Span], side: str) -> None:
    path = [root]
    counts: dict[tuple[int, Key], int] = {}
    for span, depth, _ in ordered(spans):
        del path[depth + 1 :]
        above, key = path[-1], (span.service, span.name)
        number = counts[id(above), key] = counts.get((id(above), key), 0) + 1
        node = above.below.get((key, number))
        if node is None:
            node = above.below[key, number] = _Node(depth)
        setattr(node, side, span)
        path.append(node)
