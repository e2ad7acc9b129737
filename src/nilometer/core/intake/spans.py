"""What takes spans in, for whoever brings them: HTTP, gRPC, a bus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from nilometer.core.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.traces.span import Span


class Full(Unavailable):
    """So many spans wait that no more are taken over now."""


class SpanIntake(Protocol):
    """Takes spans over. Any thread may call."""

    def offer(self, spans: Sequence[Span]) -> None:
        """Take all of the spans over, or none: when it returns, they outlive the process. Raise `Full`, or `Unavailable`."""
