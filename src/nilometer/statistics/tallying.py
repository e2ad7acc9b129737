"""What a batch of messages comes to: each processed once by each plugin.

Rules:

* A plugin that raises, or returns what is no change of its kind, stops at that message: what came before it counts.
* A message from an archive that was older than the plugin's `backlog_delta` when it came changes nothing.
* Most plugins have nothing to say of most messages: what is done for each of both is kept to little.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from nilometer.core.statistics import Add, Kind, Latest, Member, Sample
from nilometer.core.statistics.change import MOST_EXACT, bounded
from nilometer.statistics.windowing import windowed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nilometer.core.statistics import Change, Message, Tally
    from nilometer.core.statistics.change import Key
    from nilometer.statistics.plugin import Plugin, Statistic

KINDS: dict[Kind, type] = {Kind.SUM: Add, Kind.DISTINCT: Member, Kind.DISTRIBUTION: Sample, Kind.LATEST: Latest}
ALL = ("*",)
"""Topics of a plugin that looks at every message."""
MOST = 10_000
"""Changes that one message may make, in one plugin."""


@dataclass(slots=True)
class Failure:
    """What a plugin raised, and at which message."""

    statistics: list[Statistic]
    message: Message
    error: Exception | SystemExit


@dataclass(slots=True)
class Tallied:
    """The tally of each statistic by ident, and which plugins failed: theirs are of what came before."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)


def tallied(statistics: Sequence[Statistic], messages: Sequence[Message]) -> Tallied:
    """Process messages, in order, for statistics that have all seen what came before."""
    together: dict[int, list[Statistic]] = {}
    for statistic in statistics:
        together.setdefault(id(statistic.plugin), []).append(statistic)
    found = Tallied()
    for family in together.values():
        _family(family, messages, found)
    return found


def _family(family: list[Statistic], messages: Sequence[Message], found: Tallied) -> None:
    """Process messages for the statistics of one plugin."""
    plugin = family[0].plugin
    process, check = plugin.process, Check(plugin)
    changes: list[Change] = []
    for message in _concerning(plugin, messages):
        try:
            made = process(message)
            if made != []:
                changes += check.checked(made)
        except (Exception, SystemExit) as error:  # noqa: BLE001 a plugin may raise anything; it stops, and is shown with it
            found.failures.append(Failure(family, message, error))
            break
    found.tallies |= windowed(family, changes)


def _concerning(plugin: Plugin, messages: Sequence[Message]) -> Sequence[Message]:
    """Return the messages that a plugin looks at."""
    if plugin.topics != ALL:
        wanted = {
            topic for topic in {each.topic for each in messages} if any(fnmatchcase(topic, glob) for glob in plugin.topics)
        }
        messages = [each for each in messages if each.topic in wanted]
    if plugin.backlog_delta is not None:
        limit = plugin.backlog_delta.total_seconds()
        messages = [each for each in messages if not each.archived or each.arrived - each.time <= limit]
    return messages


class Check:
    """Looks at the changes that a plugin returns."""

    def __init__(self, plugin: Plugin) -> None:
        self._wanted, self._names = KINDS[plugin.kind], plugin.keys
        self._keys: dict[Key, Key] = {}
        """Each key that came, as it can be stored."""

    def checked(self, changes: Iterable[Change] | None) -> list[Change]:
        """Return the changes, their keys such as can be stored. Raise `TypeError` or `ValueError` for what is wrong."""
        found = []
        if changes is None:
            message = "process returned None, where a list of changes is wanted; return [] for none"
            raise TypeError(message)
        for change in changes:
            if not isinstance(change, self._wanted):
                message = f"process returned {type(change).__name__}, where {self._wanted.__name__} is wanted"
                raise TypeError(message)
            if not (_is_number(change.time) and _has_number(change)):
                message = f"{change!r:.200} holds what is no number"
                raise ValueError(message)
            if not _has_texts(change):
                message = f"{change!r:.200} holds what is no text where one is wanted"
                raise TypeError(message)
            key = self._keys.get(change.key) or self._known(change.key)
            found.append(change if key == change.key else change._replace(key=key))
            if len(found) > MOST:
                message = f"process returned more than {MOST} changes"
                raise ValueError(message)
        return found

    def _known(self, key: Key) -> Key:
        if len(key) != len(self._names) or not all(word is None or isinstance(word, str) for word in key):
            message = f"key {key!r:.100} has not a word, or None, for each of {self._names}"
            raise ValueError(message)
        found = self._keys[key] = bounded(key)
        return found


def _has_number(change: Change) -> bool:
    if isinstance(change, Add):
        return _is_number(change.amount)
    return not isinstance(change, Sample) or _is_number(change.value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) < MOST_EXACT


def _has_texts(change: Change) -> bool:
    if isinstance(change, Member):
        return isinstance(change.member, str | int | float)
    return not isinstance(change, Latest) or (isinstance(change.value, str) and isinstance(change.id, str))
