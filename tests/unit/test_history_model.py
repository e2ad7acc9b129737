"""The store against a dict: whatever is written when, and whatever upkeep does in between, reads say what the dict says."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from nilometer.core.errors import Rejected
from nilometer.history.aggregate import Rule
from nilometer.history.reader import _Snapshot
from nilometer.testing.history import BEGIN, Diary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PATHS = ("a.count", "b.upper", "c.lower", "d.mean", "e", "f.count", "g")
HOURS = st.sampled_from([0, 1, 2, 25, 26])
SECONDS = st.one_of(st.sampled_from([0, 10, 20, 600]), st.integers(0, 3599))
VALUES = st.dictionaries(st.sampled_from(PATHS), st.integers(-50, 50).map(float), min_size=1)
FOLDS: dict[str, Callable[[list[float]], float]] = {"count": sum, "upper": max, "lower": min}
DAY = 86400


def rolled_up(path: str, points: dict[int, float], step: int) -> dict[int, float]:
    """Return coarser points, as the documentation says."""
    steps: dict[int, list[float]] = {}
    for second, value in points.items():
        steps.setdefault(second // step * step, []).append(value)
    fold = FOLDS.get(path.partition(".")[2], fmean)
    return {second: fold(values) for second, values in sorted(steps.items())}


def within(points: dict[int, float], first: int, last: int) -> dict[int, float]:
    return {second: value for second, value in points.items() if first <= second <= last}


class StoreAndDict(RuleBasedStateMachine):
    query = "group=3&retention=7d&rollups=1m:30d,10m:365d"

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.points: dict[str, dict[int, float]] = {path: {} for path in PATHS}
        self.open()

    def open(self) -> None:
        self.diary = Diary(Path(self.folder.name), self.query, BEGIN + 2 * DAY)

    @rule(hour=HOURS, second=SECONDS, values=VALUES)
    def write(self, hour: int, second: int, values: dict[str, float]) -> None:
        time = BEGIN + hour * 3600 + second
        try:
            self.diary.write(time, values)
        except Rejected:
            return
        for path, value in values.items():
            self.points[path][time] = value

    @rule(start=SECONDS, count=st.integers(2, 30))
    def write_a_run(self, start: int, count: int) -> None:
        for turn in range(count):
            self.write(start // 1200, (start + turn * 10) % 3600, {"a.count": float(turn), "d.mean": float(-turn)})

    @rule(slices=st.integers(1, 4), seconds=st.sampled_from([1.0, 700.0, 1e9]))
    def tend(self, slices: int, seconds: float) -> None:
        writer = self.diary.store.writer()
        writer.settle()
        for _ in range(slices):
            writer.tend(seconds, lambda: True)

    @rule()
    def settle(self) -> None:
        self.diary.settle()

    @rule()
    def reopen(self) -> None:
        self.diary.close()
        self.open()

    @rule(first=st.integers(0, 30 * 3600), span=st.integers(0, 30 * 3600))
    def read_a_range(self, first: int, span: int) -> None:
        self.compare(BEGIN + first, BEGIN + first + span)

    @invariant()
    def everything_is_there(self) -> None:
        self.compare(0, BEGIN + 3 * DAY)
        assert self.diary.store.find() == sorted(path for path in PATHS if self.points[path])

    def compare(self, first: int, last: int) -> None:
        found = self.diary.store.read(PATHS, first, last)
        for series in found:
            points = dict(sorted(within(self.points[series.path], first, last).items()))
            assert dict(zip(series.times, series.values, strict=True)) == points
        for place, step in ((1, 60), (2, 600)):
            for path, values in self.rolled_up(place, first, last):
                assert values == within(rolled_up(path, self.points[path], step), first, last)

    def rolled_up(self, place: int, first: int, last: int) -> Iterable[tuple[str, dict[int, float]]]:
        """Yield each path's points as a roll-up gives them."""
        with self.diary.store._pool.snapshot() as db:
            assert db is not None or not any(self.points.values())
            rows = [] if db is None else db.execute("SELECT id, path, rule FROM history_series").fetchall()
            if db is None or not rows:
                return
            rules = {series: Rule(number) for series, _, number in rows}
            found = _Snapshot(db, self.diary.store.damage, rules, BEGIN)._rolled_up(place, first, last)
            for series, path, number in rows:
                points = found.get(series)
                yield path, {} if points is None else dict(zip(points.times, points.values(Rule(number)), strict=True))

    def teardown(self) -> None:
        self.diary.close()
        self.folder.cleanup()


class ExpiringStoreAndDict(StoreAndDict):
    """Points as written go soon; the coarsest roll-up must still know of each one."""

    query = "group=3&retention=1h&rollups=1m:3h,10m:365d"

    def compare(self, first: int, last: int) -> None:
        for path, values in self.rolled_up(2, first, last):
            assert values == within(rolled_up(path, self.points[path], 600), first, last)


ExpiringStoreAndDict.TestCase.settings = settings(max_examples=50, stateful_step_count=20, deadline=None)
test_roll_ups_outlive_the_points = ExpiringStoreAndDict.TestCase
StoreAndDict.TestCase.settings = settings(max_examples=50, stateful_step_count=20, deadline=None)
test_the_store_says_what_a_dict_says = StoreAndDict.TestCase
