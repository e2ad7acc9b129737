"""The series of the window that is open.

Rules:

* Each kind has a table of its own, in order of first arrival; the same name in two kinds is two series.
* A series outlives its window, idle, unless the rules delete idle ones: a deleted series is gone altogether.
* A value beyond a limit changes nothing; it is counted in the tally.
* A counter that is NaN (infinities of both signs, or 0 at a rate of 0) starts anew at the next value, as in statsd.
* A gauge is a number that stays. A value with a sign is a change to it, but only where it is neither 0 nor NaN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.core.record import Kind
from nilometer.ingest._reference.timer import Samples

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.ingest._reference.line import Sample
    from nilometer.ingest.kernel import Aggregation

SERIES, SAMPLES, MEMBERS = "series_over_limit", "samples_over_limit", "members_over_limit"


class Window:
    """A finished window: per kind the series in order, None for one that was idle."""

    __slots__ = ("counters", "gauges", "sets", "timers")

    def __init__(self) -> None:
        self.counters: dict[str, float] = {}
        self.timers: dict[str, Samples | None] = {}
        self.gauges: dict[str, float] = {}
        self.sets: dict[str, dict[str, None] | None] = {}  # members in order of arrival

    def __len__(self) -> int:
        """Return the number of series of all kinds."""
        return len(self.counters) + len(self.timers) + len(self.gauges) + len(self.sets)


class Table(Window):
    """The open window, and what is kept from one to the next."""

    __slots__ = ("_add", "flushes", "members", "rules", "samples", "updated")

    def __init__(self, rules: Aggregation) -> None:
        super().__init__()
        self.rules = rules
        self.samples = self.members = self.flushes = 0
        self.updated: dict[str, int] = {}  # per gauge the number of the window that set it last
        self._add: dict[Kind, Callable[[str, Sample], str | None]] = {
            Kind.COUNTER: self._count,
            Kind.TIMER: self._time,
            Kind.GAUGE: self._gauge,
            Kind.SET: self._insert,
        }

    def add(self, key: str, sample: Sample) -> str | None:
        """Take a sample in. Return the name of the limit that refuses it, None when it counts."""
        return self._add[sample.kind](key, sample)

    def _full(self) -> bool:
        return len(self) >= self.rules.max_series

    def _count(self, key: str, sample: Sample) -> str | None:
        if key not in self.counters and self._full():
            return SERIES
        before = self.counters.get(key, 0.0)
        start = before if before == before else 0.0  # noqa: PLR0124 NaN differs from itself
        self.counters[key] = start + sample.number * sample.weight
        return None

    def _time(self, key: str, sample: Sample) -> str | None:
        if key not in self.timers and self._full():
            return SERIES
        if self.samples >= self.rules.max_samples:
            return SAMPLES
        held = self.timers.get(key)
        if held is None:
            held = self.timers[key] = Samples()
        held.values.append(sample.number)
        held.weight += sample.weight
        self.samples += 1
        return None

    def _gauge(self, key: str, sample: Sample) -> str | None:
        if key not in self.gauges and self._full():
            return SERIES
        before = self.gauges.get(key, 0.0)
        change = sample.text.startswith(("+", "-")) and before != 0 and before == before  # noqa: PLR0124 NaN differs from itself
        self.gauges[key] = before + sample.number if change else sample.number
        self.updated[key] = self.flushes
        return None

    def _insert(self, key: str, sample: Sample) -> str | None:
        if key not in self.sets and self._full():
            return SERIES
        held = self.sets.get(key)
        if held is not None and sample.text in held:
            return None
        if self.members >= self.rules.max_set_members:
            return MEMBERS
        if held is None:
            held = self.sets[key] = {}
        held[sample.text] = None
        self.members += 1
        return None

    def restore_gauge(self, key: str, value: float) -> bool:
        """Set a gauge that has no value yet. Return False when the series limit refuses it."""
        if key in self.gauges:
            return True
        if self._full():
            return False
        self.gauges[key] = value
        self.updated[key] = self.flushes
        return True

    def finish(self) -> Window:
        """Hand the window over and open the next one, with the series that stay."""
        done, rules = Window(), self.rules
        done.counters, done.timers, done.gauges, done.sets = self.counters, self.timers, self.gauges.copy(), self.sets
        kept = (
            [key for key in self.counters if any(word in key for word in rules.keep)]
            if rules.delete_counters
            else self.counters
        )
        self.counters = dict.fromkeys(kept, 0.0)
        self.timers = {} if rules.delete_timers else dict.fromkeys(self.timers)
        self.sets = {} if rules.delete_sets else dict.fromkeys(self.sets)
        self.samples = self.members = 0
        if rules.delete_gauges:
            self._expire()
        self.flushes += 1
        return done

    def _expire(self) -> None:
        """Delete the gauges that were not set in the last `gauge_ttl` windows, this one included."""
        oldest = self.flushes - max(self.rules.gauge_ttl, 1) + 1
        for key in [key for key, when in self.updated.items() if when <= oldest]:
            del self.gauges[key], self.updated[key]
