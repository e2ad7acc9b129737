"""Into which longer windows those of a statistic can be put together.

Rules:

* A longer window holds shorter ones whole: quarters of an hour hold minutes, days hold hours, weeks and months hold days of
  the same zone. Weeks do not make months.
* Rows that were rolled up are of longer windows; nothing shorter is left of their time.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nilometer.core.errors import InputError
from nilometer.core.statistics import Kind, Window
from nilometer.core.statistics.window import CALENDAR, SECONDS, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.statistics.plugin import Statistic

GOOD = 200
"""Windows that a grouping is chosen for, at most."""
USUAL = 60
"""Windows of a chart when nobody says how many."""
MOST = 2000
"""Windows of a chart, at most."""
ADDED = (Kind.SUM, Kind.DISTRIBUTION)
"""What can be added up over windows, and over keys: of distinct ones nobody knows who was there before."""
CHOICES = (Window(1, "m"), Window(5, "m"), Window(15, "m"), Window(1, "h"))


def chosen(statistic: Statistic, text: str, since: float, until: float, now: float) -> Window:
    """Return the windows that a text names, or good ones where it is empty. Raise `InputError`."""
    if not statistic.windowed:
        message = f"{statistic.ident} has no windows, so there is nothing to see over time; ask for its rows"
        raise InputError(message)
    if since >= until:
        message = "since: it lies behind until, so there is nothing between them"
        raise InputError(message)
    base = _base(statistic, since, now)
    group = parse(text) if text else _good(statistic, base, until - since)
    if not _holds(group, base) or (group != base and statistic.plugin.kind not in ADDED):
        message = f"group: windows of {base} cannot be put together into {group or 'one'}"
        raise InputError(message)
    if (until - since) / _length(group) > MOST:
        message = f"that are more than {MOST} windows of {group}; ask for longer windows, or a shorter time"
        raise InputError(message)
    return group


def ends(group: Window, since: float, until: float) -> Iterator[int]:
    """Yield the ends of the windows that overlap a time."""
    before, end = -math.inf, group.slot(since)
    while end > before:  # calendars end with the year 9999
        yield end
        if end >= until:
            return
        before, end = end, group.slot(end)


def usual(window: Window) -> float:
    """Return the seconds of a chart when nobody says how long it is."""
    return USUAL * _length(window) if window.interval is not None else 0


def _base(statistic: Statistic, since: float, now: float) -> Window:
    """Return the windows of the oldest rows."""
    roll_up = statistic.plugin.roll_up
    if roll_up is None or since >= now - roll_up[0].total_seconds():
        return statistic.window
    longer = parse(roll_up[1])
    return longer if _length(longer) > _length(statistic.window) else statistic.window


def _good(statistic: Statistic, base: Window, seconds: float) -> Window:
    """Return the shortest windows of which there are not too many."""
    choices = [base]
    if statistic.plugin.kind in ADDED:
        choices += [*CHOICES, *(Window(1, unit, base.zone) for unit in CALENDAR)]
    fitting = [each for each in choices if _holds(each, base)]
    return next((each for each in fitting if seconds / _length(each) <= GOOD), fitting[-1])


def _holds(group: Window, base: Window) -> bool:
    """Return whether each window of `group` holds those of `base` whole."""
    if group == base:
        return True
    if group.unit in SECONDS:
        return base.unit in SECONDS and _length(group) % _length(base) == 0
    return group.unit in CALENDAR and (base.unit in SECONDS or (base.unit == "d" and base.zone == group.zone != ""))


def _length(window: Window) -> float:
    return math.inf if window.interval is None else window.interval.total_seconds()
