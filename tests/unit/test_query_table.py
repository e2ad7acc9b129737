"""Pages of paths, and several series on grids: the same over every reader."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.backends import registry
from nilometer.core.capability import Series
from nilometer.core.chart import Look
from nilometer.core.record import Flush, Kind, block
from nilometer.history.block import regular
from nilometer.query import listing, table
from nilometer.query.limits import QueryError, TooMuch
from nilometer.query.table import Question
from nilometer.testing import flushes
from nilometer.testing.series import Shelf

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from nilometer.core.capability import SeriesReader

END = 1_700_000_000
NAMES = ["api", "api;dc=east", "api;dc=east;v=1", "api;dc=west", "db", "=1+1"]


def flush(end: int, value: float) -> Flush:
    values = [value + number for number in range(len(NAMES))]
    return Flush(flushes.window(end), (block(Kind.GAUGE, {"value": values}, NAMES),))


@pytest.fixture(params=["sqlite", "memory"])
def reader(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SeriesReader]:
    url = f"sqlite:///{tmp_path}/test.db" if request.param == "sqlite" else f"memory://{tmp_path.name.replace('_', '-')}"
    sink = registry.open(url, "metrics")
    for number in range(12):
        if number != 5:
            sink.write(flush(END + 10 * number, 10.0 * number))
    made = registry.open(url, "series")
    yield made
    made.close()
    sink.close()


class Regular(Shelf):
    """Tells times as a range where they are one, as the embedded store does."""

    def read(self, paths: Sequence[str], start: float, end: float) -> list[Series]:
        return [Series(each.path, regular(each.times), each.values) for each in super().read(paths, start, end)]


def names(paths: list[str]) -> list[str]:
    return [path.removeprefix("stats.gauges.") for path in paths]


def test_pages_follow_each_other_until_there_is_none(reader: SeriesReader) -> None:
    first = listing.page(reader, "*", [], 4)
    second = listing.page(reader, "*", [], 4, first.next or "")
    assert names([*first.paths, *second.paths]) == sorted(NAMES)
    assert (first.next, second.next) == (first.paths[-1], None)
    assert listing.page(reader, "*", [], 6).next is None
    assert (first.total, second.total) == (len(NAMES), None)


@pytest.mark.parametrize(
    ("glob", "tags", "total"),
    [("*", [], 6), ("*api*", [], 4), ("*", ["dc=~.*st"], 3), ("*[ib]", [], 2), ("*v=1", ["dc=east"], 1)],
)
def test_the_first_page_tells_how_many_fit_in_all(
    reader: SeriesReader, glob: str, tags: list[str], total: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert listing.page(reader, glob, tags, 1).total == total
    monkeypatch.setattr(listing, "MOST_COUNTED", 2)
    monkeypatch.setattr(listing, "MOST_TAGGED", 2)
    assert listing.page(reader, glob, tags, 1).total == (None if total > 2 else total)


@pytest.mark.parametrize(
    ("glob", "tags", "found"),
    [
        ("*api*", [], NAMES[:4]),
        ("*", ["dc=east"], NAMES[1:3]),
        ("*", ["dc=~.*st", "v!=1"], [NAMES[1], NAMES[3]]),
        ("*.db", ["dc="], ["db"]),
        ("*", ["dc=north"], []),
    ],
)
def test_paths_are_found_by_glob_and_tags(reader: SeriesReader, glob: str, tags: list[str], found: list[str]) -> None:
    assert names(listing.page(reader, glob, tags, 100).paths) == found


def test_a_page_ends_after_so_many_paths_were_looked_at(reader: SeriesReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "CHUNK", 2)
    monkeypatch.setattr(listing, "MOST_LOOKED_AT", 2)
    found, pages, after = list[str](), 0, ""
    while after is not None and pages < 10:
        page = listing.page(reader, "*", ["dc!=east"], 100, after)
        found, after, pages = [*found, *page.paths], page.next, pages + 1  # type: ignore[assignment]  # None ends it
    assert (names(found), pages) == (["=1+1", "api", "api;dc=west", "db"], 4)


def ask(reader: SeriesReader, start: int = 0, end: int = 110, **options: int | str) -> list[table.Row]:
    question = Question(("stats.gauges.api",), END + start, END + end)
    return table.rows(reader, question._replace(**options))  # type: ignore[arg-type]  # by name


def test_points_stand_on_the_grid_that_they_were_written_on(reader: SeriesReader) -> None:
    [row] = ask(reader)
    assert row == ("stats.gauges.api", END, 10, [0, 10, 20, 30, 40, None, 60, 70, 80, 90, 100, 110])


@pytest.mark.parametrize(
    ("aggregate", "values"),
    [
        ("mean", [15, 170 / 3, 95]),
        ("sum", [60, 170, 380]),
        ("max", [30, 70, 110]),
        ("min", [0, 40, 80]),
        ("last", [30, 70, 110]),
        ("count", [4, 3, 4]),
    ],
)
def test_a_larger_step_puts_points_together(reader: SeriesReader, aggregate: str, values: list[float]) -> None:
    [row] = ask(reader, step=40, aggregate=aggregate)
    assert (row.start, row.step) == (END, 40)
    assert row.values == pytest.approx(values)


def test_points_bound_the_slots(reader: SeriesReader) -> None:
    [row] = ask(reader, points=4)
    assert row.step == 30
    assert len(row.values) <= 5


@given(
    st.integers(0, 400),
    st.integers(0, 60),
    st.integers(0, 100),
    st.sampled_from([5, 10, 15, 20, 30, 70]),
    st.sampled_from(sorted(table.AGGREGATES)),
)
def test_points_at_a_regular_step_are_put_together_as_all_others(
    begin: int, count: int, start: int, step: int, aggregate: str
) -> None:
    shelf = {"a": {begin + 5 * place: place % 7 / 4 for place in range(count)}}
    question = Question(("a",), start, start + 300, step, 0, aggregate)
    assert table.rows(Regular(shelf), question) == table.rows(Shelf(shelf), question)


def test_what_is_not_there_is_empty(reader: SeriesReader) -> None:
    [row] = table.rows(reader, Question(("none",), END, END + 20))
    assert row.values == [None, None, None]


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (Question(("a",), 10, 5), "until lies before from"),
        (Question(("a",) * 501, 0, 5), "more than 500 series"),
        (Question(("a",), 0, 5, aggregate="median"), "aggregate is none of"),
        (Question(("a",), 0, END, step=1), "more than 1000000 values"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_the_cure(reader: SeriesReader, question: Question, message: str) -> None:
    with pytest.raises((QueryError, TooMuch), match=message):
        table.rows(reader, question)


def test_json_has_null_for_gaps(reader: SeriesReader) -> None:
    told = json.loads(table.as_json(reader, Question(("stats.gauges.db",), END + 40, END + 60)))
    series = [{"path": "stats.gauges.db", "start": END + 40, "step": 10, "values": [44.0, None, 64.0]}]
    assert told == {"from": END + 40, "until": END + 60, "series": series}


def test_csv_has_a_line_for_each_value_and_no_formula(reader: SeriesReader) -> None:
    lines = table.as_csv(reader, Question(("stats.gauges.db",), END + 40, END + 60)).decode().splitlines()
    first, second = "stats.gauges.db,2023-11-14T22:14:00Z,44.0", "stats.gauges.db,2023-11-14T22:14:20Z,64.0"
    assert lines == ["path,time,value", first, second]


def test_svg_is_a_chart(reader: SeriesReader) -> None:
    text = table.as_svg(reader, Question(("stats.gauges.db", "stats.gauges.api"), END, END + 60), Look(title="two"))
    assert ET.fromstring(text).tag.endswith("svg")  # noqa: S314 ours
    assert text.count(b"stroke-linecap") == 2
