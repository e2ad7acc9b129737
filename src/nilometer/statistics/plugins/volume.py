"""How many messages there were: in all, by category, topic, user, package, agent and application.

The names, windows and columns of the first five are those of statscache_plugins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.statistics.kinds import Count

if TYPE_CHECKING:
    from nilometer.core.statistics import Message
    from nilometer.statistics.plugin import Plugin

SHORT = ("1s", "5s", "1m", "1h", "1d")


class Volume(Count):
    """All messages."""

    name = "volume"
    summary = "messages over time"
    description = "How many messages there were in each window of time."
    windows = SHORT


class ByCategory(Count):
    """By the fourth word of the topic."""

    name = "volume, by category"
    summary = "messages by category"
    description = "How many messages there were of each category, the fourth word of the topic: git, bodhi, copr, …"
    windows = ("1s", "15s", "1m", "1h", "1d")
    keys = ("category",)

    def key(self, message: Message) -> str | None:
        """Return the category; a topic without one does not count."""
        return message.category


class ByTopic(Count):
    """By the whole topic."""

    name = "volume, by topic"
    summary = "messages by topic"
    description = "How many messages there were of each topic."
    windows = SHORT
    keys = ("topic",)

    def key(self, message: Message) -> str:
        """Return the topic."""
        return message.topic


class ByUser(Count):
    """By whom a message is about."""

    name = "volume, by user"
    summary = "messages by user"
    description = "How many messages were about each user. One that is about several counts for each of them."
    windows = SHORT
    keys = ("user",)

    def key(self, message: Message) -> list[str]:
        """Return the users."""
        return list(message.users)


class ByPackage(Count):
    """By the packages that a message is about."""

    name = "volume, by package"
    summary = "messages by package"
    description = "How many messages were about each package. One that is about several counts for each of them."
    windows = SHORT
    keys = ("package",)

    def key(self, message: Message) -> list[str]:
        """Return the packages."""
        return list(message.packages)


class ByAgent(Count):
    """By who did what a message tells."""

    name = "volume, by agent"
    summary = "messages by agent"
    description = "How many messages tell of what each agent did; the agent is whom the body names, or who sent a fedmsg."
    windows = SHORT
    keys = ("agent",)

    def key(self, message: Message) -> str | None:
        """Return the agent."""
        found = message.body.get("agent") or message.headers.get("username")
        return found if isinstance(found, str) else None


class ByApplication(Count):
    """By who publishes."""

    name = "volume, by application"
    summary = "messages by application"
    description = "How many messages each application published: organisation, environment and name, or the publisher's id."
    windows = SHORT
    keys = ("application",)

    def key(self, message: Message) -> str | None:
        """Return the publisher."""
        return message.publisher or None


PLUGINS: tuple[type[Plugin], ...] = (Volume, ByCategory, ByTopic, ByUser, ByPackage, ByAgent, ByApplication)
