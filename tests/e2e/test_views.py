"""The page's views in a real browser: what they show, in which colours, on which screens, for whom."""

from __future__ import annotations

import json
import shlex
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from nilometer.testing.browser import ARTIFACTS, inaccessible
from nilometer.testing.serving import PROGRAM
from nilometer.testing.site import Site
from nilometer.testing.waiting import until
from nilometer.web.tokens import TokenFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page

    Look = Callable[..., Page]

SERIES = "#/series?s=stats.counters.shop.cart.ok.rate&s=stats.timers.api.orders.mean_90&q=shop&range=15m"
CHARTS = (
    "#/charts?chart=Cart&s=stats.counters.shop.cart.{ok,error}.rate&chart=Orders&s=stats.timers.api.orders.mean_90&range=5m"
)
EVENTS = "#/events?type=magnetodb.*&range=1h"
VIEWS = {
    "overview": "",
    "series": SERIES,
    "events": EVENTS,
    "usage": "#/usage?figure=writes",
    "top": "#/top",
    "status": "#/status",
    "settings": "#/settings",
    "charts": CHARTS,
}
SHOWS = {
    "overview": "Sinks",
    "series": "Series on the chart",
    "events": "Events by type",
    "usage": "writes by project",
    "top": "Busiest names",
    "status": "Limits",
    "settings": "Settings",
    "charts": "Series of Cart",
}
WIDE = {"width": 1360, "height": 860}
SCREENS: dict[str, dict[str, Any]] = {
    "light": {"viewport": WIDE, "color_scheme": "light"},
    "dark": {"viewport": WIDE, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 360, "height": 780}, "color_scheme": "light"},
}
FIRST = {"light": tuple(VIEWS), "dark": ("overview",), "phone": ("overview", "series")}
"""Views that are looked at among the fast tests; in the dark and on a phone the others are made of the same parts."""
LOOKS = [
    pytest.param(view, screen, marks=() if view in FIRST[screen] else pytest.mark.slow) for view in VIEWS for screen in SCREENS
]
GROUND = "getComputedStyle(document.documentElement).backgroundColor"


def shown(page: Page, view: str) -> Page:
    """Wait until a view shows what it asked the server for."""
    expect(page.get_by_label(SHOWS[view]).first).to_be_visible()
    expect(page.locator(".busy")).to_have_count(0)
    for figure in page.locator(".tile .value, .legend .now").all():
        expect(figure).not_to_have_text("–")
    return page


@pytest.mark.parametrize(("view", "screen"), LOOKS)
def test_every_view_fits_the_screen_and_is_accessible(look: Look, view: str, screen: str) -> None:
    page = shown(look(VIEWS[view], **SCREENS[screen]), view)
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"{view}-{screen}.png", full_page=screen == "phone")
    assert page.evaluate("document.documentElement.scrollWidth") <= SCREENS[screen]["viewport"]["width"]
    assert page.evaluate("(nav => nav.scrollWidth - nav.clientWidth)(document.querySelector('nav'))") <= 0
    assert inaccessible(page) == []


def test_the_overview_follows_what_arrives_and_says_what_is_wrong(look: Look) -> None:
    page = shown(look(), "overview")
    lines = page.get_by_label("Lines", exact=True).locator(".value")
    expect(lines).to_contain_text("/s")
    expect(lines).not_to_have_text("0/s")
    expect(page.get_by_role("alert", name="What is wrong now")).to_contain_text("do not follow the grammar")
    expect(page.get_by_role("table", name="Sinks and their spools")).to_contain_text("writes")
    expect(page.get_by_role("table", name="Losses by reason")).to_contain_text("kernel: bad line")
    expect(page.get_by_text("live", exact=True)).to_be_visible()


@pytest.mark.slow
def test_a_server_that_reports_as_statsd_does_shows_its_rates_all_the_same(look: Look, tmp_path: Path) -> None:
    config = tmp_path / "config.js"
    config.write_text('{"flushInterval": 500, "backends": ["./backends/repeater"]}')
    site = Site(tmp_path, f"--statsd-config={config}", "--log-to=stderr")
    try:
        page = look("", base=site.url)
        lines, losses = (page.get_by_label(name, exact=True).locator(".value") for name in ("Lines", "Losses"))
        expect(page.get_by_text("reports about itself as statsd does")).to_be_visible()

        def counted() -> bool:
            site.send("shop.cart.ok:3|c", "bad:one|c")
            return "/s" in lines.inner_text() and lines.inner_text() != "0/s" and losses.inner_text() != "0/s"

        until(counted, "the page shows rates")
        page.screenshot(path=ARTIFACTS / "overview-statsd.png")
        page.keyboard.press("3")
        expect(page.get_by_text("This server keeps no events")).to_be_visible()
    finally:
        site.close()


@pytest.mark.slow
def test_a_server_where_nothing_is_wrong_says_so_and_teaches_the_first_metric_and_event(look: Look, tmp_path: Path) -> None:
    calm = Site(tmp_path)
    try:
        page = look("", base=calm.url)
        expect(page.get_by_text("All is well")).to_be_visible()
        page.keyboard.press("6")
        expect(
            page.get_by_label("Busiest names").get_by_text(f'echo "hello:1|c" | nc -u -w0 127.0.0.1 {calm.port}')
        ).to_be_visible()
        expect(page.get_by_text("echo 'hello:one|c' | nilometer parse")).to_be_visible()
        page.keyboard.press("3")
        *_, body, address = shlex.split(page.get_by_text("curl -H").inner_text())
        assert address == f"{calm.url}api/v1/events"
        _, *command = shlex.split(page.get_by_text("nilometer events send").inner_text())
        calm.events(json.loads(body))
        subprocess.run([*PROGRAM, *command], check=True, capture_output=True)
        rows = page.get_by_role("listbox").get_by_role("option")
        expect(rows).to_have_count(2)
        for row in rows.all():
            expect(row).to_contain_text("the disk is full")
    finally:
        calm.close()


def test_top_talkers_name_series_sources_and_bad_lines(look: Look) -> None:
    page = shown(look("#/top"), "top")
    expect(page.get_by_role("table", name="Busiest names")).to_contain_text("api.orders")
    expect(page.get_by_role("table", name="Busiest sources")).to_contain_text("127.0.0.1")
    expect(page.get_by_role("table", name="Refused values")).to_contain_text("bad:one|c")
    page.get_by_role("link", name="shop.cart.ok").click()
    expect(page.get_by_role("combobox")).to_have_value("shop.cart.ok")
    expect(page.get_by_role("option")).to_have_count(2)


def test_settings_are_filtered_and_tell_their_origin(look: Look) -> None:
    page = shown(look("#/settings"), "settings")
    rows = page.get_by_role("table", name="Settings").locator("tbody tr")
    page.get_by_role("searchbox").fill("500MS")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("flush.interval")
    expect(rows).to_contain_text("--flush-interval")
    page.get_by_role("searchbox").fill("")
    page.get_by_label("only what was changed").check()
    expect(rows.filter(has_text="default")).to_have_count(0)


def test_colours_follow_the_system_until_the_reader_chooses(look: Look) -> None:
    page = look(color_scheme="dark")
    page.get_by_role("button", name="Light colours").click()
    light = page.evaluate(GROUND)
    page.reload()
    expect(page.get_by_role("button", name="Dark colours")).to_be_visible()
    assert page.evaluate(GROUND) == light
    page.keyboard.press("t")
    expect(page.get_by_role("button", name="Light colours")).to_be_visible()
    assert page.evaluate(GROUND) != light
    page.emulate_media(color_scheme="light")
    expect(page.get_by_role("button", name="Dark colours")).to_be_visible()


def test_help_opens_and_closes_by_keyboard(look: Look) -> None:
    page = shown(look(), "overview")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.slow
def test_a_server_that_goes_away_is_told_and_comes_back(look: Look) -> None:
    page = shown(look(), "overview")
    page.route("**/api/v1/status", lambda route: route.abort())
    expect(page.get_by_text("no answer")).to_be_visible()
    page.unroute("**/api/v1/status")
    expect(page.get_by_text("no answer")).to_have_count(0)


def test_a_token_is_asked_for_once_and_never_stands_in_the_address(look: Look, tmp_path: Path) -> None:
    tokens = TokenFile(tmp_path / "tokens.json")
    admin = tokens.create("page", "admin")
    guarded = Site(tmp_path)
    try:
        page = look("#/settings", base=guarded.url)
        prompt = page.get_by_role("dialog", name="This server asks for a token")
        prompt.get_by_label("Token").fill("wrong")
        page.keyboard.press("Enter")
        expect(prompt.get_by_role("alert")).to_be_visible()
        prompt.get_by_label("Token").fill(admin)
        page.keyboard.press("Enter")
        expect(page.get_by_role("table", name="Settings")).to_be_visible()
        expect(prompt).to_have_count(0)
        page.reload()
        expect(page.get_by_role("table", name="Settings")).to_be_visible()
        assert admin not in page.url
    finally:
        guarded.close()
