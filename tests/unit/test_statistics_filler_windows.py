"""How long windows are, and which comes next: arithmetic, without an archive or a clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.core.statistics.coverage import Span
from nilometer.statistics.filler import todo as module
from nilometer.statistics.filler.todo import Todo
from nilometer.statistics.filler.windows import LONGEST, MOST, SHORTEST, Width

TOTALS = st.integers(0, 10**15)
SECONDS = st.integers(1, LONGEST)
LIMITS = st.sampled_from([0.0, 0.5, 1.0, 60.0, 86400.0, 1e9])
STEPS = st.lists(st.tuples(st.sampled_from(["done", "aside", "recall", "later"]), st.integers(1, 30)), max_size=40)


@given(LIMITS, st.lists(st.tuples(st.sampled_from(["took", "divide", "failed"]), TOTALS, SECONDS), max_size=20))
def test_a_window_is_of_whole_seconds_and_within_bounds(limit: float, steps: list[tuple[str, int, int]]) -> None:
    width = Width(limit)
    for what, total, seconds in steps:
        if what == "failed":
            width.failed(seconds)
        elif what == "took":
            width.took(total, seconds)
        elif width.too_many(total, seconds):
            width.divide(total, seconds)
            assert width.seconds < seconds
        assert SHORTEST <= width.seconds <= LONGEST
        assert width.seconds == int(width.seconds)


@given(LIMITS, TOTALS, SECONDS)
def test_a_window_that_has_too_many_is_soon_short_enough(limit: float, total: int, seconds: int) -> None:
    width, divided = Width(limit), 0
    while width.too_many(total, seconds):
        width.divide(total, seconds)
        seconds, divided = width.seconds, divided + 1
    assert divided <= 24
    assert seconds == SHORTEST or (total <= MOST and seconds <= max(limit or LONGEST, SHORTEST)) or not total


def test_windows_grow_over_nothing_and_stay_short_where_there_are_many() -> None:
    width = Width()
    seen = []
    for _ in range(8):
        seen.append(width.seconds)
        width.took(0, width.seconds)
    assert seen == sorted(seen)
    assert seen[-1] == LONGEST
    width.divide(2_000_000, width.seconds)
    assert width.seconds < 3600
    before = width.seconds
    width.took(900, before)
    assert width.seconds < before


@given(STEPS, st.integers(1, 60))
def test_every_second_is_asked_for_until_it_is_done(steps: list[tuple[str, int]], begin: int) -> None:
    todo, now = Todo(), 0.0
    todo.set([Span(begin + 100, begin + 200), Span(begin, begin + 50.5)], now)
    left = {*range(begin, begin + 51), *range(begin + 100, begin + 200)}
    for what, number in steps:
        window = todo.next(number, now)
        if what == "recall":
            todo.recall()
        elif what == "later":
            now += number
        elif window is not None:
            assert window.seconds <= number
            assert window == (int(window.begin), int(window.end))
            if what == "done":
                todo.done(window)
                left -= set(range(int(window.begin), int(window.end)))
            else:
                todo.set_aside(window, now)
        assert todo.missing == pytest.approx(len(left), abs=0.5)
    now += 2 * module.LONGEST
    asked: set[int] = set()
    while (window := todo.next(7, now)) is not None:
        assert window.begin >= begin
        asked |= set(range(int(window.begin), int(window.end)))
        todo.done(window)
    assert asked == left
    assert todo.missing == 0


def test_what_is_set_aside_is_tried_again_after_a_delay_that_doubles() -> None:
    todo, window = Todo(), Span(0, 1)
    todo.set([window], 0.0)
    waited, now = [], 0.0
    for times in range(1, 10):
        assert todo.set_aside(todo.next(1, now) or Span(9, 9), now) == times
        since = now
        while todo.next(1, now) is None:
            now += 1
        waited.append(now - since)
    assert waited == [15, 30, 60, 120, 240, 480, 900, 900, 900]


def test_no_more_is_set_aside_than_can_be_kept_in_mind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    todo = Todo()
    todo.set([Span(0, 9)], 0.0)
    for _ in range(3):
        window = todo.next(1, 0.0)
        assert window is not None
        todo.set_aside(window, 0.0)
    assert todo.next(1, 0.0) is None
    assert todo.is_full
    assert todo.next(1, 15.0) == (8, 9)
