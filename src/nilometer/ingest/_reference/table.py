"""The series of the window that is open.

Rules:

* Each kind has a table of its own, in order of first arrival; the same name in two kinds is two series.
* A series outlives its window, idle, unless the rules delete idle ones: a deleted series is gone altogether.
* A series that a rule flushes every so many windows is due when the number of flushes is a multiple of that; until then it
  keeps what it has, within the bounds of one window. Its rate is over the time since it was due.
* The profile of a series is that of the first key that led to it since the rules are in force.
* A value whose series a limit refuses counts in the overflow series of its kind, which no limit refuses.
* Beyond the bound on exact samples a timer goes on in a sketch, beyond that on exact members a set in an estimate, for the rest
  of the window. What neither has room for is counted in the tally alone.
* A counter that is NaN (infinities of both signs, or 0 at a rate of 0) starts anew at the next value, as in statsd.
* A gauge is a number that stays. A value with a sign is a change to it, but only where it is neither 0 nor NaN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from nilometer.core.record import Kind
from nilometer.core.sketch import bucket
from nilometer.ingest._reference.limits import MEMBERS, SAMPLES, Gate
from nilometer.ingest._reference.members import Members
from nilometer.ingest._reference.rules import Dice, Profile, Router, Target, profile_of
from nilometer.ingest._reference.timeline import OVER_LIMIT, Timeline
from nilometer.ingest._reference.timer import Samples

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.ingest._reference.reading import Sample
    from nilometer.ingest.kernel import Aggregation

DROPPED = "dropped_by_rules"
SAMPLES_A_PAGE = 16
"""Samples that take as much memory as a page of a sketch."""
PAGE_BITS = 6
MEMBERS_AN_ESTIMATE = 256
"""Members that take as much memory as an estimate."""


class Mark(NamedTuple):
    """What a series was given: the number of its profile, by the rules of which generation."""

    profile: int = 0
    generation: int = 0


class Outcome(NamedTuple):
    """What became of a value.

    `series`: where it counts, None where it does not. `wanted`: the series that it was for. `refused`: the limit that refused
    that one. `lost`: why nothing, or not all, of it counts.
    """

    series: str | None
    wanted: str
    refused: str | None = None
    lost: str | None = None


class Window:
    """A finished window: per kind the series in order, None for one that was idle.

    `held`: what counters that are not due had in earlier windows. `marks` of the series that have one; `profiles` by number,
    and over how many seconds (None: not due) each is flushed.
    """

    __slots__ = ("counters", "gauges", "held", "marks", "profiles", "sets", "spans", "timers")

    def __init__(self) -> None:
        self.held: dict[str, float] = {}
        self.marks: dict[tuple[Kind, str], Mark] = {}
        self.profiles = [Profile()]
        self.spans: list[float | None] = []
        self.counters: dict[str, float] = {}
        self.timers: dict[str, Samples | None] = {}
        self.gauges: dict[str, float] = {}
        self.sets: dict[str, Members | None] = {}

    def profile(self, kind: Kind, key: str) -> int:
        """Return the number of a series' profile."""
        return self.marks.get((kind, key), Mark()).profile

    def count(self, key: str) -> float:
        """Return a counter's sum: that of earlier windows, and this one's. One that is NaN starts anew."""
        before, count = self.held.get(key, 0.0), self.counters[key]
        return before + count if before == before else count  # noqa: PLR0124 NaN differs from itself

    def __len__(self) -> int:
        """Return the number of series of all kinds."""
        return len(self.counters) + len(self.timers) + len(self.gauges) + len(self.sets)


def series(window: Window, kind: Kind) -> dict[str, Any]:
    """Return the series of one kind by their keys, in order of first arrival."""
    tables = {Kind.COUNTER: window.counters, Kind.TIMER: window.timers, Kind.GAUGE: window.gauges, Kind.SET: window.sets}
    return cast("dict[Kind, dict[str, Any]]", tables)[kind]


class Table(Window):
    """The open window, and what is kept from one to the next."""

    __slots__ = (
        "_add",
        "_dice",
        "_estimates",
        "_gate",
        "_members",
        "_pages",
        "_router",
        "_samples",
        "_since",
        "flushes",
        "rules",
        "timeline",
        "updated",
    )

    def __init__(self, rules: Aggregation) -> None:
        super().__init__()
        self.rules = rules
        self._router, self._dice = Router(rules, 0), Dice()
        self._gate, self.timeline = Gate(), Timeline()
        self._samples = self._pages = self._members = self._estimates = self.flushes = 0
        self.updated: dict[tuple[Kind, str], int] = {}  # the number of the window that had a value of the series last
        self._since: dict[int, float] = {}  # by number of windows the seconds since series that take so many were due
        self._add: dict[Kind, Callable[[str, Sample], str | None]] = {
            Kind.COUNTER: self._count,
            Kind.TIMER: self._time,
            Kind.GAUGE: self._gauge,
            Kind.SET: self._insert,
        }

    def configure(self, rules: Aggregation) -> None:
        """Use other settings; ask the rules anew when these or what they work on have changed."""
        old = self.rules
        if (old.rules, old.tags, old.sanitize) != (rules.rules, rules.tags, rules.sanitize):
            self._router = Router(rules, self._router.generation + 1)
            for profile in map(profile_of, rules.rules):
                if profile not in self.profiles:
                    self.profiles.append(profile)
        self.rules = rules

    def add(self, key: str, sample: Sample, source: str) -> Outcome:
        """Take a sample in that `source` sent."""
        kind, routed = sample.kind, self._route(key, sample)
        if isinstance(routed, Outcome):
            return routed
        target, changed = routed
        wanted, refused = target.key, None
        if wanted not in series(self, kind):
            refused = self._gate.admit(wanted, source, self.rules, self._alive())
            if refused is None:
                self._gate.enter(kind, wanted, source, self.rules)
        counted = self._overflow(kind) if refused else wanted
        lost = self._add[kind](counted, changed)
        self.updated[kind, counted] = self.flushes
        if not refused:
            self._settle((kind, wanted), target.profile)
        return Outcome(counted, wanted, refused, lost)

    def time(self, timestamp: int, key: str, sample: Sample, source: str) -> Outcome:
        """Keep a sample for the time that came with it."""
        kind, routed = sample.kind, self._route(key, sample)
        if isinstance(routed, Outcome):
            return routed
        (wanted, *_), changed = routed
        new = wanted not in series(self, kind) and (kind, wanted) not in self.timeline.series
        refused = self._gate.admit(wanted, source, self.rules, self._alive()) if new else None
        if not self.timeline.add(timestamp, self.rules.overflow if refused else wanted, changed):
            return Outcome(None, wanted, refused, OVER_LIMIT)
        if new and not refused:
            self._gate.enter(kind, wanted, source, self.rules, timed=True)
            self.timeline.series.add((kind, wanted))
        return Outcome(None, wanted, refused)

    def _route(self, key: str, sample: Sample) -> tuple[Target, Sample] | Outcome:
        """Return where a sample goes, and as what; or why it goes nowhere."""
        target = self._router.route(sample.kind, key)
        if target is None:
            return Outcome(None, key, lost=DROPPED)
        changed = self._dice.change(sample, target)
        return Outcome(None, key) if changed is None else (target, changed)

    def _alive(self) -> int:
        """Return how many series there are, those of timed values included."""
        return len(self) + len(self.timeline.series)

    def _overflow(self, kind: Kind) -> str:
        """Return the series that takes what a limit refuses; no limit refuses that."""
        key = self.rules.overflow
        if key not in series(self, kind):
            self._gate.enter(kind, key, None, self.rules)
            self._settle((kind, key), Profile())
        return key

    def _settle(self, series: tuple[Kind, str], profile: Profile) -> None:
        generation = self._router.generation
        if generation and self.marks.get(series, Mark()).generation != generation:
            self.marks[series] = Mark(self.profiles.index(profile), generation)

    def _count(self, key: str, sample: Sample) -> None:
        before = self.counters.get(key, 0.0)
        start = before if before == before else 0.0  # noqa: PLR0124 NaN differs from itself
        self.counters[key] = start + sample.number * sample.weight

    def _time(self, key: str, sample: Sample) -> str | None:
        held = self.timers.get(key)
        if held is None:
            held = self.timers[key] = Samples()
        held.weight += sample.weight
        few = held.fresh < self.rules.max_samples_per_timer and self._samples < self.rules.max_samples
        if held.sketch is not None or not few:
            return self._sketch(held, sample.number)
        held.values.append(sample.number)
        held.fresh += 1
        self._samples += 1
        return None

    def _sketch(self, held: Samples, value: float) -> str | None:
        sketch, page = held.begin_sketch(), bucket(value) >> PAGE_BITS
        if page not in held.pages:
            if self._pages >= _share(self.rules.max_samples, SAMPLES_A_PAGE):
                sketch.note(value)
                return SAMPLES
            self._pages += 1
            held.pages.add(page)
        sketch.add(value)
        return None

    def _gauge(self, key: str, sample: Sample) -> None:
        before = self.gauges.get(key, 0.0)
        change = sample.change and before != 0 and before == before  # noqa: PLR0124 NaN differs from itself
        self.gauges[key] = before + sample.number if change else sample.number

    def _insert(self, key: str, sample: Sample) -> str | None:
        held = self.sets.get(key)
        if held is None:
            held = self.sets[key] = Members()
        if held.estimate is not None:
            held.estimate.add(sample.text.encode())
        elif sample.text in held.fresh:
            pass
        elif len(held.fresh) < self.rules.max_members_per_set and self._members < self.rules.max_set_members:
            held.insert(sample.text)
            self._members += 1
        elif self._estimates < _share(self.rules.max_set_members, MEMBERS_AN_ESTIMATE):
            held.begin_estimate(sample.text)
            self._estimates += 1
        else:
            return MEMBERS
        return None

    def restore_gauge(self, key: str, value: float) -> bool:
        """Set a gauge that has no value yet. Return False when the series limit refuses it."""
        if key in self.gauges:
            return True
        if self._alive() >= self.rules.max_series:
            return False
        self._gate.enter(Kind.GAUGE, key, None, self.rules)
        self.gauges[key] = value
        self.updated[Kind.GAUGE, key] = self.flushes
        return True

    def forget(self, kind: Kind, key: str) -> None:
        """Delete a series altogether."""
        del series(self, kind)[key]
        self._gate.leave(kind, key)
        self.marks.pop((kind, key), None)
        self.updated.pop((kind, key), None)
        if kind is Kind.COUNTER:
            self.held.pop(key, None)

    def finish(self, seconds: float, *, last: bool) -> Window:
        """Hand what is due over and open the next window, with what is not due and the series that stay."""
        done = Window()
        done.marks, done.profiles, done.spans = self.marks.copy(), self.profiles.copy(), self._spans(seconds, last=last)
        for kind in Kind:
            held, finished = series(self, kind), series(done, kind)
            for key in list(held):
                if done.spans[self.profile(kind, key)] is None:
                    self._hold(kind, key)
                    continue
                self._sum_up(kind, key)
                finished[key] = held[key]
                self._empty(kind, key)
                if not self._stays(kind, key):
                    self.forget(kind, key)
        for kind, key in self.timeline.series:
            self._gate.leave(kind, key, timed=True)
        self.timeline = Timeline()
        self._begin()
        self.flushes += 1
        return done

    def _begin(self) -> None:
        """Begin a window for what is not due."""
        timers = [timer for timer in self.timers.values() if timer is not None]
        sets = [members for members in self.sets.values() if members is not None]
        for timer in timers:
            timer.hold()
        for members in sets:
            members.hold()
        self._samples = sum(len(timer.values) for timer in timers)
        self._pages = sum(len(timer.held_pages) for timer in timers)
        self._members = sum(map(len, sets))
        self._estimates = sum(members.held is not None for members in sets)

    def _hold(self, kind: Kind, key: str) -> None:
        """Put what a series had in this window to what it had before."""
        if self.updated[kind, key] != self.flushes:
            return
        if kind is Kind.COUNTER:
            self.held[key], self.counters[key] = self.count(key), 0.0
        elif kind is Kind.TIMER:
            self._sum_up(kind, key)

    def _sum_up(self, kind: Kind, key: str) -> None:
        if kind is Kind.COUNTER and key in self.held:
            idle = self.updated[kind, key] != self.flushes
            self.counters[key] = self.held[key] if idle else self.count(key)
            del self.held[key]
        elif kind is Kind.TIMER and (samples := self.timers[key]):
            samples.before, samples.weight = samples.before + samples.weight, 0.0

    def _spans(self, seconds: float, *, last: bool) -> list[float | None]:
        """Return for each profile over how many seconds its series are flushed now, None where they are not due."""
        since = {every: self._since.get(every, 0.0) + seconds for every in {profile.every for profile in self.profiles}}
        due = {every: last or (self.flushes + 1) % every == 0 for every in since}
        self._since = {every: 0.0 if due[every] else span for every, span in since.items()}
        return [since[profile.every] if due[profile.every] else None for profile in self.profiles]

    def _empty(self, kind: Kind, key: str) -> None:
        """Begin a series anew, idle; a gauge keeps its value."""
        if kind is Kind.COUNTER:
            self.counters[key] = 0.0
        elif kind is not Kind.GAUGE:
            series(self, kind)[key] = None

    def _stays(self, kind: Kind, key: str) -> bool:
        most = self._reported(kind, key)
        return most == 0 or self.flushes - self.updated[kind, key] + 1 < most

    def _reported(self, kind: Kind, key: str) -> int:
        """Return in how many flushes a series is reported after its last update, 0 for ever."""
        rules, own = self.rules, self.profiles[self.profile(kind, key)].expire
        expire, delete, usual = {
            Kind.COUNTER: (rules.expire_counters, rules.delete_counters, 1),
            Kind.TIMER: (rules.expire_timers, rules.delete_timers, 1),
            Kind.GAUGE: (rules.expire_gauges, rules.delete_gauges, max(rules.gauge_ttl, 1)),
            Kind.SET: (rules.expire_sets, rules.delete_sets, 1),
        }[kind]
        if own is not None:
            return own
        if kind is Kind.COUNTER and any(word in key for word in rules.keep):
            return 0
        return expire or (usual if delete else 0)


def _share(limit: int, part: int) -> int:
    return -(-limit // part)
