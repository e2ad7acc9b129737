"""The StatsD lines that an event becomes: one counter for the event, one more where it counts for usage.

    events.magnetodb.data.putitem:1|c|#tenant:acme
    usage.magnetodb.writes:3|c|#tenant:acme

Rules:

* Names are made of the event's type alone: what looks like an id in it is ``id``, characters that a name cannot have are ``_``.
* Names and tenants are bounded, `most` of each; the rest counts as ``other``. Nothing of a payload but one number goes out.
* Only counters go out, so every StatsD server takes every line. Without a dialect of tags the tenant is left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.bounded import Bounded
from nilometer.core.event_types.event_type import COUNTED
from nilometer.core.wire.number import to_text

if TYPE_CHECKING:
    from nilometer.core.event_types.registry import Registry
    from nilometer.core.record import Event

DIALECTS = ("dogstatsd", "graphite", "none")
FOREIGN = re.compile(r"[^A-Za-z0-9_.-]+")
ID = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{16,}|[0-9]{6,})(?![0-9A-Za-z])"
)
DOTS = re.compile(r"\.{2,}")
LONGEST, LONGEST_TENANT = 200, 64
UNNAMED = "unnamed"


class Move(NamedTuple):
    """A counter that an event adds to. `tenant` is empty where the event has none."""

    name: str
    value: float
    tenant: str


class Lines:
    """Events as lines. `prefix` stands before every name; `tags` is one of `DIALECTS`. Any thread may ask."""

    def __init__(self, types: Registry, *, prefix: str = "", tags: str = "dogstatsd", most: int = 1000) -> None:
        self._types, self._prefix, self._tags = types, prefix, tags
        self._name = Bounded(most, safe_name)
        self._tenant = Bounded(most, safe_tenant)

    def moves(self, event: Event) -> list[Move]:
        """Return the counters that an event adds to."""
        known = self._types.find(event.type)
        tenant = self._tenant(event.tenant) if event.tenant else ""
        name = self._name(event.type)
        template = known.metric if known is not None else COUNTED
        found = [Move(f"{self._prefix}{template.replace('{type}', name)}", 1, tenant)]
        counts = self._types.usage(event)
        if counts is not None:
            service = self._name(counts.service) if counts.service else UNNAMED
            found.append(Move(f"{self._prefix}usage.{service}.{counts.usage}", counts.amount, tenant))
        return found

    def __call__(self, event: Event) -> list[str]:
        """Return an event's lines, without their ends."""
        return [self._line(move) for move in self.moves(event)]

    def _line(self, move: Move) -> str:
        value = to_text(move.value)
        if not move.tenant or self._tags == "none":
            return f"{move.name}:{value}|c"
        if self._tags == "graphite":
            return f"{move.name};tenant={move.tenant}:{value}|c"
        return f"{move.name}:{value}|c|#tenant:{move.tenant}"


def safe_name(text: str) -> str:
    """Return a type with the characters of a name only, and no ids."""
    return DOTS.sub(".", FOREIGN.sub("_", ID.sub("id", text[:LONGEST]))).strip("._-") or UNNAMED


def safe_tenant(text: str) -> str:
    """Return a tenant with the characters only that a tag takes in every dialect."""
    return FOREIGN.sub("_", text[:LONGEST_TENANT])
