"""statscache's feeds: pages, parameters, formats, what other sites may read, what is refused."""

from __future__ import annotations

import csv
import io
import json
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.backends import registry
from nilometer.core.errors import Unavailable
from nilometer.core.statistics import Row, Tally
from nilometer.core.statistics.change import Amount
from nilometer.testing.statistics import MONDAY, FakeStatistics, StoredStatistics, sums
from nilometer.testing.statistics_served import Answer, Served, served
from nilometer.web.access import Access
from nilometer.web.statscache import accept
from nilometer.web.statscache.feeds import CSV, JSON

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nilometer.core.statistics.change import Key

FEED = "/api/volume-by-category-1m"
FUTURE = 4_102_444_800
MINUTES = [(MONDAY + 60 * (1 + n // 2), ("bodhi", "git")[n % 2], n) for n in range(1, 20)]
OFFERED = (*JSON, *CSV)


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served() as found:
        yield found


@pytest.fixture
def fake(server: Served) -> FakeStatistics:
    log = Row(MONDAY, ("compose", None), text='say "hi",\nthen\N{LINE SEPARATOR}go')
    made = FakeStatistics(table={"volume-by-category-1m": sums([*MINUTES, (FUTURE, "git", 7)]), "release-log": [log]})
    server.held[0] = made
    return made


def ask(server: Served, path: str, accept: str = "application/json", **headers: str) -> Answer:
    return server.ask(path, base="", accept=accept, **headers)


def links(answer: Answer) -> dict[str, str]:
    """Return the links of an answer by their relations, as paths."""
    parts = [each.split(">; rel=") for each in answer.headers["link"].split(", ") if each]
    return {relation.strip('"'): address.removeprefix("<") for address, relation in parts}


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/*", "text/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
        ("text/csv", "text/csv"),
        ("text/csv;q=0.5, application/json;q=0.4", "text/csv"),
        ("TEXT/CSV ; Q=0.5, application/json;q=0.6", "application/json"),
        ("text/csv;q=0, text/*;q=0.3", "text/json"),
        ("*/*, text/csv", "text/csv"),
        ("application/json;q=0, */*", "text/json"),
        ("image/png", None),
        ("text/html", None),
        ("*/*;q=0", None),
        ("*/csv, nonsense, text/csv;q=2", None),
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", "application/json"),
        ("text/csv;q=.5, *;q=.2", "text/csv"),
        ("text/csv;q=0.33333, application/json;q=0.33332", "text/csv"),
        ("text/csv;q=., text/csv;q=", None),
        (" , ,", "application/json"),
    ],
)
def test_the_type_that_is_wanted_most_is_taken(header: str, wanted: str | None) -> None:
    assert accept.best(header, OFFERED) == wanted


@given(st.text(max_size=200) | st.lists(st.sampled_from(["text/csv", "*/*", ";q=0.", ",", ";", "=", "1"])).map("".join))
def test_any_header_is_read(header: str) -> None:
    assert accept.best(header, OFFERED) in (*OFFERED, None)


def test_pages_hold_every_row_once_and_links_keep_what_was_asked(server: Served, fake: FakeStatistics) -> None:
    path, found, pages = f"{FEED}?rows_per_page=3&order=asc&start={MONDAY}&order=asc", list[dict[str, object]](), 0
    while path:
        answer = ask(server, path)
        found, pages = [*found, *answer.json], pages + 1
        assert (answer.headers["x-link-count"], answer.headers["x-link-number"]) == ("7", str(pages))
        assert ("previous" in links(answer)) == (pages > 1)
        fake.table["volume-by-category-1m"] = [*fake.table["volume-by-category-1m"], *sums([(FUTURE + pages, "git", 1)])]
        address = urlsplit(links(answer).get("next", ""))
        assert not address.query or {"rows_per_page", "order", "start", "stop", "page"} == set(parse_qs(address.query))
        path = f"{address.path}?{address.query}" if address.query else ""
    assert [tuple(row.values()) for row in found] == [(float(time), word, n) for time, word, n in MINUTES]
    assert pages == 7


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize(
    ("query", "size", "pages"),
    [
        ("", 19, 1),
        ("limit=7&rows_per_page=5&page=1", 5, 2),
        ("limit=7&rows_per_page=5&page=2", 2, 2),
        ("limit=1000&rows_per_page=5", 5, 4),
        ("limit=0", 0, 0),
        ("rows_per_page=200&page=2", 0, 1),
        (f"stop={FUTURE}", 20, 1),
        (f"start={MONDAY + 120}&stop={MONDAY + 120}", 2, 1),
        ("start=2026-01-05T00:02:00&stop=2026-01-05T01:02:00%2B01:00", 2, 1),
        ("start=2026-01-05T00:02:00&stop=2026-01-05T01:02:00+01:00", 2, 1),
        (f"start=+{MONDAY + 120}.5&stop={(MONDAY + 180) / 1e9:.9f}e9", 2, 1),
        ("start=&stop=&page=&limit=", 19, 1),
        ("start=+&stop=%20&page=%20&limit=%20&rows_per_page=%20", 19, 1),
    ],
)
def test_pages_are_as_large_as_asked(server: Served, query: str, size: int, pages: int) -> None:
    answer = ask(server, f"{FEED}?{query}")
    assert (answer.status, len(answer.json), answer.headers["x-link-count"]) == (200, size, str(pages))


@pytest.mark.usefixtures("fake")
def test_a_blank_end_is_kept_as_now_by_links(server: Served) -> None:
    asked = parse_qs(urlsplit(links(ask(server, f"{FEED}?rows_per_page=5&stop=%20"))["next"]).query)
    assert float(asked["stop"][0]) > MONDAY


def test_rows_per_page_has_a_bound(server: Served, fake: FakeStatistics) -> None:
    fake.table["volume-by-category-1m"] = sums((MONDAY + n, "git", n) for n in range(150))
    answer = ask(server, f"{FEED}?rows_per_page=200")
    assert (len(answer.json), answer.headers["x-link-count"]) == (100, "2")
    assert answer.json[0]["timestamp"] == MONDAY + 149


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize(
    "query",
    [
        *("page=0", "page=-1", "page=abc", "page=3", "page=99999999999999999999", "rows_per_page=0", "rows_per_page=abc"),
        *(
            "limit=-3",
            "limit=abc",
            "limit=1.5",
            "start=abc",
            "start=nan",
            "start=inf",
            "start=1_0",
            "start=%D9%A1",
            "stop=1e20",
            "stop=0001-01-01T00:00:00%2B23:59",
        ),
        *("callback=alert(1)//", "callback=a..b", "callback=1a", "callback=é", f"callback={'a' * 101}"),
    ],
)
def test_what_is_wrong_is_400_and_named(server: Served, query: str) -> None:
    answer = ask(server, f"{FEED}?{query}".replace("é", "%C3%A9"))
    assert (answer.status, answer.text.partition(":")[0]) == (400, query.partition("=")[0])
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.usefixtures("fake")
def test_rows_are_csv_whose_empty_cells_are_empty(server: Served) -> None:
    answer = ask(server, "/api/release-log", "text/csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "accept" in answer.headers["vary"]
    text = 'say "hi",\nthen\N{LINE SEPARATOR}go'
    assert list(csv.reader(io.StringIO(answer.text, newline=""))) == [
        ["timestamp", "category", "constraint", "message"],
        [f"{MONDAY}.0", "compose", "", text],
    ]
    assert ask(server, "/api/release-log").json[0]["constraint"] is None


@pytest.mark.usefixtures("fake")
def test_a_callback_wraps_json(server: Served) -> None:
    answer = ask(server, "/api/release-log?callback=page.show")
    assert answer.headers["content-type"] == "application/javascript; charset=utf-8"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.text.startswith("page.show([")
    assert "\N{LINE SEPARATOR}" not in answer.text
    assert json.loads(answer.text.removeprefix("page.show(").removesuffix(")"))[0]["category"] == "compose"
    assert ask(server, "/api/?callback=cb").text.startswith('cb(["')


@pytest.mark.usefixtures("fake")
def test_idents_and_layouts(server: Served) -> None:
    idents = ask(server, "/api/").json
    assert idents == sorted(idents)
    assert ask(server, "/api/", "application/csv").text.splitlines() == idents
    assert server.ask("/api?callback=x", base="").headers["location"] == "/api/?callback=x"
    assert ask(server, "/api/release-log/layout").json["groups"][0]["id"] == "compose"
    assert [ask(server, f"{path}/layout").status for path in (FEED, "/api/nope")] == [404, 404]
    assert ask(server, "/api/nope/layout", "text/csv").status == 406


@pytest.mark.usefixtures("fake")
def test_other_sites_may_read_rows(server: Served) -> None:
    answer = ask(server, FEED, origin="https://elsewhere.example")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-expose-headers"] == "Link, X-Link-Number, X-Link-Count"
    assert answer.headers["link"] == ""
    again = ask(server, FEED, if_none_match=answer.headers["etag"])
    assert (again.status, again.text) == (304, "")


def test_sites_that_settings_name_see_the_links_too(fake: FakeStatistics) -> None:
    with served(Access(origins=frozenset({"https://ours.example"}))) as other:
        other.held[0] = fake
        answer = ask(other, FEED, origin="https://ours.example")
    assert {"Link", "X-Link-Number", "X-Link-Count"} <= set(answer.headers["access-control-expose-headers"].split(", "))
    assert answer.headers["access-control-allow-origin"] == "https://ours.example"


@pytest.mark.usefixtures("fake")
def test_what_is_not_there_is_told(server: Served) -> None:
    assert (ask(server, "/api/nope").status, ask(server, "/api/nope").text) == (404, "No such model for 'nope'\n")
    refused = ask(server, FEED, "image/png")
    assert (refused.status, refused.text) == (406, "Content-type(s) not available for volume-by-category-1m\n")
    assert refused.headers["content-type"].startswith("text/plain")
    assert server.ask(FEED, "POST", base="").status == 405
    told = server.ask(FEED, "OPTIONS", base="", origin="https://other.example", access_control_request_method="GET")
    assert (told.status, told.headers["allow"]) == (200, "GET, HEAD, OPTIONS")
    assert (told.headers["access-control-allow-origin"], told.headers["access-control-allow-methods"]) == ("*", "GET, HEAD")
    assert server.ask("/api/v1/nope", base="").status == 404


def test_a_store_that_is_away_is_told(server: Served, fake: FakeStatistics) -> None:
    fake.failing = Unavailable("the database is away")
    assert (ask(server, FEED).status, ask(server, FEED).text) == (503, "the database is away\n")
    server.held[0] = None
    assert ask(server, FEED).status == 503


def test_rows_of_a_real_store_are_paged(server: Served, tmp_path: Path) -> None:
    rows: dict[tuple[int, Key], Amount] = {(time, (word,)): Amount(float(n), float(time)) for time, word, n in MINUTES}
    with closing(registry.open(f"sqlite:///{tmp_path}/statistics.db", registry.STATISTICS)) as store:
        server.held[0] = StoredStatistics(store)
        assert store.apply({"volume-by-category-1m": Tally(sums=rows)}, 0, 1)
        pages = [ask(server, f"{FEED}?rows_per_page=3&order=asc&page={n}").json for n in range(1, 9)]
    assert [len(page) for page in pages] == [3, 3, 3, 3, 3, 3, 1, 0]
    assert [row["volume"] for page in pages for row in page] == list(range(1, 20))
