"""Which event types there are, and what each means.

Rules:

* A type's name in the registry lacks the service: ``table.create.end`` is ``magnetodb.table.create.end`` on every wire.
  The service ``*`` (`EVERY`) knows the types whatever service sends them.
* A name may be a glob (``*`` crosses dots). A name that stands there whole comes before globs, those in order of their adding.
* A type that is not known is an event like all others: it goes everywhere and counts for nothing but itself.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.event_types.table_service import SERVICE, TABLE_SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nilometer.core.event_types.event_type import EventType, Usage
    from nilometer.core.record import Event

EVERY = "*"
"""The service of a registry for events of all services."""
MOST = 1e18
"""An amount beyond this is none."""
REMEMBERED = 4096
"""Types whose meaning is kept, so that globs are tried once."""


class Counted(NamedTuple):
    """What one event adds to usage: of which service, to what, how much."""

    service: str
    usage: Usage
    amount: float


class Registry:
    """Types of events of one service, or of every one. Any thread may ask; `add` before they do."""

    def __init__(self, service: str = SERVICE, types: Iterable[EventType] = TABLE_SERVICE) -> None:
        self.service = service
        self._exact: dict[str, EventType] = {}
        self._globs: list[EventType] = []
        self._found: dict[str, EventType | None] = {}
        self.add(*types)

    def add(self, *types: EventType) -> None:
        """Add types; one of a name that is there already takes its place."""
        for each in types:
            if "*" in each.name or "?" in each.name or "[" in each.name:
                self._globs = [*(other for other in self._globs if other.name != each.name), each]
            else:
                self._exact[each.name] = each
        self._found = {}

    def __iter__(self) -> Iterator[EventType]:
        """Yield every type: those with a whole name, then the globs."""
        yield from [*self._exact.values(), *self._globs]

    def whole(self, name: str) -> str:
        """Return a type with its service before it, where it is not there yet."""
        if self.service in ("", EVERY) or name.startswith(f"{self.service}."):
            return name
        return f"{self.service}.{name}"

    def split(self, type_: str) -> tuple[str, str]:
        """Return an event's service and the rest of its type; the service is empty where the registry knows none."""
        if self.service == EVERY:
            service, dot, rest = type_.partition(".")
            return (service, rest) if dot else ("", type_)
        if self.service and type_.startswith(f"{self.service}."):
            return self.service, type_[len(self.service) + 1 :]
        return "", type_

    def find(self, type_: str) -> EventType | None:
        """Return what is known of an event's type, with or without its service; None for one that is not known."""
        try:
            return self._found[type_]
        except KeyError:
            found = self._look(self.split(type_)[1])
        if len(self._found) < REMEMBERED:
            self._found[type_] = found
        return found

    def _look(self, name: str) -> EventType | None:
        exact = self._exact.get(name)
        return exact or next((each for each in self._globs if fnmatchcase(name, each.name)), None)

    def usage(self, event: Event) -> Counted | None:
        """Return what an event adds to usage, None for nothing. What is no amount, as below zero, adds nothing."""
        known = self.find(event.type)
        if known is None or known.usage is None:
            return None
        amount = event.payload.get(known.amount, known.amount_else)
        if isinstance(amount, bool) or not isinstance(amount, int | float) or not 0 < amount <= MOST:
            return None
        service = self.split(event.type)[0] or self.service.strip(EVERY)
        return Counted(service, known.usage, float(amount))
