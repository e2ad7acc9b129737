"""A message as statistics see it: of any bus and any format, read and kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nilometer.core.record import Event

CATEGORY, APPLICATION_WORDS = 3, 4


@dataclass(frozen=True, slots=True)
class Message:
    """A message in the inbox.

    `time` is when it was sent, `arrived` when it came here, both seconds since the epoch; `archived` says that an archive gave
    it, not a bus. `headers` holds what is said about it besides its body: `users`, `packages`, `schema`, … as
    `nilometer.core.wire.fedora` reads them, or the context of an OpenStack notification. `number` is its place in the inbox: a
    later one has a larger number.
    """

    id: str
    time: float
    topic: str
    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, Any] = field(default_factory=dict)
    publisher: str = ""
    priority: str = "info"
    tenant: str = ""
    arrived: float = 0.0
    archived: bool = False
    number: int = 0

    @property
    def category(self) -> str | None:
        """The fourth word of the topic, as in ``org.fedoraproject.prod.bodhi.update``; None when it has no more than three."""
        words = self.topic.split(".", CATEGORY + 1)
        return words[CATEGORY] if len(words) > CATEGORY else None

    @property
    def users(self) -> tuple[str, ...]:
        """Whom it is about, each once."""
        return self.about("users")

    @property
    def packages(self) -> tuple[str, ...]:
        """The packages it is about, each once."""
        return self.about("packages")

    def about(self, name: str) -> tuple[str, ...]:
        """Return the words of a list in the headers, each once, in its order; none where there is no list of words."""
        found = self.headers.get(name)
        return tuple(dict.fromkeys(word for word in found if isinstance(word, str))) if isinstance(found, list | tuple) else ()


def of_event(event: Event, *, arrived: float, archived: bool, number: int = 0) -> Message:
    """Return the message that an event came as."""
    return Message(
        id=event.id,
        time=event.time,
        topic=event.type,
        body=event.payload,
        headers=event.context,
        publisher=event.publisher,
        priority=event.priority,
        tenant=event.tenant,
        arrived=arrived,
        archived=archived,
        number=number,
    )
