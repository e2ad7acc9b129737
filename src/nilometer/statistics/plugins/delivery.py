"""How long messages are under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.statistics.kinds import Distribution

if TYPE_CHECKING:
    from nilometer.core.statistics import Message
    from nilometer.statistics.plugin import Plugin


class Delay(Distribution):
    """Seconds between sending and arrival, by category."""

    name = "delivery delay"
    summary = "seconds from a message's sending to its arrival"
    description = "How long messages of the bus were under way, in seconds; those of an archive do not count."
    windows = ("1m", "1h", "1d")
    keys = ("category",)

    def wants(self, message: Message) -> bool:
        """Leave out what an archive gave."""
        return not message.archived

    def key(self, message: Message) -> str | None:
        """Return the category."""
        return message.category

    def values(self, message: Message) -> tuple[float]:
        """Return the delay; a sender's clock that is ahead makes none."""
        return (max(message.arrived - message.time, 0.0),)


PLUGINS: tuple[type[Plugin], ...] = (Delay,)
