"""Events that a notifier emits, kept for tests.

    with Recorded() as recorded:
        notifier = Notifier(recorded.url, publisher="shop.web1")
        work(notifier)
    assert recorded.types == ["shop.order.paid"]

Nothing waits: what was emitted is there when `Notifier.info` returns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from nilometer.backends import memory, registry
from nilometer.core.url import parse

if TYPE_CHECKING:
    from nilometer.core.record import Event


class Recorded:
    """A place for events in this process, reached by `url`; the end of its ``with`` leaves `events` as they are."""

    def __init__(self) -> None:
        self._name = f"recorded-{uuid4().hex}"
        self.url = f"memory://{self._name}"
        self._memory = memory.open(registry.check(parse(self.url), registry.EVENTS))

    @property
    def events(self) -> list[Event]:
        """The events, in their order."""
        return self._memory.events()

    @property
    def types(self) -> list[str]:
        """Their types."""
        return [event.type for event in self.events]

    def of(self, type_: str) -> list[dict[str, Any]]:
        """Return the payloads of the events of one type."""
        return [dict(event.payload) for event in self.events if event.type == type_]

    def clear(self) -> None:
        """Forget what came so far."""
        self._memory.clear_events()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        memory.forget(self._name)
