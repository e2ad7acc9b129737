"""What projects of an OpenStack cloud used: rows read and written, and storage, as notifications tell.

What an event counts for, the registry of event types says; storage is in gigabyte hours, what a table took times the length of
the period that its usage event covers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from nilometer.core.event_types import EVERY, Registry, Usage
from nilometer.core.event_types.audit import hours
from nilometer.core.record import Event
from nilometer.core.statistics.change import MOST_EXACT
from nilometer.statistics.kinds import Count, Sum

if TYPE_CHECKING:
    from nilometer.core.statistics import Message
    from nilometer.statistics.plugin import Plugin

TYPES = Registry(EVERY)
WINDOWS = ("1h", "1d", "1mo")


class Used(Sum):
    """What projects used of one thing, by type of event."""

    used: ClassVar[Usage]
    windows = WINDOWS
    keys = ("project", "event_type")

    def amount(self, message: Message) -> float | None:
        """Return how much a message tells of; more than can be added up exactly is nothing."""
        event = Event(message.id, message.time, message.topic, payload=message.body, context=message.headers)
        counted = TYPES.usage(event)
        if counted is None or counted.usage is not self.used:
            return None
        amount = counted.amount * (hours(event) if self.used is Usage.STORAGE else 1)
        return amount if 0 < amount < MOST_EXACT else None

    def key(self, message: Message) -> tuple[str, str]:
        """Return project and type."""
        return (message.tenant, message.topic)


class Reads(Used):
    """Rows read."""

    name = "usage, reads"
    summary = "rows read by project"
    description = "How many rows each project read, by type of event."
    used = Usage.READS
    value = "rows"


class Writes(Used):
    """Rows written."""

    name = "usage, writes"
    summary = "rows written by project"
    description = "How many rows each project wrote, by type of event."
    used = Usage.WRITES
    value = "rows"


class Storage(Used):
    """Storage."""

    name = "usage, storage"
    summary = "gigabyte hours stored by project"
    description = "How much each project stored for how long, in gigabyte hours, as the usage events of its tables tell."
    used = Usage.STORAGE
    value = "gigabyte_hours"


class Notifications(Count):
    """Events of projects."""

    name = "notifications"
    summary = "events by project and type"
    description = "How many events there were of each project and type; events without a project do not count."
    windows = WINDOWS
    keys = ("project", "event_type")

    def key(self, message: Message) -> tuple[str, str] | None:
        """Return project and type."""
        return (message.tenant, message.topic) if message.tenant else None


PLUGINS: tuple[type[Plugin], ...] = (Reads, Writes, Storage, Notifications)
