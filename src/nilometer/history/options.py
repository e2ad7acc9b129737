"""What a ``sqlite`` URL says: the file, how paths are named, and how long which points are kept.

A level is one resolution: level 0 the points as written, each further one a roll-up. Its blocks hold the points of a
period: so long that a block is worth its while, so short that the finer points need not be kept for much longer than asked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self

from nilometer.core.errors import SettingError
from nilometer.core.naming_options import NamingOptions
from nilometer.core.options import option, refuse
from nilometer.core.quantity import Duration, Rollup, rollup, written
from nilometer.history.layout import HOUR

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nilometer.core.url import Url

DAY = 86400
PERIODS = (HOUR, 6 * HOUR, DAY, 7 * DAY)
FULL_BLOCK = 60
"""Points that a block of a roll-up should hold at least."""
MOST_ROLLUPS, LARGEST_GROUP = 8, 4096
LONGEST_KEEP = 100 * 366 * DAY


class Level(NamedTuple):
    """One resolution. `step`, `period` and `keep` are whole seconds; a step of 0 is: as written.

    `number` is the level's in the file; 0 as long as it stands in a URL only.
    """

    step: int
    period: int
    keep: int
    number: int = 0

    @property
    def columns(self) -> int:
        """The numbers kept for each point: the value; of a roll-up, the total and how many points it is made of."""
        return 2 if self.step else 1


class Rollups(tuple[Rollup, ...]):
    """Roll-ups, finest first, as in ``1m:30d,10m:365d``; empty for none."""

    __slots__ = ()

    def __new__(cls, text: str | Iterable[Rollup] = "") -> Self:
        """Read the text. Raise `SettingError` when it is no list of roll-ups."""
        parts = [rollup(part) for part in text.split(",") if part.strip()] if isinstance(text, str) else text
        return super().__new__(cls, parts)

    def __str__(self) -> str:
        """Return the roll-ups as a URL writes them."""
        return ",".join(map(written, self))


DEFAULT_ROLLUPS = Rollups("1m:30d,10m:365d")


@dataclass(frozen=True, slots=True)
class Options(NamingOptions):
    """How long points are kept, and how series become paths."""

    retention: Duration = option(Duration(7 * DAY), "how long points are kept as they were written")  # noqa: RUF009 a field
    rollups: Rollups = option(  # noqa: RUF009 declares a field
        DEFAULT_ROLLUPS, "coarser points and how long they are kept: `step:keep`, finest first"
    )
    group: int = option(250, "series that share a row until their hour is over; fixed when the file is made")

    def levels(self) -> tuple[Level, ...]:
        """Return the levels, finest first. Raise `SettingError` when they do not build on each other.

        A default roll-up that would not outlive the points that it is made of is left out: nobody asked for it.
        """
        found = [Level(0, HOUR, _keep("retention", self.retention))]
        if len(self.rollups) > MOST_ROLLUPS:
            message = f"option rollups: there are {len(self.rollups)}, at most {MOST_ROLLUPS} make sense"
            raise SettingError(message)
        for each in self.rollups:
            if self.rollups == DEFAULT_ROLLUPS and each.keep <= found[-1].keep:
                continue
            found.append(_level(each, found[-1]))
        return tuple(found)


def _keep(name: str, keep: float) -> int:
    if not HOUR <= keep <= LONGEST_KEEP:
        message = f"option {name}: {written(Duration(keep))} is not between an hour and a hundred years"
        raise SettingError(message)
    return int(keep)


def _level(each: Rollup, finer: Level) -> Level:
    """Return the level of a roll-up of `finer`. Raise `SettingError` for one that cannot be."""
    text = f"option rollups: {written(each)}"
    step = int(each.step)
    if each.step > step or step <= finer.step or (finer.step and step % finer.step):
        message = f"{text}: its step must be whole seconds, and a multiple of the one before"
        raise SettingError(message)
    keep = _keep("rollups", each.keep)
    if keep <= finer.keep:
        message = f"{text}: it must be kept for longer than the finer points, {written(Duration(finer.keep))}"
        raise SettingError(message)
    fitting = [period for period in PERIODS if period % step == 0]
    if not fitting:
        message = f"{text}: its step must divide an hour, a day or a week"
        raise SettingError(message)
    enough = [period for period in fitting if period // step >= FULL_BLOCK] or fitting[-1:]
    soon = [period for period in fitting if period <= finer.keep / 4] or fitting[:1]
    return Level(step, min(enough[0], soon[-1]), keep)


def cutoffs(levels: Sequence[Level], present: int) -> list[int]:
    """Return the time from which on each level is kept, in seconds.

    Each is rounded down to whole periods and to whole steps of the next level, so that what is left of a level is always
    enough to make the next level's points anew.
    """
    found: list[int] = []
    for level, coarser in zip(levels, [*levels[1:], None], strict=True):
        unit = math.lcm(level.period, coarser.step) if coarser else level.period
        last = min([present - level.keep, *found[-1:]])
        found.append(max(last // unit * unit, 0))
    return found


def read(url: Url) -> tuple[Options, tuple[Level, ...]]:
    """Return a URL's options and the levels they make. Raise `UrlError`."""
    options = url.options(Options)
    if not 1 <= options.group <= LARGEST_GROUP:
        raise refuse(url, f"option group: {options.group} is not between 1 and {LARGEST_GROUP}")
    try:
        return options, options.levels()
    except SettingError as error:
        raise refuse(url, str(error)) from error
