"""Longer windows made of shorter ones hold what messages put into each alone would give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.core.statistics import Add, Kind, Latest, Member, Message, Sample, Tally
from nilometer.core.statistics.window import parse
from nilometer.statistics.kinds import Count
from nilometer.statistics.plugin import Plugin
from nilometer.statistics.tallying import tallied
from nilometer.statistics.windowing import windowed

if TYPE_CHECKING:
    from nilometer.core.statistics import Change

WINDOWS = (
    "1s",
    "2s",
    "3s",
    "5s",
    "15m",
    "1h",
    "1d",
    "1d@Europe/Prague",
    "1d@Asia/Kathmandu",
    "1w",
    "1w@America/New_York",
    "1mo",
    "ever",
)
TIMES = st.integers(-(10**9), 4 * 10**9) | st.floats(1_774_000_000, 1_775_000_000)  # the latter around a change of the clocks
KEYS = st.sampled_from([("a",), ("b",), (None,)])
CHANGES: dict[Kind, st.SearchStrategy[Change]] = {
    Kind.SUM: st.builds(Add, TIMES, KEYS, st.integers(-5, 5)),
    Kind.DISTINCT: st.builds(Member, TIMES, KEYS, st.sampled_from("xyz")),
    Kind.DISTRIBUTION: st.builds(Sample, TIMES, KEYS, st.integers(0, 9)),
    Kind.LATEST: st.builds(Latest, TIMES, KEYS, st.sampled_from("xyz"), st.sampled_from("ijk")),
}


def plugin(kind_: Kind, windows_: tuple[str, ...] = WINDOWS) -> Plugin:
    class Any(Plugin):
        name = "any"
        summary = description = "any"
        kind = kind_
        keys = ("key",)
        windows = windows_

        def process(self, message: Message) -> list[Change]:
            raise NotImplementedError

    return Any()


def shown(tally: Tally) -> object:
    sketches = {place: (sketch.encode(), newest) for place, (sketch, newest) in tally.sketches.items()}
    return tally.sums, tally.members, sketches, tally.latest


@pytest.mark.parametrize("kind", CHANGES)
@given(data=st.data())
def test_all_windows_together_hold_what_each_alone_does(kind: Kind, data: st.DataObject) -> None:
    changes = data.draw(st.lists(CHANGES[kind], max_size=30))
    together = windowed(plugin(kind).statistics(), changes)
    alone = {
        ident: tally for window in WINDOWS for ident, tally in windowed(plugin(kind, (window,)).statistics(), changes).items()
    }
    assert {ident: shown(tally) for ident, tally in together.items()} == {ident: shown(alone[ident]) for ident in together}


@given(TIMES, TIMES)
def test_a_window_that_holds_another_never_cuts_it(first: float, second: float) -> None:
    for outer in map(parse, WINDOWS):
        for inner in map(parse, WINDOWS):
            if outer.holds(inner) and inner.slot(first) == inner.slot(second):
                assert outer.slot(first) == outer.slot(second), (outer, inner)


def test_a_day_is_made_of_hours_but_not_where_a_zone_has_half_ones() -> None:
    held = {(outer, inner): parse(outer).holds(parse(inner)) for outer in WINDOWS for inner in WINDOWS}
    assert held["1d", "1h"]
    assert held["1mo", "1d"]
    assert not held["3s", "2s"]
    assert not held["1mo", "1w"]
    assert not held["1d@Asia/Kathmandu", "1h"]
    assert not held["1d@Europe/Prague", "1d"]


class Git(Count):
    """Counts what git says."""

    name = "git"
    summary = description = "git"
    topics = ("*.git.*", "git")


def test_a_plugin_hears_the_topics_that_it_names() -> None:
    topics = ("org.fedoraproject.prod.git.receive", "git", "org.git", "GIT", "org.fedoraproject.prod.bodhi.git")
    found = tallied(Git().statistics(), [Message(str(number), 5.0, topic) for number, topic in enumerate(topics)])
    assert [amount.amount for amount in found.tallies["git"].sums.values()] == [2]
