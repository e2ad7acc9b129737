"""The store: what a sink and a reader must do, and what retention and roll-ups make of it."""

from __future__ import annotations

import fnmatch
import math
import sqlite3
import time
from array import array
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from nilometer.core import sqlite, url
from nilometer.core.errors import Rejected, StoreError, UrlError
from nilometer.core.record import Block, Column, Flush, Kind, Window, block
from nilometer.history import catalog, store
from nilometer.history.options import Level, Options, Rollups, cutoffs
from nilometer.testing.clock import ManualClock
from nilometer.testing.history import BEGIN, Diary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOUR, DAY = 3600, 86400


@pytest.fixture
def diary(tmp_path: Path) -> Iterator[Diary]:
    made = Diary(tmp_path, "group=4")
    yield made
    made.close()


def opened(folder: Path, query: str) -> Diary:
    return Diary(folder, query)


def hours_of(diary: Diary, hours: int, path: str = "a", every: int = 60) -> None:
    """Write a value each minute, which is the minute's number."""
    for minute in range(hours * HOUR // every):
        diary.write(BEGIN + minute * every, {path: float(minute)}, every)


# -- writing and reading -----------------------------------------------------------------------------------------------


def test_what_was_written_is_read_by_any_opener(tmp_path: Path) -> None:
    first = store.Store(url.parse(f"sqlite:///{tmp_path}/x.db"), ManualClock(BEGIN))
    blocks = (block(Kind.COUNTER, {"rate": [0.5], "count": [5.0]}, ["a;zone=b"]), block(Kind.GAUGE, {"value": [7.0]}, ["a"]))
    first.write(Flush(Window(BEGIN - 10, BEGIN, 10), blocks))
    other = store.open_reader(url.parse(f"sqlite:///{tmp_path}/x.db"))
    assert other.find() == ["stats.counters.a.count;zone=b", "stats.counters.a.rate;zone=b", "stats.gauges.a"]
    (series,) = other.read(["stats.counters.a.count;zone=b"], BEGIN, BEGIN)
    assert (list(series.times), list(series.values)) == ([BEGIN], [5.0])
    assert "3 series" in other.check()
    other.close()
    first.close()


def test_a_store_can_be_closed_twice_and_used_again(diary: Diary) -> None:
    diary.write(BEGIN, {"a": 1.0})
    diary.close()
    diary.close()
    diary.write(BEGIN + 10, {"a": 2.0})
    assert diary.read("a") == {BEGIN: 1.0, BEGIN + 10: 2.0}


def test_before_the_first_flush_there_is_nothing(diary: Diary) -> None:
    assert diary.store.find() == []
    assert diary.read("a") == {}
    assert "not there yet" in diary.store.check()
    assert not diary.file.exists()


def test_a_flush_without_series_is_stored(diary: Diary) -> None:
    diary.store.write(Flush(Window(BEGIN - 10, BEGIN, 10), ()))
    assert diary.store.find() == []


def test_an_absent_statistic_is_no_point(diary: Diary) -> None:
    column = Column("value", array("d", [1.0, 2.0]), present=b"\0\1")
    diary.store.write(Flush(Window(BEGIN - 10, BEGIN, 10), (Block(Kind.GAUGE, b"a\nb", 2, (column,)),)))
    assert diary.store.find() == ["b"]


def test_odd_values_are_stored_as_they_are(diary: Diary) -> None:
    odd = {"nan": math.nan, "inf": math.inf, "low": -math.inf, "zero": -0.0}
    diary.write(BEGIN, odd)
    hours_of(diary, 2, "other")
    diary.settle()
    assert math.isnan(diary.read("nan")[BEGIN])
    assert (diary.read("inf")[BEGIN], diary.read("low")[BEGIN]) == (math.inf, -math.inf)
    assert math.copysign(1, diary.read("zero")[BEGIN]) == -1


def test_a_window_that_is_written_again_replaces_its_points(diary: Diary) -> None:
    diary.write(BEGIN, {"a": 1.0, "b": 2.0})
    diary.write(BEGIN, {"a": 3.0, "c": 4.0})
    assert [diary.read(path) for path in "abc"] == [{BEGIN: 3.0}, {BEGIN: 2.0}, {BEGIN: 4.0}]


def test_a_late_window_goes_into_an_hour_that_is_compacted(diary: Diary) -> None:
    hours_of(diary, 3)
    diary.settle()
    diary.write(BEGIN + 30, {"a": -1.0, "new": 8.0})
    diary.write(BEGIN + 60, {"a": -2.0})
    for _ in range(2):
        assert {second: value for second, value in diary.read("a").items() if second <= BEGIN + 120} == {
            BEGIN: 0.0, BEGIN + 30: -1.0, BEGIN + 60: -2.0, BEGIN + 120: 2.0,
        }  # fmt: skip
        assert diary.read("new") == {BEGIN + 30: 8.0}
        diary.settle()


def test_the_last_of_two_equal_paths_counts(diary: Diary) -> None:
    values = block(Kind.GAUGE, {"value": [1.0, 2.0, 3.0]}, ["b", "a", "b"])
    diary.store.write(Flush(Window(BEGIN - 10, BEGIN, 10), (values,)))
    assert (diary.read("a"), diary.read("b")) == ({BEGIN: 2.0}, {BEGIN: 3.0})


def test_series_that_come_and_go_and_change_places_keep_their_points(diary: Diary) -> None:
    turns = (["a", "b", "c", "d", "e", "f"], ["f", "a"], ["c"], ["e", "d", "c", "b", "a"], ["z", "a"])
    expected: dict[str, dict[int, float]] = {}
    for turn, paths in enumerate(turns):
        values = {path: float(10 * turn + ord(path)) for path in paths}
        diary.write(BEGIN + turn * 10, values)
        for path, value in values.items():
            expected.setdefault(path, {})[BEGIN + turn * 10] = value
    assert {path: diary.read(path) for path in diary.store.find()} == expected


def test_intervals_may_vary(diary: Diary) -> None:
    seconds = [BEGIN, BEGIN + 1, BEGIN + 11, BEGIN + 71, BEGIN + 75]
    for second in seconds:
        diary.write(second, {"a": float(second)}, 1)
    hours_of(diary, 2, "other")
    diary.settle()
    assert list(diary.read("a")) == seconds


PATHS = ("A.b", "a.b", "a.b.c", "a.bb", "a.é", "a.b;dc=east", "a.b;dc=west;host=x", "b", "b.[x]", "b.x", "b.100%_c")
GLOBS = (
    "*",
    "?",
    "a.?",
    "a.*",
    "*.b",
    "*;dc=east",
    "*;dc=*",
    "a.b",
    "b.[[]x]",
    "b.[xy]",
    "b.[!x]",
    "*%_*",
    "",
    "a",
    "*\0",
    "b*" * 600,
)


@pytest.mark.parametrize("pattern", GLOBS)
def test_find_goes_by_globs_as_python_does_and_page_by_page(diary: Diary, pattern: str) -> None:
    diary.write(BEGIN, dict.fromkeys(PATHS, 1.0))
    expected = sorted(path for path in PATHS if fnmatch.fnmatchcase(path, pattern))
    assert diary.store.find(pattern) == expected
    assert diary.store.find(pattern, 0) == []
    paged: list[str] = []
    while page := diary.store.find(pattern, 2, paged[-1] if paged else ""):
        paged += page
    assert paged == expected


def test_find_matches_the_whole_path_and_sorts(diary: Diary) -> None:
    diary.write(BEGIN, dict.fromkeys(["b.one.x", "a.two", "a.one", "a.one.x", "a[1]", "ä.one"], 1.0))
    find = diary.store.find
    assert find() == ["a.one", "a.one.x", "a.two", "a[1]", "b.one.x", "ä.one"]
    assert find("a.*") == ["a.one", "a.one.x", "a.two"]
    assert find("*.one") == ["a.one", "ä.one"]
    assert find("?.one.[!y]") == ["a.one.x", "b.one.x"]
    assert find("a[[]1]") == ["a[1]"]
    assert find("a.one") == ["a.one"]
    assert find("A.*") == []
    assert find("*", limit=2) == ["a.one", "a.one.x"]
    assert find("*", limit=0) == []


def test_read_keeps_the_order_asked_for_and_knows_the_range(diary: Diary) -> None:
    for turn in range(5):
        diary.write(BEGIN + turn * 10, {"a": float(turn), "b": 0.0})
    found = diary.store.read(["b", "none", "a", "a"], BEGIN + 10, BEGIN + 30.5)
    assert [series.path for series in found] == ["b", "none", "a", "a"]
    assert [list(series.values) for series in found] == [[0.0] * 3, [], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]


@pytest.mark.parametrize(
    ("start", "end"), [(5, 4), (math.nan, math.nan), (math.inf, math.inf), (-math.inf, -1), (1e300, 1e308), (0, math.nan)]
)
def test_a_range_without_moments_is_empty(diary: Diary, start: float, end: float) -> None:
    diary.write(BEGIN, {"a": 1.0})
    assert diary.read("a", start, end) == {}


def test_a_range_may_be_without_bounds(diary: Diary) -> None:
    diary.write(BEGIN, {"a": 1.0})
    assert diary.read("a", -math.inf, math.inf) == {BEGIN: 1.0}


def test_threads_read_while_another_writes(diary: Diary) -> None:
    diary.write(BEGIN, {"a": 0.0, "b": 0.0})
    wrong: list[object] = []

    def look() -> None:
        for _ in range(60):
            one, other = diary.store.read(["a", "b"], 0, 1e10)
            if list(one.times) != list(other.times) or list(one.values) != list(other.values):
                wrong.append((one, other))

    threads = [Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for turn in range(1, 200):
        diary.write(BEGIN + turn * 60, {"a": float(turn), "b": float(turn)}, 60)
    for thread in threads:
        thread.join()
    assert not wrong


# -- times that cannot be right ----------------------------------------------------------------------------------------


def test_a_window_far_ahead_of_clock_and_store_is_refused(diary: Diary) -> None:
    with pytest.raises(Rejected, match="over a day ahead of the clock"):
        diary.store.write(Flush(Window(0, BEGIN + DAY + 1, 10), ()))
    diary.write(BEGIN, {"a": 1.0})
    for _ in range(3):
        diary.clock.advance(DAY)
        diary.store.write(Flush(Window(0, diary.clock.time() + DAY, 10), ()))
    with pytest.raises(Rejected, match="over a day ahead"):
        diary.store.write(Flush(Window(0, 2.0**33, 10), ()))


def test_a_window_older_than_everything_kept_is_refused(tmp_path: Path) -> None:
    diary = opened(tmp_path, "retention=2h&rollups=")
    diary.write(BEGIN + 5 * HOUR, {"a": 1.0})
    diary.write(BEGIN + 3 * HOUR, {"a": 1.0})
    with pytest.raises(Rejected, match=r"older than what is kept.*retention"):
        diary.write(BEGIN + 3 * HOUR - 1, {"a": 1.0})
    with pytest.raises(Rejected, match="older"):
        diary.write(-5, {"a": 1.0})
    diary.close()


def test_a_clock_that_was_wrong_for_a_while_does_no_lasting_harm(tmp_path: Path) -> None:
    diary = opened(tmp_path, "retention=2h&rollups=")
    diary.write(BEGIN + 300 * DAY, {"a": 1.0})
    diary.close()
    diary = opened(tmp_path, "retention=2h&rollups=")
    diary.write(BEGIN, {"a": 2.0})
    assert diary.read("a", 0, BEGIN) == {BEGIN: 2.0}
    diary.close()


# -- roll-ups and retention --------------------------------------------------------------------------------------------


def test_the_finest_level_that_covers_the_range_is_read(tmp_path: Path) -> None:
    diary = opened(tmp_path, "retention=1h&rollups=5m:1d,1h:30d")
    hours_of(diary, 60, every=60)
    diary.settle()
    end = BEGIN + 60 * HOUR
    raw = diary.read("a", end - HOUR)
    assert list(raw) == list(range(end - HOUR, end, 60))
    middle = diary.read("a", end - 5 * HOUR)
    assert list(middle) == list(range(end - 5 * HOUR, end, 300))
    assert middle[end - 300] == sum(range(60 * 60 - 5, 60 * 60)) / 5
    coarse = diary.read("a")
    assert list(coarse) == list(range(BEGIN, end, HOUR))
    assert coarse[BEGIN] == sum(range(60)) / 60
    diary.close()


def test_a_young_store_is_read_as_written_however_far_back_one_asks(diary: Diary) -> None:
    hours_of(diary, 3)
    diary.settle()
    assert len(diary.read("a", 0)) == 180


def test_the_rule_of_the_name_makes_the_roll_up(tmp_path: Path) -> None:
    diary = opened(tmp_path, "retention=1h&rollups=1h:30d")
    for minute in range(60 * 5):
        value = float(minute % 60)
        diary.write(BEGIN + minute * 60, {"x.count": value, "x.upper": value, "x.lower": value, "x.mean": value}, 60)
    diary.settle()
    found = {path: diary.read(path)[BEGIN] for path in diary.store.find()}
    assert found == {"x.count": 1770.0, "x.lower": 0.0, "x.mean": 29.5, "x.upper": 59.0}
    diary.close()


def counted(diary: Diary) -> dict[str, int]:
    with sqlite3.connect(diary.file) as db:
        tables = ("hot", "blocks", "series", "levels", "todo")
        found = {table: db.execute(f"SELECT count(*) FROM history_{table}").fetchone()[0] for table in tables}  # noqa: S608 the tables of this test
    db.close()
    return found


def test_retention_removes_points_then_series_and_frees_their_pages(tmp_path: Path) -> None:
    diary = opened(tmp_path, "retention=1h&rollups=1m:3h")
    for turn in range(20):
        diary.write(BEGIN + turn, dict.fromkeys((f"short.{number}" for number in range(300)), float(turn)), 1)
    hours_of(diary, 2)
    diary.settle()
    most = counted(diary)
    hours_of(diary, 9)
    diary.settle()
    assert diary.store.find() == ["a"]
    assert most["series"] == 301
    assert counted(diary) == {"hot": 60, "blocks": 1 + 3, "series": 1, "levels": 2, "todo": 0}
    diary.write(diary.clock.time(), {"short.7": 5.0})
    assert diary.store.find("short*") == ["short.7"]
    diary.close()


def test_the_file_does_not_grow_once_retention_is_reached(tmp_path: Path) -> None:
    diary = opened(tmp_path, "retention=2h&rollups=")
    values = {f"s.{number}": 0.1 * number for number in range(50)}
    sizes = []
    for turn in range(7 * 360):
        diary.write(BEGIN + turn * 10, {path: value + turn for path, value in values.items()})
        if turn % 360 == 359:
            sizes.append(diary.file.stat().st_size)
    assert sizes[6] <= sizes[4] * 1.1
    diary.close()


def test_upkeep_is_spread_over_the_writes(tmp_path: Path) -> None:
    diary = opened(tmp_path, "group=4&rollups=")
    paths = [f"s.{number}" for number in range(40)]
    done: list[int] = []
    for turn in range(700):
        diary.write(BEGIN + turn * 10, dict.fromkeys(paths, float(turn)))
        done.append(counted(diary)["blocks"] if turn % 10 == 0 else done[-1])
    assert done[360] == 0
    rises = [later - earlier for earlier, later in zip(done[::10], done[10::10], strict=False)]
    assert max(rises) <= 4
    assert done[-1] == 40
    assert counted(diary)["hot"] < 700 * 10
    diary.close()


def test_a_level_that_is_added_later_is_made_from_what_is_there(tmp_path: Path) -> None:
    diary = opened(tmp_path, "rollups=")
    hours_of(diary, 30)
    diary.settle()
    diary.close()
    diary = opened(tmp_path, "rollups=5m:30d,1h:300d")
    hours_of(diary, 80)
    diary.settle()
    diary.close()
    diary = opened(tmp_path, "retention=1h&rollups=1h:300d")
    for hour in range(80, 300):
        diary.write(BEGIN + hour * HOUR, {"a": 1.0})
    diary.settle()
    found = diary.read("a")
    assert list(found) == list(range(BEGIN, BEGIN + 300 * HOUR, HOUR))
    assert found[BEGIN + HOUR] == sum(range(60, 120)) / 60
    assert counted(diary)["levels"] == 2
    diary.close()


def test_a_late_window_changes_the_roll_ups_it_belongs_to(tmp_path: Path) -> None:
    diary = opened(tmp_path, "retention=2d&rollups=1h:300d")
    hours_of(diary, 40, "a.count", 300)
    diary.settle()
    diary.write(BEGIN + 30, {"a.count": 1000.0})
    diary.write(BEGIN + 70 * HOUR, {"a.count": 1.0})
    diary.settle()
    assert counted(diary)["blocks"] < 40
    assert diary.read("a.count")[BEGIN] == sum(range(12)) + 1000.0
    diary.close()


# -- URLs and options --------------------------------------------------------------------------------------------------


def test_the_examples_are_urls_of_the_store() -> None:
    for text in store.URL_EXAMPLES:
        parsed = url.parse(text)
        assert parsed.scheme in store.SCHEMES
        assert sqlite.file_of(parsed).is_absolute()
        store.open(parsed).close()


def test_the_path_is_relative_with_three_slashes_absolute_with_four(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert sqlite.file_of(url.parse("sqlite:///sub/x.db")) == tmp_path / "sub/x.db"
    assert str(sqlite.file_of(url.parse("sqlite:////var/x.db"))) == "/var/x.db"


def test_the_directory_is_made_when_its_parent_is_there(tmp_path: Path) -> None:
    made = store.Store(url.parse(f"sqlite:///{tmp_path}/new/x%20y%3F.db"), ManualClock(BEGIN))
    made.write(Flush(Window(BEGIN - 10, BEGIN, 10), (block(Kind.GAUGE, {"value": [1.0]}, ["a"]),)))
    assert (tmp_path / "new/x y?.db").is_file()
    assert made.find() == ["stats.gauges.a"]
    made.close()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("sqlite://host/x.db", "takes no host"),
        ("sqlite://", "names no file"),
        ("sqlite:///", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///x.db?retention=5m", "between an hour and a hundred years"),
        ("sqlite:///x.db?retention=1000000d", "between an hour and a hundred years"),
        ("sqlite:///x.db?rollups=1m", "not a step and a time"),
        ("sqlite:///x.db?rollups=1m:2d", "longer than the finer points, 7d"),
        ("sqlite:///x.db?rollups=1m:30d,90s:60d", "multiple of the one before"),
        ("sqlite:///x.db?rollups=1m:30d,10m:30d", "longer than the finer points, 30d"),
        ("sqlite:///x.db?rollups=500ms:30d", "whole seconds"),
        ("sqlite:///x.db?rollups=11m:30d", "divide an hour, a day or a week"),
        ("sqlite:///x.db?rollups=" + ",".join(f"{2**n}m:{n + 30}d" for n in range(9)), "at most 8"),
        ("sqlite:///x.db?group=0", "between 1 and 4096"),
        ("sqlite:///x.db?namespace=other", "none of statsd, legacy"),
        ("sqlite:///x.db?retentoin=7d", "did you mean 'retention'"),
    ],
)
def test_a_wrong_url_is_refused_when_opened(text: str, reason: str) -> None:
    with pytest.raises(UrlError, match=reason):
        store.open(url.parse(text))


def test_options_name_the_paths(tmp_path: Path) -> None:
    query = "namespace=statsd&prefix=p&prefix_counter=c&suffix=s&counts=false"
    made = store.Store(url.parse(f"sqlite:///{tmp_path}/x.db?{query}"), ManualClock(BEGIN))
    counter = block(Kind.COUNTER, {"rate": [1.0], "count": [1.0]}, ["a b"])
    made.write(Flush(Window(BEGIN - 10, BEGIN, 10), (counter,)))
    assert made.find() == ["p.c.a b.rate.s"]
    made.close()
    legacy = store.Store(url.parse(f"sqlite:///{tmp_path}/y.db?namespace=legacy&sanitize=true"), ManualClock(BEGIN))
    legacy.write(Flush(Window(BEGIN - 10, BEGIN, 10), (counter,)))
    assert legacy.find() == ["stats.a_b", "stats_counts.a_b"]
    legacy.close()


def test_rollups_read_back_as_written() -> None:
    assert str(Rollups("1m:30d, 10m:365d")) == "1m:30d,10m:365d"
    assert Rollups("") == ()
    assert Options().levels() == (Level(0, HOUR, 7 * DAY), Level(60, HOUR, 30 * DAY), Level(600, DAY, 365 * DAY))


def test_what_is_left_of_a_level_is_enough_for_the_next() -> None:
    levels = Options(rollups=Rollups("7m:30d,14m:60d,1d:365d".replace("1d:", "7d:"))).levels()
    for present in range(BEGIN, BEGIN + 9 * DAY, 4567):
        found = cutoffs(levels, present)
        assert found == sorted(found, reverse=True)
        for level, coarser, cutoff in zip(levels, [*levels[1:], levels[-1]], found, strict=True):
            assert cutoff <= present - level.keep
            assert cutoff % level.period == 0
            assert cutoff % coarser.step == 0


def test_a_group_is_fixed_when_the_file_is_made(tmp_path: Path) -> None:
    for group in (2, 5):
        diary = opened(tmp_path, f"group={group}")
        diary.write(BEGIN + group, {path: float(group) for path in "abcdefg"})
        diary.close()
    assert counted(diary)["hot"] == 2 * 4
    assert diary.read("g") == {BEGIN + 2: 2.0, BEGIN + 5: 5.0}
    diary.close()


def test_a_large_flush_is_written_and_found_quickly(tmp_path: Path) -> None:
    diary = opened(tmp_path, "")
    values = {f"many.{number}": float(number) for number in range(20_000)}
    diary.write(BEGIN, values)
    start = time.process_time()
    for turn in range(1, 6):
        diary.write(BEGIN + turn * 10, values)
    assert time.process_time() - start < 5
    found = diary.store.read(list(values), BEGIN, BEGIN + 60)
    assert [len(series.values) for series in found] == [6] * 20_000
    diary.close()


def test_one_of_many_series_is_read_from_blocks(tmp_path: Path) -> None:
    diary = opened(tmp_path, "group=50")
    for minute in range(61):
        diary.write(BEGIN + minute * 60, {f"s.{number:03}": float(minute * 1000 + number) for number in range(120)}, 60)
    diary.settle()
    one, other, none = diary.store.read(["s.003", "s.117", "s.999"], BEGIN, BEGIN + 120)
    assert (list(one.values), list(other.values), list(none.values)) == ([3.0, 1003.0, 2003.0], [117.0, 1117.0, 2117.0], [])
    diary.close()


def test_paths_that_fell_out_of_the_cache_keep_their_ids(diary: Diary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "MOST_CACHED", 2)
    for turn, paths in enumerate(["abc", "d", "cb", "ad"]):
        diary.write(BEGIN + turn * 10, dict.fromkeys(paths, float(turn)))
    assert diary.read("a") == {BEGIN: 0.0, BEGIN + 30: 3.0}
    assert diary.read("d") == {BEGIN + 10: 1.0, BEGIN + 30: 3.0}
    assert diary.store.find() == ["a", "b", "c", "d"]


def test_a_file_whose_ids_are_used_up_says_so(diary: Diary) -> None:
    diary.write(BEGIN, {"a": 1.0})
    diary.close()
    with sqlite3.connect(diary.file) as db:
        db.execute("UPDATE history_series SET id = (1 << 32) - 1")
    db.close()
    with pytest.raises(StoreError, match=r"history.db: all its ids of series are used up; set the file aside"):
        diary.write(BEGIN + 10, {"b": 1.0})
