"""A log whose rows have a key that is null, as statscache had them without a constraint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.core.statistics import Kind, Latest
from nilometer.statistics.plugin import Plugin

if TYPE_CHECKING:
    from nilometer.core.statistics import Message


class Log(Plugin):
    """The last message of each category."""

    name = "release engineering event logs"
    summary = description = "rows without a constraint"
    kind = Kind.LATEST
    keys = ("category", "category_constraint")
    value = "message"

    def process(self, message: Message) -> list[Latest]:
        """Keep the message, under no constraint."""
        return [Latest(message.time, ("category", None), "text", message.id)]
