"""When flushes are due: boundaries, late flushes, clocks that jump, restarts within a window."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.ingest.schedule import Plan, Schedule, schedule

TEN = Schedule(10.0)


def test_windows_end_on_boundaries_of_the_wall_clock() -> None:
    plan = schedule(10.0, "clock", 1003.2).first(1003.2, 5.0)

    assert plan == Plan(1003.2, 1010.0, 5.0)


def test_windows_count_from_the_second_of_the_start() -> None:
    assert schedule(10.0, "start", 1003.2).first(1003.2, 5.0).end == 1013.0
    assert schedule(10.0, "start", 1003.7).first(1003.7, 5.0).end == 1014.0


def test_a_boundary_that_is_now_is_not_the_next_one() -> None:
    assert TEN.after(1010.0) == 1020.0
    assert TEN.last(1010.0) == 1010.0


def test_what_is_not_due_waits() -> None:
    plan = TEN.first(1003.0, 5.0)

    assert TEN.wait(plan, 1003.0) == 7.0
    assert TEN.wait(plan, 1010.0) == 0.0
    assert TEN.wait(plan, 1011.0) == 0.0


def test_a_late_flush_keeps_its_planned_end() -> None:
    finished = TEN.finish(Plan(1000.0, 1010.0, 50.0), 1013.0, 63.0)

    assert (finished.window.start, finished.window.end, finished.window.interval) == (1000.0, 1010.0, 10.0)
    assert finished.plan == Plan(1010.0, 1020.0, 63.0)


def test_one_flush_covers_the_windows_that_were_missed() -> None:
    finished = TEN.finish(Plan(1000.0, 1010.0, 50.0), 1034.0, 84.0)

    assert (finished.window.start, finished.window.end) == (1000.0, 1030.0)
    assert finished.plan.end == 1040.0


@pytest.mark.parametrize(("elapsed", "seconds"), [(10.0, 10.0), (10.004, 10.0), (9.996, 10.0), (3.0, 10.0), (34.0, 30.0)])
def test_rates_divide_by_the_whole_intervals_that_passed_and_at_least_one(elapsed: float, seconds: float) -> None:
    assert TEN.finish(Plan(1000.0, 1010.0, 50.0), 1010.0, 50.0 + elapsed).seconds == seconds


def test_the_stop_ends_a_window_early_with_the_end_that_was_planned() -> None:
    finished = TEN.finish(Plan(1000.0, 1010.0, 50.0), 1003.0, 53.0)

    assert finished.window.end == 1010.0
    assert finished.plan.start == 1010.0


def test_a_clock_set_back_gets_a_new_plan() -> None:
    plan = TEN.revise(Plan(10_000.0, 10_010.0, 50.0), 1003.0)

    assert plan == Plan(1000.0, 1010.0, 50.0)


def test_a_clock_set_back_a_little_only_makes_the_window_longer() -> None:
    plan = Plan(1000.0, 1010.0, 50.0)

    assert TEN.revise(plan, 998.0) == plan


def test_a_clock_set_forward_makes_the_flush_due_at_once_without_a_false_rate() -> None:
    plan = Plan(1000.0, 1010.0, 50.0)

    assert TEN.wait(plan, 4605.0) == 0.0
    finished = TEN.finish(plan, 4605.0, 54.0)
    assert finished.window.end == 4600.0
    assert finished.seconds == 10.0


def test_a_window_that_the_last_server_wrote_is_not_written_again() -> None:
    plan = TEN.first(1004.0, 5.0, written=1010.0)

    assert plan == Plan(1004.0, 1020.0, 5.0)


@pytest.mark.parametrize("written", [0.0, 990.0, 1004.0, 9000.0])
def test_a_written_end_that_is_past_or_absurd_changes_nothing(written: float) -> None:
    assert TEN.first(1004.0, 5.0, written).end == 1010.0


@given(
    now=st.floats(1e9, 3e9),
    interval=st.sampled_from([0.1, 0.3, 1.0, 7.0, 10.0, 60.0, 86400.0]),
    origin=st.integers(0, 2_000_000_000),
)
def test_the_next_boundary_is_later_and_at_most_an_interval_away(now: float, interval: float, origin: int) -> None:
    boundaries = Schedule(interval, float(origin))

    assert now < boundaries.after(now) <= now + interval * 1.000001 + 1e-6
    assert boundaries.last(now) <= now < boundaries.after(now)


@given(interval=st.sampled_from([0.1, 0.3, 0.7, 1.0, 10.0]), steps=st.integers(1, 200), start=st.floats(1.7e9, 1.8e9))
def test_windows_follow_each_other_without_gap_or_overlap(interval: float, steps: int, start: float) -> None:
    boundaries = Schedule(interval)
    plan = boundaries.first(start, 0.0)
    for _ in range(steps):
        finished = boundaries.finish(plan, plan.end, 0.0)
        assert finished.plan.start == finished.window.end == plan.end
        assert finished.plan.end > plan.end
        plan = finished.plan
