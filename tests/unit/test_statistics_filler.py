"""Gaps filled from an archive that fails in every way, step by step, by a clock that stands still."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from nilometer.core.backoff import Backoff
from nilometer.core.statistics import Covered
from nilometer.core.statistics.coverage import DAY, HOUR, Span, gaps
from nilometer.statistics.filler.backfill import backfill
from nilometer.statistics.filler.filler import MARGIN, SETTLED, Options
from nilometer.testing.archive_in_memory import down, event
from nilometer.testing.clock import ManualClock
from nilometer.testing.filling import NOW, YEARS, Filling, spread

if TYPE_CHECKING:
    from nilometer.core.capability import StatisticsStore
    from nilometer.core.record import Event


@pytest.fixture(autouse=True)
def _no_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backoff.__init__, "__defaults__", (lambda: 1.0,))


def test_years_of_nothing_take_a_few_dozen_questions() -> None:
    it = Filling()
    before = it.filler.status()
    assert (before.missing, before.wanted) == (YEARS, YEARS), "nothing is known yet"
    it.run()
    assert len(it.archive.asked) < 70
    assert it.missing() == []
    assert it.filler.status().missing == 0
    assert it.archive.asked[0][1] >= NOW > it.archive.asked[1][1], "the newest first"


@pytest.mark.parametrize("window", [0, 1, 60])
def test_each_message_is_taken_once_however_they_lie(window: int) -> None:
    begin = NOW - 300 * DAY
    events = [*spread(100, begin, 10), *[event(1000 + each, begin + HOUR) for each in range(50)], event(5000, begin + 2 * DAY)]
    it = Filling(events, window=window)
    it.run()
    assert it.store.counted == {each.id: 1 for each in events}
    assert it.missing() == []
    assert (it.filler.status().new, it.woken > 0) == (151, True)


def test_messages_are_taken_from_no_longer_windows_than_wanted() -> None:
    it = Filling(spread(100, NOW - 300 * DAY, 10), window=1)
    taken: list[float] = []
    take = it.store.take_in

    def take_in(events: list[Event], **about: Any) -> list[Event]:  # noqa: ANN401 of several types
        taken.extend(each.end - each.begin for each in about["covered"] if events)
        return take(events, **about)

    it.store.take_in = take_in  # type: ignore[assignment,method-assign]  # to look on
    it.run()
    assert set(taken) == {1.0}
    assert len(it.archive.asked) < 200


def test_very_many_messages_are_read_in_short_windows() -> None:
    it = Filling(spread(8000, NOW - 90 * DAY, 400), size=500)
    it.run()
    assert (len(it.store.counted), it.counts()) == (8000, {1})
    assert max(page for _, _, page in it.archive.asked) <= 3


def test_a_second_with_more_than_a_window_has_is_read_whole() -> None:
    it = Filling([event(number, NOW - DAY) for number in range(2500)])
    it.run()
    assert (len(it.store.counted), it.counts()) == (2500, {1})


def test_no_more_is_asked_for_than_any_plugin_wants() -> None:
    it = Filling(spread(720, NOW - 2 * HOUR, 2 * HOUR), backlog=HOUR)
    it.run()
    assert min(start for start, _, _ in it.archive.asked) >= NOW - HOUR - 1
    assert len(it.store.counted) == 360


def test_recent_minutes_are_asked_for_again_as_archives_are_late() -> None:
    it = Filling()
    it.hear()
    it.run(60)
    it.archive.events.append(event(1, NOW - 30))
    it.run(120)
    assert it.store.counted == {"id-1": 1}, "after two minutes"
    it.archive.events.append(event(2, NOW - 20))
    it.run(15 * 60)
    assert it.store.counted == {"id-1": 1, "id-2": 1}, "after a quarter of an hour"
    it.run(HOUR)
    asked = len(it.archive.asked)
    it.run(HOUR)
    assert len(it.archive.asked) == asked, "what buses bring is covered"


def test_without_a_bus_the_archive_is_followed() -> None:
    it = Filling()
    it.run(60)
    for minute in range(60):
        it.archive.events.append(event(minute, it.clock.time()))
        it.run(60)
    it.run(130)
    assert (len(it.store.counted), it.counts()) == (60, {1})


def test_what_buses_missed_is_asked_for_and_only_that() -> None:
    it = Filling()
    it.hear()
    it.run(2 * HOUR)
    it.live, away = None, it.clock.time()
    it.run(30)
    it.clock.advance(20 * 60)
    it.archive.events.append(event(1, away + 600))
    it.hear()
    it.archive.asked.clear()
    it.run(HOUR)
    assert it.store.counted == {"id-1": 1}
    assert min(start for start, _, _ in it.archive.asked) >= away - MARGIN - 61
    assert it.missing() == []


def test_a_bus_that_comes_and_goes_while_nobody_looks_is_noticed() -> None:
    it = Filling()
    it.hear()
    it.run(HOUR)
    before = it.clock.time()
    it.clock.advance(30)
    it.archive.events.append(event(1, before + 10))
    it.hear()
    it.run(HOUR)
    assert it.store.counted == {"id-1": 1}


def test_a_bus_that_lags_behind_covers_no_more_than_what_it_brought() -> None:
    it = Filling()
    it.live = Span(NOW, NOW)
    for _ in range(30):
        it.clock.advance(60)
        it.filler.step()
        it.live = Span(NOW, NOW + 700)
    assert max(each.end for each in it.store.coverage if each.end > NOW) <= NOW + MARGIN + 700


def test_after_a_restart_what_was_covered_just_now_is_asked_for_once_more() -> None:
    late = NOW - 300 * DAY
    it = Filling(spread(100, late, 100))
    it.run()
    it.archive.events += [event(1000 + each, late + each) for each in range(100)]
    it.start()
    it.run()
    assert (len(it.store.counted), it.counts(), it.filler.status().missing) == (200, {1}, 0)
    it.run(2 * HOUR)
    it.archive.asked.clear()
    it.start()
    it.run()
    assert len(it.archive.asked) < 70, "what was covered earlier is not"
    assert min(start for start, _, _ in it.archive.asked) > NOW - HOUR


def test_a_message_whose_id_is_forgotten_does_not_count_again() -> None:
    begin = NOW - 60 * DAY
    it = Filling(spread(100, begin, 100), since=begin + 50)
    it.run()
    assert len(it.store.counted) == 50
    it.clock.advance(20 * DAY)
    it.store.expire(it.clock.time() - 14 * DAY)
    it.options = Options(since=begin - DAY, retention=14 * DAY)
    it.start()
    it.run()
    assert (len(it.store.counted), it.counts()) == (100, {1})
    assert it.missing() == [(NOW - SETTLED, NOW)], "asked for too early, and too long ago to be asked for again"
    result = backfill_of(it, Span(begin - DAY, begin + DAY))
    assert (result.new, it.counts()) == (0, {1})


def test_time_that_a_clock_far_ahead_covered_is_asked_for_again() -> None:
    it = Filling()
    it.clock.advance(900 * DAY)
    it.run()
    it.clock = ManualClock(NOW + DAY)
    it.archive.events = spread(10, NOW + HOUR, HOUR)
    it.start()
    it.run()
    assert len(it.store.counted) == 10
    assert it.filler.status().missing == 0


def backfill_of(it: Filling, span: Span) -> Any:  # noqa: ANN401 its status
    """Fill by hand."""
    store = cast("StatisticsStore", it.store)
    return backfill("archive", it.archive, store, span, it.options, it.losses, told=lambda _: None, clock=it.clock)


def test_filling_by_hand_twice_changes_nothing() -> None:
    it = Filling(spread(300, NOW - 300 * DAY, 300), since=NOW - DAY)
    it.run()
    assert it.store.counted == {}
    span = Span(NOW - 300 * DAY, NOW - 300 * DAY + 250)
    first = backfill_of(it, span)
    assert (first.new, first.missing) == (251, 0)
    again = backfill_of(it, span)
    assert (again.new, again.known, it.counts()) == (0, 251, {1})
    assert Covered(*span, NOW) in [each._replace(noted=NOW) for each in it.store.coverage]


def test_an_inbox_that_shall_remember_for_longer_has_still_forgotten() -> None:
    begin = NOW - 60 * DAY
    it = Filling(spread(100, begin, 100))
    it.run()
    it.clock.advance(15 * DAY)
    it.store.take_in([event(5000, it.clock.time())], arrived=it.clock.time(), source="bus")
    it.store.expire(it.clock.time() - 14 * DAY)
    it.options = Options(since=NOW, retention=300 * DAY)
    assert backfill_of(it, Span(begin, begin + 200)).new == 0
    assert it.counts() == {1}


def test_an_archive_under_another_url_is_not_asked_for_what_may_be_forgotten() -> None:
    it = Filling(spread(100, NOW - 60 * DAY, 100), archives=("archive", "beside"))
    old, new = Covered(NOW - YEARS, NOW - 30 * DAY, NOW - 20 * DAY), Covered(NOW - 30 * DAY, NOW - DAY, NOW - DAY)
    it.store.others = {"before": [old, new], "beside": [Covered(0, NOW, 1)]}
    it.run()
    assert it.store.counted == {}
    assert min(start for start, _, _ in it.archive.asked) == old.end
    assert gaps(it.store.coverage, old.end, NOW - HOUR) == []


def test_what_buses_brought_does_not_count_again_when_the_archive_was_away_for_longer_than_ids_are_remembered() -> None:
    it = Filling(since=NOW - DAY)
    it.archive.failing = down
    it.hear()
    sent = spread(10, NOW + 5, 240)
    for message in sent:
        it.run(30)
        it.store.take_in([message], arrived=it.clock.time(), source="bus")
    it.live = None
    it.archive.events = [*sent, event(500, NOW + HOUR)]
    it.clock.advance(15 * DAY)
    it.store.expire(it.clock.time() - 14 * DAY)
    it.archive.failing = None
    it.run(60)
    assert it.counts() == {1}
    assert it.store.counted.keys() == {each.id for each in it.archive.events}


def test_what_was_asked_for_too_early_does_not_count_again_when_the_archive_was_away_for_so_long() -> None:
    it = Filling([event(1, NOW - 60)], since=NOW - DAY)
    it.run(5)
    it.archive.failing = down
    it.clock.advance(15 * DAY)
    it.store.expire(it.clock.time() - 14 * DAY)
    it.archive.failing = None
    it.archive.events.append(event(2, NOW + HOUR))
    it.run(60)
    assert it.store.counted == {"id-1": 1, "id-2": 1}
