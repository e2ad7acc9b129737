"""What people did: how often each is mentioned, on which days each was active, and how many were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.statistics.kinds import Count, Distinct

if TYPE_CHECKING:
    from nilometer.core.statistics import Message
    from nilometer.statistics.plugin import Plugin


class Popularity(Count):
    """A running total of the messages about each user."""

    name = "popularity"
    summary = "messages about each user, of all time"
    description = "How many messages were about each user since the beginning; the time is that of the last one."
    keys = ("user",)
    value = "references"

    def key(self, message: Message) -> list[str]:
        """Return the users."""
        return list(message.users)


class Calendar(Count):
    """Messages about each user by day: what a calendar is drawn of."""

    name = "activity calendar"
    summary = "what each user did on each day"
    description = "How many messages were about each user on each day, week and month."
    windows = ("1d", "1w", "1mo")
    keys = ("user",)

    def key(self, message: Message) -> list[str]:
        """Return the users."""
        return list(message.users)


class Active(Distinct):
    """How many different users were active."""

    name = "active users"
    summary = "how many users were active"
    description = "How many different users messages were about, in each category."
    windows = ("1h", "1d", "1w", "1mo")
    keys = ("category",)
    value = "users"

    def key(self, message: Message) -> str | None:
        """Return the category."""
        return message.category

    def members(self, message: Message) -> tuple[str, ...]:
        """Return the users."""
        return message.users


PLUGINS: tuple[type[Plugin], ...] = (Popularity, Calendar, Active)
