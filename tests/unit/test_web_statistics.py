"""Statistics over HTTP: which there are, their rows in every form, what is refused, a stopped one that goes on."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from datetime import timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from nilometer.core.errors import ConfigError, TooSlow, Unavailable
from nilometer.core.event_status import KeepStatus, WayStatus
from nilometer.core.statistics import FillStatus, Inbox, Row, State, StatisticsStatus
from nilometer.testing.statistics import MONDAY, FakeStatistics, Silent, distribution, sums
from nilometer.testing.statistics_served import Answer, Served, served
from nilometer.web.conditional import matches
from nilometer.web.statistics import models

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nilometer.core.statistics import Row as AnyRow
    from nilometer.statistics.plugin import Cell

MINUTE = [
    *((MONDAY + 60, "bodhi", 1), (MONDAY + 60, "git", 2), (MONDAY + 60, None, 3)),
    *((MONDAY + 120, "git", 1), (4_102_444_800, "git", 7)),
]


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served() as found:
        yield found


@pytest.fixture
def fake(server: Served) -> FakeStatistics:
    made = FakeStatistics(table={"volume-by-category-1m": sums(MINUTE)})
    server.held[0] = made
    return made


def rows(answer: Answer) -> list[tuple[object, ...]]:
    assert answer.status == 200, answer.text
    return [tuple(row.values()) for row in answer.json["rows"]]


@pytest.mark.usefixtures("fake")
def test_statistics_are_told_with_what_they_are(server: Served) -> None:
    answer = server.ask("")
    assert answer.status == 200
    assert models.Statistics.model_validate(answer.json)
    found = {each["ident"]: each for each in answer.json["statistics"]}
    assert list(found) == sorted(found)
    one, log = found["volume-by-category-1m"], found["release-log"]
    assert (one["name"], one["kind"], one["window"], one["interval"]) == ("volume, by category", "sum", "1m", 60)
    assert (one["keys"], one["columns"]) == (["category"], ["timestamp", "category", "volume"])
    assert (log["window"], log["interval"], log["layout"]["groups"][0]["id"]) == ("", None, "compose")
    assert found["users-1d-europe-prague"]["window"] == "1d@Europe/Prague"


def test_what_is_behind_or_stopped_is_told(server: Served, fake: FakeStatistics) -> None:
    way, fill = WayStatus("amqp://bus", received=9), FillStatus("https://archive", missing=60, wanted=120, error="503")
    fake.now = StatisticsStatus((way,), (fill,), KeepStatus("sqlite:///s"), Inbox(9, 1, 9, MONDAY), fake.now.progress, 4)
    fake.changed("release-log", offset=7, state=State.STOPPED, error="KeyError: 'x'", culprit="id-8", at=8, since=MONDAY)
    told = server.ask("").json
    found = {each["ident"]: each for each in told["statistics"]}["release-log"]
    assert (found["state"], found["error"], found["culprit"], found["since"]) == ("stopped", "KeyError: 'x'", "id-8", MONDAY)
    assert (found["lag"], found["offset"]) == (2, 7)
    assert told["status"]["fill"][0]["missing"] == 60
    assert told["status"]["inbox"] == {"count": 9, "first": 1, "last": 9, "oldest": MONDAY}
    assert (told["status"]["expired"], told["status"]["store"]["name"]) == (4, "sqlite:///s")
    assert (told["status"]["running"], told["status"]["stopped"], told["status"]["behind"]) == (4, 1, 9)
    everything = server.ask("/api/v1/status", base="").json
    assert everything["statistics"] == told["status"]
    assert any("resume release-log" in problem for problem in everything["problems"])


@pytest.mark.usefixtures("fake")
def test_rows_come_newest_first_without_windows_that_have_not_begun(server: Served) -> None:
    answer = server.ask("/volume-by-category-1m")
    assert models.Rows.model_validate(answer.json, strict=True)
    assert answer.json["columns"] == ["timestamp", "category", "volume"]
    assert answer.json["rows"][0] == {"timestamp": MONDAY + 120, "category": "git", "volume": 1}
    assert rows(answer)[1:] == [(MONDAY + 60, "git", 2), (MONDAY + 60, "bodhi", 1), (MONDAY + 60, None, 3)]
    assert rows(server.ask("/volume-by-category-1m?until=4102444800&limit=1")) == [(4_102_444_800, "git", 7)]


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        (f"order=asc&until={MONDAY + 60}", [3, 1, 2]),
        (f"since={MONDAY + 61}", [1]),
        ("since=2026-01-05T00:02Z", [1]),
        ("key=category%3Dgit", [1, 2]),
        ("key=category", [3]),
        ("key=category=git&since=2026-01-05T00:01Z&until=2026-01-05T00:01Z", [2]),
        ("top=1&order=asc", [3, 1]),
        ("key=category=none", []),
    ],
)
def test_rows_are_chosen(server: Served, asked: str, wanted: list[int]) -> None:
    assert [row[-1] for row in rows(server.ask(f"/volume-by-category-1m?{asked}"))] == wanted


def test_the_largest_are_shown_of_a_plugin_that_says_so(
    server: Served, fake: FakeStatistics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(fake.statistics["volume-by-category-1m"].plugin), "top", 1)
    assert [row[-1] for row in rows(server.ask("/volume-by-category-1m?order=asc"))] == [3, 1]
    assert [row[-1] for row in rows(server.ask("/volume-by-category-1m?order=asc&top=0"))] == [3, 1, 2, 1]


@pytest.mark.usefixtures("fake")
def test_pages_hold_every_row_once(server: Served) -> None:
    found, asked, pages = list[tuple[object, ...]](), "?limit=3&key=category=git&until=2101-01-01", 0
    while asked:
        answer = server.ask("/volume-by-category-1m" + asked)
        assert answer.json["cursor"] is None or f"cursor={answer.json['cursor']}" in answer.headers["link"]
        found, pages = found + rows(answer), pages + 1
        asked = answer.headers.get("link", "<>").partition("<")[2].partition(">")[0]
    assert [row[-1] for row in found] == [7, 1, 2]
    assert (pages, rows(server.ask("/volume-by-category-1m?limit=2&cursor=2"))[0][-1]) == (1, 1)


def test_a_table_for_spreadsheets(server: Served, fake: FakeStatistics) -> None:
    word = 'a "b",\r\nc'
    fake.table["volume-by-category-1d"] = sums([(MONDAY, word, 1.5), (MONDAY, None, 2)])
    answer = server.ask("/volume-by-category-1d?format=csv&order=asc")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''volume-by-category-1d.csv"
    assert answer.text.startswith("timestamp,category,volume\r\n")
    found = list(csv.reader(io.StringIO(answer.text, newline="")))
    assert found[1:] == [["1767571200.0", "", "2"], ["1767571200.0", word, "1.5"]]


class Seen(HTMLParser):
    """The words within each element, and the links."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.links, self._inside = defaultdict[str, list[str]](list), list[str](), ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        self.links += [value for name, value in attrs if name == "href" and value]

    def handle_endtag(self, tag: str) -> None:
        del tag
        self._inside = ""

    def handle_data(self, data: str) -> None:
        self.words[self._inside].append(data)


def test_a_table_for_people_is_escaped(server: Served, fake: FakeStatistics) -> None:
    fake.table["volume-by-category-1d"] = sums([(MONDAY, "<script>alert(1)</script>", 1), (MONDAY, "b", 2)])
    answer = server.ask("/volume-by-category-1d?format=html&limit=1&order=asc")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<script>" not in answer.text
    seen = Seen()
    seen.feed(answer.text)
    assert seen.words["th"] == ["timestamp", "category", "volume"]
    assert seen.words["time"] == ["2026-01-05T00:00:00Z"]
    assert "<script>alert(1)</script>" in seen.words["td"]
    assert seen.links == ["?format=html&limit=1&order=asc&cursor=1"]


def test_every_kind_has_its_columns(server: Served, fake: FakeStatistics) -> None:
    fake.table["delivery-delay-1h"] = [distribution(MONDAY, ("git",), [1.0, 2.0, 3.0])]
    fake.table["release-log"] = [Row(MONDAY, ("compose", None), text='{"a": 1}')]
    fake.table["users-1d-europe-prague"] = [Row(MONDAY - 3600, (), 12.0)]
    [delay] = server.ask("/delivery-delay-1h").json["rows"]
    assert (delay["count"], delay["mean"], delay["lower"], delay["upper"]) == (3, 2, 1, 3)
    assert rows(server.ask("/release-log")) == [(MONDAY, "compose", None, '{"a": 1}')]
    assert rows(server.ask("/users-1d-europe-prague")) == [(MONDAY - 3600, 12)]


@pytest.mark.usefixtures("fake")
def test_who_has_the_answer_is_not_sent_it_again(server: Served, fake: FakeStatistics) -> None:
    path = "/volume-by-category-1m?until=2026-01-06"
    first = server.ask(path)
    tag = first.headers["etag"]
    assert (first.headers["cache-control"], first.headers["vary"]) == ("private, no-cache", "authorization")
    fake.table["volume-by-category-1m"] += sums([(MONDAY + 90_000, "git", 1)])  # type: ignore[operator]  # a list
    fake.changed("volume-by-category-1m", revision=2)
    again = server.ask(path, if_none_match=f'"x", W/{tag}')
    assert (again.status, again.text, again.headers["etag"]) == (304, "", tag)
    assert server.ask(path, if_none_match='"x"').status == 200
    fake.table["volume-by-category-1m"] = []
    assert server.ask(path, if_none_match=tag).status == 200
    assert server.ask(path + "&format=csv", if_none_match=tag).status == 200


@pytest.mark.parametrize(
    ("given", "wanted"), [("*", True), ('"a"', True), ('W/"a" , "b"', True), ('"b"', False), ("", False), ("a", False)]
)
def test_tags_are_compared(given: str, wanted: bool) -> None:  # noqa: FBT001 a case
    assert matches(given, '"a"') is wanted


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize(
    ("asked", "status", "told"),
    [
        ("/volume-by-categry-1m", 404, "did you mean 'volume-by-category-1m'?"),
        ("/" + quote("ä<b>"), 404, "'ä<b>'"),
        ("/" + quote("a/b"), 404, "there is no such thing here"),
        ("/volume-by-category-1m?key=categori=x", 400, "there is category; did you mean 'category'?"),
        ("/users-1d-europe-prague?key=x", 400, "there is none"),
        ("/volume-by-category-1m?since=yesterweek", 400, "is no time"),
        ("/volume-by-category-1m?cursor=zz", 400, "is no cursor"),
        ("/volume-by-category-1m?limit=0", 400, "limit"),
        ("/volume-by-category-1m?limit=99999", 400, "limit"),
        ("/volume-by-category-1m?top=-1", 400, "top"),
        ("/volume-by-category-1m?order=up", 400, "order"),
        ("/volume-by-category-1m?format=png", 400, "format"),
        ("/volume-by-category-1m?until=" + "9" * 101, 400, "until"),
    ],
)
def test_what_is_wrong_is_said(server: Served, asked: str, status: int, told: str) -> None:
    answer = server.ask(asked)
    assert answer.status == status
    assert told in answer.error


@pytest.mark.parametrize(("error", "status"), [(Unavailable("away"), 503), (TooSlow("slow"), 504)])
def test_a_store_that_does_not_answer_is_told(server: Served, fake: FakeStatistics, error: Exception, status: int) -> None:
    fake.failing = error
    for path in ("", "/volume-by-category-1m"):
        answer = server.ask(path)
        assert (answer.status, answer.error) == (status, str(error))


def test_without_statistics_the_cure_is_told(server: Served) -> None:
    server.held[0] = None
    answer = server.ask("")
    assert (answer.status, "statistics.buses" in answer.error) == (503, True)


def test_a_stopped_statistic_goes_on(server: Served, fake: FakeStatistics) -> None:
    fake.changed("release-log", state=State.STOPPED, error="boom", culprit="id", at=1, since=1.0)
    answer = server.ask("/release-log/resume", "POST")
    assert (answer.status, answer.json["state"], answer.json["error"], answer.json["since"]) == (200, "running", "", None)
    assert server.ask("/no-log/resume", "POST").status == 404
    assert server.ask("/release-log", "POST").status == 405


class Own(Silent):
    """A plugin that shows its rows in its own way."""

    name, summary, description = "own", "own", "own"
    keep = timedelta(days=30)
    roll_up = timedelta(days=7), "1d"
    windows = ("1h",)

    def rows(self, rows: Iterable[AnyRow]) -> Iterable[Mapping[str, Cell]]:
        for row in rows:
            yield {"timestamp": row.time, "half": row.value / 2, "at": timedelta(1), "odd": float("nan")}  # type: ignore[dict-item]  # a plugin of somebody
            if row.value < 0:
                raise ZeroDivisionError


def test_a_plugin_that_shows_rows_itself(server: Served) -> None:
    fake = FakeStatistics([Own()], {"own-1h": [Row(MONDAY, (), 4.0)]})
    server.held[0] = fake
    [told] = server.ask("").json["statistics"]
    assert (told["keep"], told["roll_up"]) == (30 * 86_400, {"after": 7 * 86_400, "window": "1d"})
    assert server.ask("/own-1h").json["columns"] == ["timestamp", "half", "at", "odd"]
    assert rows(server.ask("/own-1h")) == [(MONDAY, 2, "1 day, 0:00:00", None)]
    fake.table["own-1h"] = [Row(MONDAY, (), -1.0)]
    answer = server.ask("/own-1h")
    assert (answer.status, answer.error) == (500, "own-1h: its plugin cannot show its rows: ZeroDivisionError: ")


def test_a_name_that_no_path_can_hold_is_refused() -> None:
    class Slashed(Silent):
        name, summary, description = "users a/b", "s", "d"

    with pytest.raises(ConfigError, match="plugin Slashed: its name 'users a/b' has a slash"):
        Slashed().statistics()
