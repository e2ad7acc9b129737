"""Gaps filled from an archive that fails in every way, and into a store that does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nilometer.core.backoff import Backoff
from nilometer.core.errors import TooSlow, Unavailable
from nilometer.core.show import BURST
from nilometer.core.statistics.coverage import DAY, HOUR, Span
from nilometer.testing.archive_in_memory import down, event
from nilometer.testing.filling import NOW, YEARS, Filling, spread
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.core.capability import ArchivePage


@pytest.fixture(autouse=True)
def _no_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backoff.__init__, "__defaults__", (lambda: 1.0,))


def failing(times: int, when: Callable[[float, float, int], bool]) -> Callable[..., ArchivePage]:
    """Fail so many times when something is asked for."""
    left = [times]

    def answer(start: float, end: float, page: int, found: ArchivePage) -> ArchivePage:
        if left[0] and when(start, end, page):
            left[0] -= 1
            message = "archive: 503"
            raise Unavailable(message)
        return found

    return answer


def test_a_page_that_fails_is_asked_for_again_and_the_gap_is_seen() -> None:
    it = Filling(spread(720, NOW - 2 * HOUR, 2 * HOUR - 60))
    it.archive.failing = failing(2, lambda _s, _e, page: page == 3)
    while not it.filler.status().error:
        it.filler.step()
    assert "503" in it.filler.status().error
    assert it.filler.status().away_since == NOW
    assert it.filler.status().missing > 0
    it.run(30)
    assert (len(it.store.counted), it.counts()) == (720, {1})
    assert (it.filler.status().error, it.filler.status().missing) == ("", 0)


def test_an_archive_that_is_away_for_long_is_asked_again_and_all_is_filled_soon_after() -> None:
    it = Filling(spread(720, NOW - 300 * DAY, 720))
    it.archive.failing = down
    it.run(6 * HOUR)
    assert it.store.counted == {}
    assert it.filler.status().missing == pytest.approx(YEARS, rel=0.01)
    assert len(it.archive.asked) < 6 * 60 * 5, "it is not asked too often"
    it.archive.failing = None
    it.run(20)
    assert (len(it.store.counted), it.missing()) == (720, [])


def test_a_second_that_always_fails_does_not_keep_others_and_is_never_given_up() -> None:
    bad = NOW - 100 * DAY
    it = Filling([event(1, bad), event(2, bad - 50 * DAY), event(3, bad + 50 * DAY)])
    it.archive.failing = failing(10**9, lambda start, end, _page: start <= bad <= end)
    it.run(HOUR)
    assert it.store.counted == {"id-2": 1, "id-3": 1}
    assert it.missing() == [Span(bad - 1, bad + 1)], "both windows that have it"
    assert it.filler.status().missing > 0
    it.archive.failing = None
    it.run(HOUR)
    assert (it.counts(), len(it.store.counted), it.missing()) == ({1}, 3, [])


def test_long_windows_that_are_too_slow_become_shorter() -> None:
    it = Filling(spread(50, NOW - 300 * DAY, 86400), since=NOW - 400 * DAY)

    def slow(start: float, end: float, _page: int, found: ArchivePage) -> ArchivePage:
        if end - start > 5 * DAY:
            message = "archive: it takes too long"
            raise TooSlow(message)
        return found

    it.archive.failing = slow
    it.run(600)
    assert (len(it.store.counted), it.missing()) == (50, [])


def test_pages_that_skip_and_repeat_are_read_until_all_came() -> None:
    it = Filling(spread(900, NOW - 40 * DAY, 800))
    count = [0]

    def skip(_start: float, _end: float, _page: int, found: ArchivePage) -> ArchivePage:
        count[0] += 1
        kept = [each for place, each in enumerate(found.events) if (place + count[0]) % 7]
        return found._replace(events=[*kept, *kept[:3]])

    it.archive.failing = skip
    it.run()
    assert (len(it.store.counted), it.counts(), it.missing()) == (900, {1}, [])


def test_a_page_behind_the_last_may_say_that_there_is_nothing() -> None:
    it = Filling(spread(30, NOW - 40 * DAY, 800))
    it.archive.failing = lambda _s, _e, page, found: found if page == 1 else found._replace(total=0, pages=0)
    it.run()
    assert len(it.store.counted) == 30


def test_what_never_comes_is_counted_after_a_while_and_others_do_not_wait_for_it(caplog: pytest.LogCaptureFixture) -> None:
    at = NOW - 100 * DAY
    it = Filling([event(1, at), event(2, at), event(3, at + 3), event(4, at - DAY)])
    it.archive.failing = lambda start, end, _p, found: found._replace(total=found.total + (start <= at <= end))
    it.run(60)
    assert it.store.counted == {"id-3": 1, "id-4": 1}
    assert "lacks 1 messages" in caplog.text
    it.run(HOUR)
    assert it.store.counted == {f"id-{number}": 1 for number in (1, 2, 3, 4)}
    assert it.losses.totals()["statistics", "archive"] == 2, "in both windows that have it"
    assert it.missing() == []


def test_entries_that_are_no_message_count_as_bad_and_not_as_missing() -> None:
    at = NOW - 100 * DAY
    it = Filling(spread(5, at, 5))
    it.archive.failing = lambda s, e, _p, found: found._replace(bad=2 * (s <= at < e), total=found.total + 2 * (s <= at < e))
    it.run()
    assert (len(it.store.counted), it.missing()) == (5, [])
    assert it.filler.status().bad == it.losses.totals()["event", "bad_message"] == 2


def test_a_message_that_is_filed_under_another_time_is_taken() -> None:
    it = Filling([event(1, NOW - 50 * DAY)])
    it.archive.failing = lambda _s, _e, _p, found: found._replace(events=[event(1, 0.0)] if found.events else [])
    it.run()
    assert it.store.counted == {"id-1": 1}


def test_one_that_the_store_refuses_is_counted_and_the_rest_is_taken() -> None:
    it = Filling(spread(90, NOW - 50 * DAY, 90))
    it.store.refused = {"id-7", "id-8"}
    it.run()
    assert (len(it.store.counted), it.missing()) == (88, [])
    assert it.losses.totals()["event", "rejected"] == 2


def test_while_the_store_is_away_nothing_is_lost_and_nothing_asked_twice() -> None:
    it = Filling(spread(90, NOW - 50 * DAY, 90))
    while (it.filler.status().at or NOW) > NOW - 20 * DAY:
        it.filler.step()
    it.store.away = True
    it.run(60)
    asked = len(it.archive.asked)
    assert it.filler.status().error == "store: away"
    it.run(60)
    assert len(it.archive.asked) == asked
    it.store.away = False
    it.run(20)
    assert (len(it.store.counted), it.missing(), it.filler.status().error) == (90, [], "")


def test_a_fault_of_an_archive_ends_nothing() -> None:
    it = Filling(spread(10, NOW - 5 * DAY, 10))

    def fault(*_: object) -> ArchivePage:
        raise KeyError

    it.archive.failing = fault
    for _ in range(3):
        with pytest.raises(KeyError):
            it.filler.step()
    it.archive.failing = None
    it.run()
    assert len(it.store.counted) == 10


def test_an_archive_that_gives_nothing_of_what_it_says_it_has_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    it = Filling(since=NOW - DAY)
    it.archive.failing = lies = lambda _s, _e, _p, found: found._replace(total=10**15, pages=10**15)
    for _ in range(20_000):
        it.clock.advance(it.filler.step())
        if it.filler.status().error:
            break
    assert "does not give what it says it has" in it.filler.status().error
    assert caplog.text.count("lacks 1000000000000000 messages") == BURST, "not each is logged"
    it.archive.failing = None
    it.run(HOUR)
    assert (it.filler.status().error, it.missing()) == ("", [])
    it.archive.failing = lies
    it.run(120)
    assert "asked again; 980 more such times were not shown" in caplog.text


def test_it_ends_between_two_pages() -> None:
    it = Filling(spread(900, NOW - HOUR, 60))
    it.filler.start()
    until(lambda: it.filler.status().new, "something came")
    it.filler.close(20)
    assert it.archive.closed
    asked, ended = len(it.archive.asked), it.filler.status()
    assert it.filler.step() > 0
    assert (len(it.archive.asked), it.filler.status().new) == (asked, ended.new)
