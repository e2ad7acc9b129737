"""Events move metrics: each becomes lines for the kernel, as the registry of event types says."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nilometer.core.event_types import Lines
    from nilometer.core.record import Event


class Moves:
    """Feeds the lines of events, all in one text, while that is `wanted`, which may change at any time."""

    def __init__(self, lines: Lines, feed: Callable[[bytes], None], *, wanted: bool = True) -> None:
        self._lines, self._feed, self.wanted = lines, feed, wanted

    def tell(self, events: Sequence[Event]) -> None:
        """Count these events."""
        if self.wanted:
            self._feed("\n".join(line for event in events for line in self._lines(event)).encode())
