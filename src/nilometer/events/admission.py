"""Which events are taken in, by their types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.core.errors import UnknownType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.event_types import Registry
    from nilometer.core.record import Event

SHOWN = 100
"""Characters of a type in messages."""


class Admission:
    """Takes all events, or with `refuse` those alone whose types are known. `refuse` may change at any time."""

    def __init__(self, types: Registry, *, refuse: bool = False) -> None:
        self._types, self.refuse = types, refuse

    def check_all(self, events: Sequence[Event]) -> None:
        """Raise `UnknownType` for the first that is not taken in, saying which one it is, counted from 0."""
        for number, event in enumerate(events):
            try:
                self.check(event)
            except UnknownType as error:
                message = f"event {number}: {error}"
                raise UnknownType(message) from error

    def check(self, event: Event) -> None:
        """Raise `UnknownType` for an event that is not taken in."""
        if self.refuse and self._types.find(event.type) is None:
            message = f"type {event.type[:SHOWN]!r} is not known, and the setting events.unknown refuses such"
            raise UnknownType(message)
