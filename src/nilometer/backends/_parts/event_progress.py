"""How far a batch of events has come whose parts are stored one after the other: a part that is stored is not sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nilometer.core.record import Event


class EventProgress:
    """Remembers the events that are done with while others of their batch are not."""

    def __init__(self) -> None:
        self._done: set[tuple[str, str]] = set()

    def left(self, events: Sequence[Event]) -> list[Event]:
        """Return the events that are not done with yet."""
        return [event for event in events if (event.publisher, event.id) not in self._done]

    def took(self, events: Iterable[Event]) -> None:
        """Remember that these are done with."""
        self._done.update((event.publisher, event.id) for event in events)

    def end(self) -> None:
        """Forget: the batch is done with, as a whole."""
        self._done.clear()
