"""When the next flush is due: plain arithmetic on times, without a clock and without sleeping.

Rules:

* A window ends on a boundary, ``origin + k * interval``. The origin is the epoch (boundaries of the wall clock) or the
  second in which the server started.
* A flush that comes late keeps the end that was planned. Windows that were missed are not invented: one flush covers the
  longer window and ends at the last boundary that has passed.
* When the wall clock jumps back, the plan is made anew; when it jumps ahead, the flush is due at once.
* Rates are per second over as many whole intervals as really passed, on the monotonic clock, and at least one.
* The window that a process before this one wrote when it stopped is never written again: a restart within a window makes
  the first one longer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from nilometer.core.record import Window

START = "start"


class Plan(NamedTuple):
    """The window that is being filled: `start` and planned `end` in seconds since the epoch, `begun` on the monotonic clock."""

    start: float
    end: float
    begun: float


class Finished(NamedTuple):
    """What a flush needs: its window, the seconds that rates divide by, and the plan that follows."""

    window: Window
    seconds: float
    plan: Plan


@dataclass(frozen=True, slots=True)
class Schedule:
    """Boundaries ``origin + k * interval``, in seconds since the epoch."""

    interval: float
    origin: float = 0.0

    def _index(self, now: float) -> int:
        """Return the k of the last boundary at or before `now`."""
        step = math.floor((now - self.origin) / self.interval)
        return step + (self.origin + (step + 1) * self.interval <= now)  # the division may have rounded down

    def last(self, now: float) -> float:
        """Return the last boundary at or before `now`."""
        return self.origin + self._index(now) * self.interval

    def after(self, now: float) -> float:
        """Return the first boundary later than `now`."""
        return self.origin + (self._index(now) + 1) * self.interval

    def first(self, now: float, monotonic: float, written: float = 0.0) -> Plan:
        """Plan the first window. `written` is the end of the last one that an earlier process wrote, if it is still to come."""
        begin = max(now, self.origin)
        if begin < written <= now + 2 * self.interval:
            begin = written
        return Plan(now, self.after(begin), monotonic)

    def wait(self, plan: Plan, now: float) -> float:
        """Return the seconds until `plan` is due, zero when it is."""
        return max(0.0, plan.end - now)

    def revise(self, plan: Plan, now: float) -> Plan:
        """Plan anew when the end lies further ahead than any plan puts it, because the wall clock was set back."""
        if plan.end - now <= 3 * self.interval + 1:
            return plan
        end = self.after(now)
        return Plan(min(plan.start, end - self.interval), end, plan.begun)

    def finish(self, plan: Plan, now: float, monotonic: float) -> Finished:
        """End the window of `plan`, in time, late or (when the server stops) early."""
        end = max(plan.end, self.last(now))
        seconds = self.interval * max(1, round((monotonic - plan.begun) / self.interval))
        following = Plan(end, self.after(max(now, end)), monotonic)
        return Finished(Window(plan.start, end, self.interval), seconds, following)


def schedule(interval: float, align: str, now: float) -> Schedule:
    """Return the boundaries for a setting: ``clock`` counts from the epoch, ``start`` from the second nearest to `now`."""
    return Schedule(interval, math.floor(now + 0.5) if align == START else 0.0)
