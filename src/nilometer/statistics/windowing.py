"""The changes of a plugin put into the windows of its statistics.

Rules:

* The shortest windows come first. Where each of them lies within one of a longer kind, the longer ones are made of them: a day
  is added up from hours, not from messages.
* What is put together keeps the time of its newest message, which lies in the same windows as the others.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from nilometer.core.sketch import Sketch
from nilometer.core.statistics import Kind, Tally
from nilometer.core.statistics.change import Amount, bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from nilometer.core.statistics import Add, Change, Latest, Member, Sample, Window
    from nilometer.core.statistics.change import Key
    from nilometer.statistics.plugin import Statistic

    Added = tuple[Key, float, float]
    Counted = tuple[Key, str, float]
    Label = Callable[[float], int]


Item = TypeVar("Item")


class Levels(Generic[Item]):
    """Changes as they came, then put together by ever longer windows."""

    def __init__(self, changes: list[Item]) -> None:
        self._levels: list[tuple[Window | None, list[Item]]] = [(None, changes)]

    def within(self, window: Window) -> list[Item]:
        """Return the fewest changes of which this window's can be made."""
        return next(items for shorter, items in reversed(self._levels) if shorter is None or window.holds(shorter))

    def add(self, window: Window, items: list[Item]) -> None:
        """Note the changes as put together by a window."""
        self._levels.append((window, items))


def windowed(family: Sequence[Statistic], changes: Sequence[Change]) -> dict[str, Tally]:
    """Return the tallies of the statistics of one plugin, by ident."""
    if not changes:
        return {statistic.ident: Tally() for statistic in family}
    put = {Kind.SUM: _sums, Kind.DISTINCT: _members, Kind.DISTRIBUTION: _sketches, Kind.LATEST: _latest}
    return put[family[0].plugin.kind](sorted(family, key=_length), changes)


def _length(statistic: Statistic) -> float:
    interval = statistic.window.interval
    return math.inf if interval is None else interval.total_seconds()


def _sums(family: Sequence[Statistic], changes: Sequence[Change]) -> dict[str, Tally]:
    levels, found = Levels([(each.key, each.amount, each.time) for each in cast("Sequence[Add]", changes)]), {}
    for statistic in family:
        sums = _added(statistic.window.labels(), levels.within(statistic.window))
        levels.add(statistic.window, [(key, *amount) for (_, key), amount in sums.items()])
        found[statistic.ident] = Tally(sums=sums)
    return found


def _added(label: Label, changes: Iterable[Added]) -> dict[tuple[int, Key], Amount]:
    amounts: dict[tuple[int, Key], float] = {}
    newest: dict[tuple[int, Key], float] = {}
    for key, amount, time in changes:
        place = (label(time), key)
        amounts[place] = amounts.get(place, 0) + amount
        if time > newest.get(place, -math.inf):
            newest[place] = time
    return {place: Amount(amount, newest[place]) for place, amount in amounts.items()}


def _members(family: Sequence[Statistic], changes: Sequence[Change]) -> dict[str, Tally]:
    levels = Levels([(each.key, _word(each.member), each.time) for each in cast("Sequence[Member]", changes)])
    found = {}
    for statistic in family:
        members = _counted(statistic.window.labels(), levels.within(statistic.window))
        levels.add(statistic.window, [(key, member, time) for (_, key, member), time in members.items()])
        found[statistic.ident] = Tally(members=members)
    return found


def _word(member: object) -> str:
    (word,) = bounded((str(member),))
    return word or ""


def _counted(label: Label, changes: Iterable[Counted]) -> dict[tuple[int, Key, str], float]:
    newest: dict[tuple[int, Key, str], float] = {}
    for key, member, time in changes:
        place = (label(time), key, member)
        if time > newest.get(place, -math.inf):
            newest[place] = time
    return newest


def _sketches(family: Sequence[Statistic], changes: Sequence[Change]) -> dict[str, Tally]:
    samples = cast("Sequence[Sample]", changes)
    return {statistic.ident: Tally(sketches=_sampled(statistic.window.labels(), samples)) for statistic in family}


def _sampled(label: Label, changes: Iterable[Sample]) -> dict[tuple[int, Key], tuple[Sketch, float]]:
    found: dict[tuple[int, Key], tuple[Sketch, float]] = {}
    for time, key, value in changes:
        place = (label(time), key)
        sketch, newest = found.get(place) or (Sketch(), time)
        sketch.add(float(value))
        found[place] = (sketch, max(newest, time))
    return found


def _latest(family: Sequence[Statistic], changes: Sequence[Change]) -> dict[str, Tally]:
    latest: dict[Key, Latest] = {}
    for change in cast("Sequence[Latest]", changes):
        held = latest.get(change.key)
        if held is None or (change.time, change.id) > (held.time, held.id):
            latest[change.key] = change
    return {statistic.ident: Tally(latest=latest) for statistic in family}
