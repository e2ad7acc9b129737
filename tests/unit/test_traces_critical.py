"""The critical path: what it goes through, and that its parts are the whole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nilometer.core.traces.span import Span
from nilometer.testing.trace_examples import MS, START, TRACE, number
from nilometer.traces.critical import critical


def span(nr: int, parent: int, start: int, end: int) -> Span:
    above = number(parent) if parent >= 0 else ""
    return Span(TRACE, number(nr), above, f"n{nr}", START + start * MS, START + end * MS)


def shown(spans: list[Span]) -> dict[int, int]:
    return {int(name, 16) - 1: time // MS for name, time in critical(spans).items()}


def test_the_child_that_ends_last_is_waited_for() -> None:
    spans = [span(0, -1, 0, 100), span(1, 0, 10, 40), span(2, 0, 30, 90), span(3, 2, 50, 70), span(4, 0, 20, 60)]
    found = shown(spans)
    assert set(found) == {0, 2, 3}
    assert found == {0: 40, 2: 40, 3: 20}


def test_one_after_the_other_are_all_on_it() -> None:
    spans = [span(0, -1, 0, 100), span(1, 0, 10, 40), span(2, 0, 40, 90)]
    assert shown(spans) == {0: 20, 1: 30, 2: 50}


def test_what_goes_on_after_its_parent_was_not_waited_for() -> None:
    spans = [span(0, -1, 0, 100), span(1, 0, 10, 400)]
    assert shown(spans) == {0: 100}


def test_nothing_has_none_and_no_depth_is_too_much() -> None:
    assert critical([]) == {}
    deep = [span(nr, nr - 1, 0, 10) for nr in range(20_000)]
    assert len(critical(deep)) == 20_000
    assert len(critical([span(0, 1, 0, 10), span(1, 0, 0, 10)])) == 2


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 100), st.integers(0, 100)), max_size=30))
def test_its_parts_are_never_longer_than_the_root(drawn: list[tuple[int, int, int]]) -> None:
    spans = [span(0, -1, 0, 100)]
    spans += [span(nr, parent % nr, min(a, b), max(a, b)) for nr, (parent, a, b) in enumerate(drawn, 1)]
    found = critical(spans)
    assert 0 <= sum(found.values()) <= 200 * MS
    assert found.keys() <= {each.id for each in spans}
