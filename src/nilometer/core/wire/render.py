"""A flush as Graphite reads it: lines of text, pickles, or plain points.

`use` puts a faster renderer in place of `plain`; the native kernel brings one that answers alike.
Format: carbon's line protocol ``path value timestamp``; numbers as JavaScript prints them, which is what statsd sends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.record import Block


@dataclass(frozen=True, slots=True)
class Placed:
    """A column with what surrounds each series' name: bytes before it, bytes after it (the tags follow)."""

    before: bytes
    after: bytes
    values: Sequence[float]
    present: bytes | None


class Renderer(Protocol):
    """Lays out one block, series by series and within a series column by column."""

    def lines(self, block: Block, columns: Sequence[Placed], timestamp: int, *, sanitize: bool) -> bytes:
        """Return ``path value timestamp`` lines, each ended by a newline."""

    def points(self, block: Block, columns: Sequence[Placed], *, sanitize: bool) -> tuple[bytes, Sequence[float]]:
        """Return the paths joined by newlines, and a float64 for each."""
