"""Charts of statistics: nothing is lost when windows and keys are put together, and what cannot be added up is refused."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.core.chart import Look
from nilometer.core.errors import InputError
from nilometer.core.statistics import Kind, Row, Window
from nilometer.core.statistics.window import parse
from nilometer.statistics import chart as module
from nilometer.statistics import drawing, grouping
from nilometer.statistics.chart import Chart, Question, drawn_up
from nilometer.testing.statistics import MONDAY, FakeStatistics, Silent, distribution, sums

DAY = 86_400
MINUTE, DELAY, DAILY, PEOPLE = "volume-by-category-1m", "delivery-delay-1h", "volume-by-category-1d", "users-1d-europe-prague"


def chart(fake: FakeStatistics, ident: str, since: float, until: float, **asked: object) -> Chart:
    found = fake.find(ident)
    assert found is not None
    places = tuple(range(len(found.statistic.plugin.keys)))
    question = Question(since, until, until)._replace(**({"by": places} | asked))  # type: ignore[arg-type]  # its fields
    return drawn_up(found.statistic, partial(fake.rows, ident), question)


def values(made: Chart) -> dict[object, list[float | None]]:
    return {series.key: series.values for series in made.series}


def test_windows_without_rows_are_zero_and_time_is_whole_windows() -> None:
    rows = sums([(MONDAY, "git", 9), (MONDAY + 60, "git", 2), (MONDAY + 180, "git", 1), (MONDAY + 240, "git", 9)])
    made = chart(FakeStatistics(table={MINUTE: rows}), MINUTE, MONDAY + 30, MONDAY + 150, group="1m")
    assert (made.begins, made.ends) == ([MONDAY, MONDAY + 60, MONDAY + 120], [MONDAY + 60, MONDAY + 120, MONDAY + 180])
    assert values(made) == {("git",): [2, 0, 1]}


def test_the_largest_series_are_shown_and_all_others_together() -> None:
    rows = sums([(MONDAY + 60, word, number) for word, number in (("a", 5), ("b", 7), ("c", 1), (None, 2))])
    fake = FakeStatistics(table={MINUTE: rows})
    made = chart(fake, MINUTE, MONDAY, MONDAY + 60, most=2)
    assert [(series.key, series.total) for series in made.series] == [(("b",), 7), (("a",), 5), (None, 3)]
    assert values(chart(fake, MINUTE, MONDAY, MONDAY + 60, by=()))[()] == [15]
    assert values(chart(fake, MINUTE, MONDAY, MONDAY + 60, words=((0, None),))) == {(None,): [2]}


@given(
    st.lists(st.tuples(st.integers(0, 3 * DAY), st.sampled_from(["a", "b", None]), st.integers(1, 9)), max_size=60),
    st.sampled_from(["", "5m", "1h", "1d", "1d@Europe/Prague", "1w", "1mo"]),
    st.integers(1, 3),
)
def test_nothing_is_lost_by_putting_together(made: list[tuple[int, str | None, int]], group: str, most: int) -> None:
    window, counted, total = Window(1, "m"), Counter[tuple[int, str | None]](), 0
    for time, word, number in made:
        counted[window.slot(MONDAY + time), word] += number
        total += number
    fake = FakeStatistics(table={MINUTE: sums((time, word, number) for (time, word), number in counted.items())})
    drawn = chart(fake, MINUTE, MONDAY, MONDAY + 3 * DAY + 60, group=group, most=most)
    assert sum(value or 0 for series in drawn.series for value in series.values) == total
    assert len(drawn.series) <= most + 1


def test_distributions_are_merged_not_averaged() -> None:
    one = [distribution(MONDAY + 3600, ("a",), [1.0] * 90), distribution(MONDAY + 7200, ("a",), [100.0] * 10)]
    fake = FakeStatistics(table={DELAY: [*one, distribution(MONDAY + 7200, ("b",), [5.0])]})
    made = chart(fake, DELAY, MONDAY, MONDAY + 2 * DAY, group="1d", column="p90")
    assert values(made)[("a",)] == [pytest.approx(1, rel=0.01), None]
    assert chart(fake, DELAY, MONDAY, MONDAY + DAY, group="1d").series[0].values == [100]
    assert chart(fake, DELAY, MONDAY, MONDAY + DAY, group="1d", by=(), column="upper").series[0].values == [100]
    assert chart(fake, DELAY, MONDAY, MONDAY + 7200, group="1h", most=1, column="count").series[1].values == [0, 1]


def test_days_follow_the_calendar_of_their_zone() -> None:
    prague = ZoneInfo("Europe/Prague")
    ends = [int(datetime(2026, 3, day, tzinfo=prague).timestamp()) for day in (29, 30, 31)]
    fake = FakeStatistics(table={PEOPLE: [Row(end, (), 3.0) for end in ends]})
    made = chart(fake, PEOPLE, ends[0] - 3600, ends[2])
    assert (made.ends, values(made)) == (ends, {(): [3, 3, 3]})
    assert made.ends[1] - made.begins[1] == 23 * 3600
    drawing.as_svg(made, "lines", Look())


@pytest.mark.parametrize(
    ("window", "length", "wanted"),
    [
        *(("1s", 100, "1s"), ("1s", 3600, "1m"), ("1s", DAY, "15m"), ("1s", 7 * DAY, "1h"), ("1s", 99 * DAY, "1d")),
        *(("45s", DAY, "15m"), ("1h", 4000 * DAY, "1mo"), ("1d@Europe/Prague", 700 * DAY, "1w@Europe/Prague")),
        *(("1w", 20 * DAY, "1w"), ("1w", 4000 * DAY, "1w"), ("1mo", 4000 * DAY, "1mo")),
    ],
)
def test_good_windows_are_chosen(window: str, length: int, wanted: str) -> None:
    class Some(Silent):
        name, summary, description, windows = "some", "s", "d", (window,)

    [statistic] = Some().statistics()
    group = grouping.chosen(statistic, "", MONDAY, MONDAY + length, MONDAY + length)
    assert group == parse(wanted)
    ends = list(grouping.ends(group, MONDAY, MONDAY + length))
    assert ends == sorted(set(ends))
    assert group.begin(ends[0]) <= MONDAY < ends[0]
    assert group.begin(ends[-1]) < MONDAY + length <= ends[-1]


def test_rows_that_were_rolled_up_are_not_divided() -> None:
    class Rolled(Silent):
        name, summary, description, windows = "rolled", "s", "d", ("1m",)
        roll_up = timedelta(days=7), "1d"

    fake = FakeStatistics([Rolled()], {"rolled-1m": [Row(MONDAY + DAY, (), 5.0), Row(MONDAY + 8 * DAY + 60, (), 1.0)]})
    until = MONDAY + 9 * DAY
    assert chart(fake, "rolled-1m", MONDAY, until).group == parse("1d")
    assert values(chart(fake, "rolled-1m", MONDAY, until, group="1d"))[()] == [5, 0, 0, 0, 0, 0, 0, 0, 1]
    with pytest.raises(InputError, match="windows of 1d cannot be put together into 1h"):
        chart(fake, "rolled-1m", MONDAY, until, group="1h")
    assert chart(fake, "rolled-1m", MONDAY + 8 * DAY, until, group="1h").group == parse("1h")


@pytest.mark.parametrize(
    ("ident", "asked", "told"),
    [
        (MINUTE, {"group": "30s"}, "windows of 1m cannot be put together into 30s"),
        (MINUTE, {"group": "ever"}, "cannot be put together into"),
        (MINUTE, {"group": "7 days"}, "is no window"),
        (DAILY, {"group": "1h"}, "windows of 1d cannot be put together into 1h"),
        (DAILY, {"group": "1mo@Europe/Prague"}, "cannot be put together"),
        (DELAY, {"group": "1d@Asia/Kolkata"}, "windows of 1h do not lie whole within those of 1d@Asia/Kolkata"),
        (MINUTE, {"column": "valume"}, "is none of volume; did you mean 'volume'?"),
        (DELAY, {"column": "p75"}, "is none of count, mean"),
        (PEOPLE, {"group": "1w@Europe/Prague"}, "cannot be put together into 1w@Europe/Prague"),
        ("release-log", {}, "keeps texts"),
        ("people-1d", {"by": ()}, "cannot be added up; take all keys: category"),
        ("people", {"by": (0,)}, "has no windows"),
        (MINUTE, {"since": MONDAY + DAY}, "behind until"),
        (MINUTE, {"since": MONDAY - DAY, "group": "1m"}, "more than 2000 windows of 1m"),
    ],
)
def test_what_cannot_be_drawn_is_said(ident: str, asked: dict[str, object], told: str) -> None:
    asked = dict(asked)

    class People(Silent):
        name, summary, description, keys, windows = "people", "s", "d", ("category",), ("1d", "ever")
        kind = Kind.DISTINCT

    plugins = [each.plugin for each in FakeStatistics().statistics.values()]
    rows = {DELAY: [distribution(MONDAY + 19 * 3600, ("a",), [1.0])]}
    since = float(str(asked.pop("since", MONDAY)))
    with pytest.raises(InputError, match=re.escape(told)):
        chart(FakeStatistics([*dict.fromkeys(plugins), People()], rows), ident, since, MONDAY + DAY, **asked)


def test_distinct_ones_beyond_the_largest_are_left_out() -> None:
    class People(Silent):
        name, summary, description, keys, windows = "people", "s", "d", ("category",), ("1d",)
        kind = Kind.DISTINCT

    rows = [Row(MONDAY + DAY, (word,), float(number)) for number, word in enumerate("abc")]
    made = chart(FakeStatistics([People()], {"people-1d": rows}), "people-1d", MONDAY, MONDAY + DAY, most=2)
    assert (list(values(made)), made.left_out) == ([("c",), ("b",)], 1)


def test_rows_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 10)
    monkeypatch.setattr(module, "AT_A_TIME", 3)
    rows = sums((MONDAY + 60 * number, "git", 1) for number in range(1, 13))
    fake = FakeStatistics(table={MINUTE: rows})
    assert values(chart(fake, MINUTE, MONDAY, MONDAY + 600)) == {("git",): [1] * 10}
    with pytest.raises(InputError, match="more than 10 rows"):
        chart(fake, MINUTE, MONDAY, MONDAY + 660)


@pytest.mark.parametrize("window", ["1s", "1h", "1d", "1w", "1mo", "1d@Europe/Prague"])
@pytest.mark.parametrize("since", [0, 253_402_300_000])
def test_time_ends_somewhere(window: str, since: int) -> None:
    ends = list(grouping.ends(parse(window), since, since + 799))
    assert 1 <= len(ends) <= 800
    assert ends == sorted(set(ends))


def test_forms() -> None:
    rows = [*sums([(MONDAY + 60, "<a>", 2), (MONDAY + 120, None, 1.5)]), Row(MONDAY + 120, ("inf",), float("inf"))]
    made = chart(FakeStatistics(table={MINUTE: rows}), MINUTE, MONDAY, MONDAY + 120, most=2)
    told = json.loads(drawing.as_json(made))
    assert (told["ident"], told["group"], told["column"], told["left_out"]) == (MINUTE, "1m", "volume", 0)
    assert told["series"][0] == {"name": "inf", "key": {"category": "inf"}, "total": None, "values": [0, None]}
    assert told["series"][2] == {"name": "others", "key": None, "total": 1.5, "values": [0, 1.5]}
    table = list(csv.reader(io.StringIO(drawing.as_csv(made), newline="")))
    assert table[0] == ["timestamp", "inf", "<a>", "others"]
    assert table[1] == [str(float(MONDAY + 60)), "0", "2", "0"]
    root = ET.fromstring(drawing.as_svg(made, "lines", Look()))  # noqa: S314 ours
    texts = ["".join(each.itertext()) for each in root]
    assert {"<a>", "others", MINUTE} <= set(texts)


def test_a_value_stands_in_the_middle_of_its_window() -> None:
    rows = sums([(MONDAY + 60, "a", 1), (MONDAY + 120, "a", 2)])
    made = chart(FakeStatistics(table={MINUTE: rows}), MINUTE, MONDAY, MONDAY + 120)
    assert made.begins[0] == datetime(2026, 1, 5, tzinfo=UTC).timestamp()
    root = ET.fromstring(drawing.as_svg(made, "lines", Look(width=56 + 16 + 400)))  # noqa: S314 ours
    [path] = [each.get("d", "") for each in root if each.get("stroke-linecap")]
    assert path.startswith("M156.0 ")
    assert "L356.0 " in path


def test_bars_and_calendars_are_drawn_of_charts() -> None:
    rows = sums([(MONDAY + DAY, "a", 1), (MONDAY + 2 * DAY, "b", 2), (MONDAY + 3 * DAY, "a", 2)])
    fake = FakeStatistics(table={DAILY: rows})
    bars = ET.fromstring(drawing.as_svg(chart(fake, DAILY, MONDAY, MONDAY + 3 * DAY), "bars", Look()))  # noqa: S314 ours
    assert [each.get("d", "").count("M") for each in bars if each.get("fill")] == [2, 1]
    days = ET.fromstring(drawing.as_svg(chart(fake, DAILY, MONDAY, MONDAY + 3 * DAY, by=()), "calendar", Look()))  # noqa: S314 ours
    assert ["".join(each.itertext()) for each in days if each.get("rx")] == ["2026-01-05: 1", "2026-01-06: 2", "2026-01-07: 2"]
    for ident, asked in ((DAILY, {}), (MINUTE, {"by": (), "group": "1h"})):
        with pytest.raises(InputError, match="style: a calendar is of days"):
            drawing.as_svg(chart(fake, ident, MONDAY, MONDAY + 3 * DAY, **asked), "calendar", Look())
    assert drawing.as_svg(chart(fake, PEOPLE, MONDAY, MONDAY + DAY), "calendar", Look()).count("rx=") == 2
