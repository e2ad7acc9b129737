"""statscache's pages: the dashboard, a statistic with its graph and rows, what plugins and messages say is escaped."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import pytest
from starlette.requests import Request
from starlette.routing import Match, Route

from nilometer.core.statistics import Row, State
from nilometer.testing.statistics import MONDAY, ByCategory, FakeStatistics, Silent, sums
from nilometer.testing.statistics_served import Served, served
from nilometer.web.access import needed
from nilometer.web.statscache import front
from nilometer.web.tokens import Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nilometer.statistics.plugin import Cell

PAGE = "/web/dashboard/volume-by-category-1m"
SPAN = f"?start={MONDAY}&stop={MONDAY + 1200}"


class Odd(Silent):
    """A plugin with a name that is markup, and rows that cannot be shown."""

    name = "<i>odd</i> 50%#".replace("/", "")
    summary = "<script>alert(1)</script>"
    description = "odd"

    def rows(self, rows: Iterable[Row]) -> Iterable[Mapping[str, Cell]]:
        del rows
        message = "<b>boom</b>"
        raise ValueError(message)


class Seen(HTMLParser):
    """What a page has: the tags, the links, and how many rows of tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.links = list[str](), dict[str, str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        if tag == "a":
            self.links[given.get("rel") or given["href"] or ""] = given["href"] or ""


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served() as found:
        yield found


@pytest.fixture
def fake(server: Served) -> FakeStatistics:
    rows = sums([(MONDAY + 60 * n, "<b>git</b>", n) for n in range(1, 13)])
    server.held[0] = made = FakeStatistics((ByCategory(), Odd()), {"volume-by-category-1m": rows})
    return made


def see(server: Served, path: str) -> tuple[str, Seen]:
    answer = server.ask(path, base="", accept="text/html")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8"), answer.text
    assert "form-action 'self'" in answer.headers["content-security-policy"]
    assert "script" not in Seen(answer.text).tags
    return answer.text, Seen(answer.text)


def test_the_dashboard_shows_the_newest_rows_of_each(server: Served, fake: FakeStatistics) -> None:
    text, seen = see(server, "/web/dashboard")
    assert [text.count(f"2026-01-05T00:{n:02}:00Z") for n in range(1, 13)] == [0] * 4 + [1] * 8
    assert "&lt;b&gt;git&lt;/b&gt;" in text
    assert "&lt;b&gt;boom&lt;/b&gt;" in text
    assert not {"b", "i"} & set(seen.tags)
    for ident in fake.statistics:
        assert f"/web/dashboard/{quote(ident)}" in seen.links
        assert server.ask(f"/web/dashboard/{quote(ident)}", base="").status == 200


@pytest.mark.usefixtures("fake")
def test_a_statistic_has_range_order_graph_and_rows(server: Served) -> None:
    text, seen = see(server, PAGE + SPAN + "&order=asc")
    assert {"form", "select", "svg", "table"} <= set(seen.tags)
    assert 'value="2026-01-05T00:20:00"' in text
    assert '<option value="asc" selected>' in text
    rows = next(server.ask(link, base="").json for link in seen.links if link.startswith("/api/volume"))
    assert [row["volume"] for row in rows] == list(range(1, 13))
    assert text.index("00:01:00Z</td>") < text.index("00:12:00Z</td>")
    assert "b" not in seen.tags


@pytest.mark.usefixtures("fake")
def test_pages_of_rows_lead_to_one_another(server: Served) -> None:
    _, first = see(server, PAGE + SPAN + "&rows_per_page=5")
    address = urlsplit(first.links["next"])
    text, second = see(server, f"{address.path}?{address.query}")
    assert "Page 2 of 3" in text
    assert {"prev", "next"} <= set(second.links)
    assert [text.count(f"00:{n:02}:00Z</td>") for n in range(1, 13)] == [0] * 2 + [1] * 5 + [0] * 5


def test_what_has_no_graph_says_why(server: Served) -> None:
    row = Row(MONDAY, ("compose", None), text="<b>done</b>")
    server.held[0] = FakeStatistics(table={"release-log": [row]})
    text, seen = see(server, "/web/dashboard/release-log")
    assert "No graph: release log keeps texts" in text
    assert "svg" not in seen.tags
    assert "&lt;b&gt;done&lt;/b&gt;" in text


def test_one_that_stopped_says_why(server: Served, fake: FakeStatistics) -> None:
    fake.changed("volume-by-category-1m", state=State.STOPPED, error="KeyError: '<x>'")
    for path in (PAGE, "/web/dashboard"):
        assert "Stopped: KeyError: &#39;&lt;x&gt;&#39;" in see(server, path)[0]


@pytest.mark.usefixtures("fake")
def test_what_is_wrong_is_told(server: Served) -> None:
    assert [server.ask(path, base="").status for path in ("/web/dashboard/nope", "/web/nope", f"{PAGE}?stop=x")] == [
        404,
        404,
        400,
    ]
    server.held[0] = None
    assert server.ask("/web/dashboard", base="").status == 503


def test_who_asks_for_the_start_is_led_there(server: Served) -> None:
    for path in ("/web", "/web/"):
        led = server.ask(path, base="")
        assert (led.status, led.headers["location"]) == (302, "/web/getting-started")
    assert "/web/dashboard" in see(server, "/web/getting-started")[1].links
    see(server, "/web/reference")


def test_a_server_of_statistics_alone_leads_to_the_start() -> None:
    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    [route] = [each for each in front().routes if isinstance(each, Route) and each.matches(scope)[0] is Match.FULL]
    led = route.endpoint(Request(scope))
    assert (led.status_code, led.headers["location"]) == (302, "/web/getting-started")


def test_only_pages_without_data_are_open_to_all() -> None:
    scopes = {path: needed("GET", path) for path in ("/web/", "/web/getting-started", "/web/dashboard", "/api/", "/api/x")}
    assert scopes == {
        "/web/": Scope.NONE,
        "/web/getting-started": Scope.NONE,
        "/web/dashboard": Scope.READ,
        "/api/": Scope.READ,
        "/api/x": Scope.READ,
    }
