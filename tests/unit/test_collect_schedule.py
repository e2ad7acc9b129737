"""A task that runs again and again: when, never twice at a time, how it ends; and several things side by side."""

from __future__ import annotations

import random
import threading

import pytest

from nilometer.collect.crew import Crew
from nilometer.collect.schedule import Periodic, Plan, Timing
from nilometer.testing.clock import ManualClock
from nilometer.testing.waiting import until

CHANCE = random.Random(1)  # noqa: S311 it spreads load, nothing secret


def waits(timing: Timing, *moments: float) -> list[float]:
    plan = Plan(timing, CHANCE)
    return [plan.wait(now) for now in moments]


def test_runs_begin_at_once_and_then_so_long_after_the_first() -> None:
    assert waits(Timing(60), 5, 5.1, 65.5, 125) == [0, pytest.approx(59.9), pytest.approx(59.5), 60]


def test_the_first_run_waits_for_its_delay() -> None:
    assert waits(Timing(60, delay=10), 5, 16) == [10, 59]


def test_aligned_runs_begin_on_the_clocks_multiples() -> None:
    assert waits(Timing(60, align=True), 65, 120.5, 180) == [55, 59.5, 60]
    assert waits(Timing(60, delay=50, align=True), 65, 120) == [55, 60]
    assert waits(Timing(60, delay=60, align=True), 65) == [115]


@pytest.mark.parametrize("now", [1000.0, -1000.0])
def test_what_was_missed_is_not_made_up_for(now: float) -> None:
    assert waits(Timing(60), 0, now, now + 60)[1:] == [60, 60]
    assert waits(Timing(60, align=True), 0, now)[1] == (60 - now % 60)


def test_jitter_spreads_runs_and_does_not_add_up() -> None:
    found = waits(Timing(60, jitter=10), *(60.0 * number for number in range(100)))
    assert all(wait <= 70 for wait in found)
    assert max(found) > 65
    assert len(set(found)) > 50


class Task:
    """A run that lasts until it is let go, or is told to end."""

    def __init__(self) -> None:
        self.runs, self.go, self.stubborn = 0, threading.Event(), False

    def __call__(self, stop: threading.Event) -> None:
        self.runs += 1
        while not self.go.wait(0.002):
            if stop.is_set() and not self.stubborn:
                return
        if self.runs == 2:
            message = "the second"
            raise ValueError(message)


def test_a_run_that_is_late_is_skipped_counted_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    clock, task = ManualClock(), Task()
    periodic = Periodic("reading", task, Timing(10), clock=clock)
    periodic.start()
    for number in range(1, 4):
        clock.until_waiting(number)
        clock.advance(10)
    clock.until_waiting(4)
    assert (task.runs, periodic.standing().skipped) == (1, 3)
    assert periodic.standing().running == 30
    assert caplog.text.count("reading: the run before is not at its end after 10.0 s: skipped") == 1
    task.go.set()
    until(lambda: periodic.standing().running is None, "the run ends")
    clock.advance(10)
    until(lambda: periodic.standing().runs == 2, "another one ends")
    assert periodic.standing().error == "ValueError: the second"
    clock.until_waiting(5)
    clock.advance(10)
    until(lambda: periodic.standing().runs == 3, "a third one ends")
    assert periodic.standing().error == ""
    assert periodic.stop(10)


def test_stopping_has_a_run_end_and_begins_no_other() -> None:
    clock, task = ManualClock(), Task()
    periodic = Periodic("reading", task, Timing(10), clock=clock)
    periodic.start()
    until(lambda: task.runs, "it runs")
    assert periodic.stop(10)
    clock.advance(100)
    assert periodic.standing().runs == 1


def test_a_run_that_does_not_end_is_left_behind_at_the_deadline(caplog: pytest.LogCaptureFixture) -> None:
    task = Task()
    task.stubborn = True
    periodic = Periodic("reading", task, Timing(10))
    periodic.start()
    until(lambda: task.runs, "it runs")
    assert not periodic.stop(0.05)
    assert "reading: a run does not end and is left behind" in caplog.text
    task.go.set()


def test_a_task_can_be_stopped_before_it_began() -> None:
    periodic = Periodic("reading", lambda _: None, Timing(10))
    assert periodic.stop(1)
    assert periodic.standing().runs == 0


# -- side by side --------------------------------------------------------------------------------------------------------------


def test_no_more_is_done_at_once_than_the_bound() -> None:
    lock, now, most = threading.Lock(), 0, 0
    together = threading.Barrier(3, timeout=20)

    def job() -> None:
        nonlocal now, most
        with lock:
            now, most = now + 1, max(most, now + 1)
        together.wait()
        with lock:
            now -= 1

    assert Crew(3).run({str(number): job for number in range(9)}, 30, threading.Event()) == set()
    assert most == 3


def test_what_hangs_is_left_behind_and_not_begun_again_until_it_ends() -> None:
    crew, go, begun = Crew(2), threading.Event(), list[str]()

    def hang() -> None:
        begun.append("hang")
        go.wait(30)

    jobs = {"hang": hang, "good": lambda: begun.append("good"), "other": lambda: begun.append("other")}
    assert crew.run(jobs, 0.2, threading.Event()) == {"hang"}
    assert sorted(begun) == ["good", "hang", "other"]
    assert crew.run(jobs, 0.2, threading.Event()) == {"hang"}
    assert begun.count("hang") == 1
    go.set()
    until(lambda: not crew.run({"hang": go.is_set}, 10, threading.Event()), "it can be done again")  # type: ignore[dict-item]  # what it returns is of no use


def test_what_fails_does_not_end_what_others_do(caplog: pytest.LogCaptureFixture) -> None:
    done = list[str]()

    def fail() -> None:
        message = "no"
        raise RuntimeError(message)

    assert Crew(1).run({"bad": fail, "good": lambda: done.append("good")}, 30, threading.Event()) == set()
    assert done == ["good"]
    assert "bad failed" in caplog.text


def test_nothing_to_do_is_done_at_once() -> None:
    assert Crew().run({}, 30, threading.Event()) == set()


def test_a_crew_ends_early_when_it_is_told_to() -> None:
    stop, go = threading.Event(), threading.Event()
    jobs = {"one": stop.set, "two": lambda: go.wait(30)}
    assert Crew(2).run(jobs, 30, stop) == {"two"}  # type: ignore[arg-type]  # what it returns is of no use
    go.set()
