"""The common kinds of plugins: say what the key of a message is, and in which windows to count.

::

    class ByPriority(Count):
        name = "volume, by priority"
        summary = "messages by priority"
        description = "How many messages there were of each priority."
        windows = ("1m", "1d", "1mo@Europe/Prague")
        keys = ("priority",)

        def key(self, message: Message) -> str:
            return message.priority

Rules:

* `key` returns a word for a plugin with one key, a tuple of words for one with several, None for a message that does not count,
  or a list of these, each of which counts once.
* Without `keys` every message that `wants` lets through counts.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from nilometer.core.statistics import Add, Kind, Latest, Member, Sample
from nilometer.statistics.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nilometer.core.statistics import Message
    from nilometer.core.statistics.change import Key

    Word = str | tuple[str | None, ...]
    Found = Word | Iterable[Word] | None


NONE: tuple[Key, ...] = ()
ONCE: tuple[Key, ...] = ((),)


class Keyed(Plugin):
    """A plugin whose changes belong to the keys of a message."""

    def wants(self, message: Message) -> bool:
        """Say whether a message counts at all."""
        del message
        return True

    def key(self, message: Message) -> Found:
        """Return the key of a message, or several."""
        del message
        return () if not self.keys else None

    def found(self, message: Message) -> Iterable[Key]:
        """Return the keys of a message, each once."""
        if not self.wants(message):
            return NONE
        if not self.keys:
            return ONCE
        found = self.key(message)
        if found is None:
            return NONE
        if isinstance(found, str):
            return ((found,),)
        several = found if isinstance(found, list | set | frozenset) else [found]
        return dict.fromkeys((each,) if isinstance(each, str) else tuple(each) for each in several)


class Count(Keyed):
    """How many messages there were, by key."""

    def process(self, message: Message) -> Iterable[Add]:
        """Count a message once for each of its keys."""
        return [Add(message.time, key) for key in self.found(message)]


class Top(Count):
    """The keys with the most messages: all are counted, and so many of each window are shown."""

    top: ClassVar[int] = 10


class Sum(Keyed):
    """Amounts added up, by key."""

    value: ClassVar[str] = "amount"

    @abstractmethod
    def amount(self, message: Message) -> float | None:
        """Return what a message adds, None for nothing."""

    def process(self, message: Message) -> Iterable[Add]:
        """Add the amount under each key."""
        amount = self.amount(message)
        return [] if amount is None else [Add(message.time, key, amount) for key in self.found(message)]


class Distinct(Keyed):
    """How many different ones there were, by key."""

    kind = Kind.DISTINCT
    value: ClassVar[str] = "distinct"

    @abstractmethod
    def members(self, message: Message) -> Iterable[str]:
        """Return who, or what, is counted."""

    def process(self, message: Message) -> Iterable[Member]:
        """Count each member under each key."""
        return [Member(message.time, key, member) for key in self.found(message) for member in self.members(message)]


class Distribution(Keyed):
    """How numbers are distributed, by key: count, mean, lowest, highest, percentiles."""

    kind = Kind.DISTRIBUTION

    @abstractmethod
    def values(self, message: Message) -> Iterable[float]:
        """Return the numbers of a message."""

    def process(self, message: Message) -> Iterable[Sample]:
        """Note each number under each key."""
        return [Sample(message.time, key, value) for key in self.found(message) for value in self.values(message)]


class LatestByKey(Keyed):
    """What the newest message says, by key; the order in which messages come does not matter."""

    kind = Kind.LATEST
    value: ClassVar[str] = "message"

    @abstractmethod
    def text(self, message: Message) -> str:
        """Return what is kept of a message."""

    def process(self, message: Message) -> Iterable[Latest]:
        """Keep the text under each key."""
        return [Latest(message.time, key, self.text(message), message.id) for key in self.found(message)]
