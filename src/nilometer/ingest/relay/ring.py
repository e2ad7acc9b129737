"""The ring by which statsd's cluster proxy spreads names over servers, point for point.

Each node has 40 points, more or fewer by its weight: the first four bytes, little endian, of the MD5 of ``host:port-0``,
``host:port-1`` and so on. A name belongs to the node of the next point at or after its own hash, around. By statsd's rounding
nodes have 39 points each when there are 7, 14, 28, 49, 56 or 98 of them.

Source: hashring 3.2.0 (npm), with ``replicas`` 1, which is what statsd 0.9.0's ``proxy.js`` gets for its 0.
"""

from __future__ import annotations

import bisect
import hashlib
import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

POINTS = 40
"""Points of a node, when all weigh the same."""


class Node(NamedTuple):
    """A place on the ring: ``host:port`` as the settings write it, and its weight."""

    name: str
    weight: float = 1.0


def digest(text: bytes) -> int:
    """Return the place of a text on the ring, 0 to 2^32 - 1."""
    return int.from_bytes(hashlib.md5(text, usedforsecurity=False).digest()[:4], "little")


def points(nodes: Sequence[Node]) -> list[tuple[int, int]]:
    """Return the points of the ring in order, each with the number of its node."""
    total = sum(node.weight for node in nodes)
    found = [
        (digest(f"{node.name}-{each}".encode()), number)
        for number, node in enumerate(nodes)
        # in this order of operations: rounding decides whether a node has 39 points or 40
        for each in range(math.floor(node.weight / total * POINTS * len(nodes)))
    ]
    return sorted(found, key=lambda point: point[0])


def target(ring: Sequence[tuple[int, int]], line: bytes) -> int | None:
    """Return the number of the node that a line belongs to, by its text before the first ``:``; None on an empty ring."""
    if not ring:
        return None
    key = line.partition(b":")[0].decode("utf-8", "replace")
    at = bisect.bisect_left(ring, digest(key.encode()), key=lambda point: point[0])
    return ring[at % len(ring)][1]
