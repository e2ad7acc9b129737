"""What the applications read from a request: ``/ENDPOINT/WHAT?argument=…``; WHAT is the name of a function of theirs."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qs

DISPATCH, PROCESSING, RESPONDING = 0.1, 0.4, 0.2
"""Seconds that `timed` sleeps: before its endpoint is entered, before the answer starts, before each of its two pieces."""
CHUNK = bytes(1 << 16)
"""What big answers consist of."""
PIECE = 1 << 14
"""Bytes that are asked for when a body is read."""


class Asked(NamedTuple):
    """A request as its path and query tell it."""

    endpoint: str
    what: str
    arguments: dict[str, str]

    def number(self, name: str, default: float = 0) -> float:
        """Return an argument as a number."""
        return float(self.arguments.get(name, default))


def asked(path: str, query: str) -> Asked:
    """Read a path and a query."""
    endpoint, _, what = path.strip("/").partition("/")
    return Asked(endpoint, what or "hello", {name: values[-1] for name, values in parse_qs(query).items()})
