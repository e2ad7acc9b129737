"""Statistics on the page, in a real browser: over the real routes, which answer from rows that are given here."""

from __future__ import annotations

import csv
import json
import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from playwright.sync_api import expect

from nilometer.core import url as urls
from nilometer.core.event_status import KeepStatus, WayStatus
from nilometer.core.statistics import FillStatus, Inbox, Row, State
from nilometer.ingest._reference import ReferenceKernel
from nilometer.testing.browser import ARTIFACTS, inaccessible
from nilometer.testing.control import control
from nilometer.testing.statistics import ByCategory, Delay, FakeStatistics, Log, Silent, Users, distribution
from nilometer.web.access import Access
from nilometer.web.app import application
from nilometer.web.parts import Parts
from nilometer.web.server import WebServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    Look = Callable[..., Page]

MINUTE, HOUR, DAY = 60, 3600, 86_400
CATEGORIES = ("git", "bodhi", "buildsys", "copr", "pagure", "badges", "wiki", "koschei", "anitya", "ansible", "fas", "planet")


class Popularity(Silent):
    """A sum for all time."""

    name = "popularity"
    summary = "references to each user"
    description = "How often each user was spoken of, since ever."
    keys = ("user",)
    value = "references"


class Contributions(Silent):
    """A sum by two words."""

    name = "contributions"
    summary = "contributions to forges"
    description = "What was contributed to each forge, by user."
    windows = ("1d",)
    keys = ("forge", "user")


def rows(now: int) -> dict[str, list[Row]]:
    """Return rows until now of every kind."""
    minute, hour, day = (now // each * each for each in (MINUTE, HOUR, DAY))
    return {
        "volume-by-category-1m": [
            Row(minute - step * MINUTE, (word,), float((place * 7 + step * 3) % 11 + 1))
            for step in range(58)
            for place, word in enumerate(CATEGORIES)
        ],
        "volume-by-category-1d": [
            Row(day + DAY - step * DAY, (word,), float((step * (place + 3)) % 40 + 5 * (step % 7 < 5)))
            for step in range(300)
            for place, word in enumerate(CATEGORIES[:3])
        ],
        "contributions-1d": [
            Row(day - 20 * DAY, ("pagure.io", "ralph"), 5.0),
            *(Row(day - step * DAY, ("pagure.io", f"user{step % 4}"), float(step)) for step in range(1, 30)),
            Row(day - DAY, ("src", None), 4.0),
        ],
        "delivery-delay-1h": [
            distribution(hour - step * HOUR, (word,), [0.2 + step % 5, 1.5, 3 + place])
            for step in range(50)
            for place, word in enumerate(("git", "bodhi"))
        ],
        "popularity": [Row(now - place * 100.0, (f"user{place}",), float(place * place)) for place in range(1, 31)],
        "release-log": [
            Row(now - age, (category, constraint), text=json.dumps({"name": name, "status": status}))
            for age, category, constraint, name, status in (
                (120, "compose-rawhide_primary", "compose", "rawhide compose", "complete"),
                (4000, "compose-rawhide_primary", "pungify", "pungify", "start"),
                (90_000, "updates-epel", "EPEL-7", "EPEL 7 updates", "failed"),
                (500, "ami-rawhide", "us-east-1", "Fedora-Cloud <b>rawhide</b>", "complete"),
            )
        ],
        "users-1d-europe-prague": [Row(day - step * DAY - HOUR, (), float(20 + step % 9)) for step in range(60)],
    }


LAYOUT = {
    "groups": [
        {"id": "compose", "components": [{"id": "compose-rawhide_primary", "name": "Rawhide Compose (Primary)"}]},
        {"id": "updates", "components": [{"id": "updates-epel", "name": "Repo Updates (EPEL)"}, {"id": "updates-fedora"}]},
    ],
    "default_options": {
        "status_verb_map": {"complete": "completed", "start": "started"},
        "status_class_map": {"complete": "text-primary", "start": "text-warning", "failed": "text-danger"},
        "old_log_threshold": {"key": "hours", "value": 24},
    },
}


class Releases(Log):
    """A log that is laid out."""

    layout = LAYOUT


def filled(fake: FakeStatistics, now: int) -> FakeStatistics:
    """Return statistics of a bus that is listened to while an archive fills what was before."""
    way = WayStatus("amqp://localhost", received=1200, stored=1180, duplicates=20, last=now - 2.0)
    fill = FillStatus("datagrepper+https://example.org/", missing=9000, wanted=36_000, at=now - 9000.0, new=4321, known=7)
    store, inbox = KeepStatus("sqlite:///s.db"), Inbox(1180, 1, 1180, now - 5e5)
    status = replace(fake.now, ways=(way,), fill=(fill,), store=store, inbox=inbox)
    fake.now = replace(status, progress=tuple(replace(each, offset=1180) for each in status.progress))
    return fake


class Counted(NamedTuple):
    """A server, and what its statistics are now."""

    url: str
    fake: FakeStatistics


@pytest.fixture(scope="session")
def served() -> Iterator[Counted]:
    plugins = (ByCategory(), Contributions(), Delay(), Popularity(), Releases(), Users())
    now = int(time.time())
    fake = filled(FakeStatistics(plugins, rows(now)), now)
    parts = Parts(control(ReferenceKernel(), statistics=fake.status), statistics=lambda: fake)
    started = WebServer(lambda: application(parts, Access()))
    host = started.listen(urls.parse("http://127.0.0.1:0"))[0]
    started.start()
    yield Counted(f"http://{host}/", fake)
    started.stop()


@pytest.fixture
def fake(served: Counted) -> Iterator[FakeStatistics]:
    """Return what is served, as it was at the start."""
    before = served.fake.now
    yield served.fake
    served.fake.now = before


WIDE: dict[str, Any] = {"viewport": {"width": 1360, "height": 860}}
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 780}, "color_scheme": "dark"}
VIEWS = {
    "list": ("", "Filled from archives"),
    "bars": ("s=volume-by-category-1m", "Series"),
    "lines": ("s=delivery-delay-1h&column=p95", "Series"),
    "calendar": ("s=volume-by-category-1d&as=calendar&range=1y", "The most was on"),
    "top": ("s=popularity", "Top of popularity"),
    "rows": ("s=contributions-1d&as=rows", "Rows of contributions-1d"),
    "log": ("s=release-log", "updates"),
}


AMONG_THE_FAST = ("bars",)
"""The others take their colours and widths from the same names."""


@pytest.mark.parametrize(
    "view", [pytest.param(view, marks=[] if view in AMONG_THE_FAST else [pytest.mark.slow]) for view in VIEWS]
)
def test_every_drawing_fits_the_screen_and_is_accessible(look: Look, served: Counted, view: str) -> None:
    address, shows = VIEWS[view]
    page = look(f"#/statistics?{address}", base=served.url, **WIDE)
    ARTIFACTS.mkdir(exist_ok=True)
    for screen, options in (("light", WIDE), ("phone", PHONE)):
        page.set_viewport_size(options["viewport"])
        page.emulate_media(color_scheme=options.get("color_scheme", "light"))
        expect(page.get_by_label(shows).first).to_be_visible()
        page.screenshot(path=ARTIFACTS / f"statistics-{view}-{screen}.png", full_page=screen == "phone")
        assert page.evaluate("document.documentElement.scrollWidth") <= options["viewport"]["width"]
        assert inaccessible(page) == []


def test_plugins_are_listed_with_what_is_filled_and_found_by_words(look: Look, served: Counted, fake: FakeStatistics) -> None:
    fake.changed(
        "contributions-1d", state=State.STOPPED, error="KeyError: 'project'", culprit="2026-abc", since=1.0, offset=1000
    )
    page = look("#/statistics", base=served.url)
    row = page.get_by_role("table", name="Statistics").get_by_role("row")
    expect(row.filter(has_text="contributions")).to_contain_text("stopped")
    expect(row.filter(has_text="contributions")).to_contain_text("180 messages")
    expect(row.filter(has_text="popularity")).to_contain_text("running")
    expect(page.get_by_text("6 plugins, 7 statistics, 1 stopped")).to_be_visible()
    bar = page.get_by_role("progressbar", name="Filled from datagrepper+https://example.org/")
    expect(bar).to_have_js_property("value", 0.75)
    expect(page.get_by_role("table", name="Buses")).to_contain_text("amqp://localhost")
    page.get_by_role("searchbox").fill("users day")
    expect(page.get_by_text("No statistic has these words")).to_be_visible()
    page.get_by_role("searchbox").fill("category")
    expect(row).to_have_count(2)
    expect(page).to_have_url(re.compile("q=category"))
    page.get_by_role("link", name="1d", exact=True).click()
    expect(page.get_by_role("region", name="volume-by-category-1d")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("searchbox")).to_have_value("category")


def test_a_stopped_one_says_why_and_goes_on(look: Look, served: Counted, fake: FakeStatistics) -> None:
    fake.changed("contributions-1d", state=State.STOPPED, error="KeyError: '<i>project'", culprit="2026-abc", since=1.0)
    page = look("#/statistics?s=contributions-1d", base=served.url)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("at message 2026-abc: KeyError: '<i>project'")
    alert.get_by_role("button", name="Try again").click()
    expect(alert).to_have_count(0)
    assert fake.now.progress[0].state is State.RUNNING


def test_what_is_drawn_is_chosen_shared_and_taken_along(look: Look, served: Counted, tmp_path: Path) -> None:
    page = look("#/statistics?s=contributions-1d&range=90d", base=served.url)
    series = page.get_by_role("list", name="Series").get_by_role("listitem")
    expect(series.first).to_have_text("pagure.io, user1120")
    page.get_by_role("button", name="forge", exact=True).click()
    expect(series).to_have_text(["pagure.io440", "src4"])
    page.get_by_label("Windows", exact=True).select_option("1w")
    expect(page.get_by_text("windows of 1w", exact=False).last).to_be_visible()
    page.get_by_role("button", name="src", exact=False).click()
    expect(series).to_have_text(["src4"])
    other = look("#" + page.url.split("#")[1], base=served.url)
    expect(other.get_by_role("list", name="Series").get_by_role("listitem")).to_have_text(["src4"])
    expect(other.get_by_label("Windows", exact=True)).to_have_value("1w")
    for end in ("CSV", "SVG"):
        with other.expect_download() as waiting:
            other.get_by_role("button", name=end).click()
        waiting.value.save_as(tmp_path / waiting.value.suggested_filename)
    head, *lines = csv.reader((tmp_path / "contributions-1d.csv").read_text().splitlines())
    assert (head, sum(float(line[1]) for line in lines)) == (["timestamp", "src"], 4)
    assert (tmp_path / "contributions-1d.svg").read_text().startswith("<svg")
    page.get_by_role("button", name="Drop forge=src").click()
    expect(series).to_have_count(2)
    page.get_by_role("button", name="top", exact=True).click()
    expect(page.get_by_role("table", name="Top of contributions-1d").get_by_role("row")).to_have_count(3)


def test_what_changes_appears_by_itself_and_an_empty_range_leads_to_the_newest_rows(
    look: Look, served: Counted, fake: FakeStatistics
) -> None:
    page = look("#/statistics?s=popularity", base=served.url)
    first = page.get_by_role("table", name="Top of popularity").get_by_role("row").nth(1)
    expect(first).to_contain_text("user30")
    expect(page.get_by_text("live", exact=True).first).to_be_visible()
    before = fake.table["popularity"]
    fake.table["popularity"] = [*before, Row(time.time(), ("newcomer",), 5000.0)]
    fake.tell("popularity")
    expect(first).to_contain_text("newcomer")
    fake.table["popularity"] = before
    old = look("#/statistics?s=volume-by-category-1m&zoom=1000000000-1000003600", base=served.url)
    old.get_by_role("button", name="Show it").click()
    expect(old).not_to_have_url(re.compile("zoom=1000000000"))
    expect(old.get_by_role("list", name="Series")).to_contain_text("bodhi")


def test_days_are_drawn_of_the_statistic_of_days(look: Look, served: Counted) -> None:
    page = look("#/statistics?s=volume-by-category-1m", base=served.url)
    page.get_by_role("button", name="calendar", exact=True).click()
    expect(page).to_have_url(re.compile("s=volume-by-category-1d.*range=1y"))
    expect(page.locator(".year rect").nth(299)).to_be_attached()
    day = page.locator(".year rect.heat-5").first
    day.hover()
    expect(page.locator(".calendar [role=status]")).to_have_text(str(day.locator("title").text_content()))


def test_a_server_without_statistics_tells_how_to_have_some(look: Look) -> None:
    page = look("#/statistics")
    expect(page.get_by_text("No statistics run here")).to_be_visible()
    expect(page.get_by_text("nilometer statistics serve")).to_be_visible()
