"""The series explorer in a real browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Locator, Page

    from nilometer.testing.site import Site

    Look = Callable[..., Page]

OK, ERROR = "stats.counters.shop.cart.ok.rate", "stats.counters.shop.cart.error.rate"
TWO = f"#/series?s={OK}&s={ERROR}&range=15m"
INKED = """canvas => {
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const seen = new Set();
  for (let i = 0; i < pixels.length; i += 4) if (pixels[i + 3] > 200) seen.add(pixels.slice(i, i + 3).join());
  return [...seen];
}"""


def options(page: Page) -> Locator:
    return page.get_by_role("option")


def legend(page: Page) -> Locator:
    return page.get_by_role("table", name="Series on the chart").locator("tbody tr")


def test_a_metric_that_is_sent_appears_without_reloading(look: Look, site: Site) -> None:
    name = f"fresh{uuid4().hex[:8]}"
    page = look(f"#/series?q={name}&range=15m")
    expect(page.get_by_text("No series fits")).to_be_visible()
    site.send(f"{name}:4|g")
    expect(options(page)).to_have_count(1)
    options(page).click()
    expect(legend(page).locator("td.now")).to_have_text("4")
    site.send(f"{name}:5|g")
    expect(legend(page).locator("td.now")).to_have_text("5")


def test_search_finds_words_and_globs_by_keyboard_alone(look: Look) -> None:
    page = look()
    expect(page.get_by_role("table", name="Sinks and their spools")).to_be_visible()
    page.keyboard.press("/")
    search = page.get_by_role("combobox", name="Search series")
    expect(search).to_be_focused()
    page.keyboard.type("shop ok rate")
    expect(options(page)).to_have_count(1)
    expect(options(page).locator("mark")).to_have_text(["shop", "ok", "rate"])
    page.keyboard.press("ArrowDown")
    expect(search).to_have_attribute("aria-activedescendant", "found-0")
    page.keyboard.press("Enter")
    expect(options(page)).to_have_attribute("aria-selected", "true")
    expect(legend(page)).to_have_count(1)
    page.keyboard.press("Escape")
    expect(search).to_have_value("")
    page.keyboard.type("stats.timers.*.mean")
    expect(options(page)).to_have_count(1)


def test_two_series_share_a_chart_and_tell_their_values_under_the_cursor(look: Look) -> None:
    page = look("#/series?q=shop.cart")
    page.get_by_role("option", name=OK).click()
    page.get_by_role("option", name=ERROR).click()
    expect(legend(page)).to_have_count(2)
    expect(legend(page).nth(0).locator("td.now")).not_to_have_text("–")
    canvas = page.locator(".drawn canvas")
    colours = canvas.evaluate(INKED)
    assert {"18,115,168", "43,138,87"} <= set(colours)
    area = page.locator(".drawn .u-over").bounding_box()
    assert area is not None
    page.mouse.move(area["x"] + area["width"] - 4, area["y"] + 40)
    expect(page.get_by_role("table", name="Series on the chart").locator("thead")).to_contain_text(
        re.compile(r"\d\d:\d\d:\d\d")
    )
    for row in legend(page).all():
        expect(row.locator("td.now")).not_to_have_text("–")


def test_dragging_zooms_and_a_double_click_shows_all_again(look: Look) -> None:
    page = look(TWO)
    expect(legend(page).nth(0).locator("td.now")).not_to_have_text("–")
    area = page.locator(".drawn .u-over").bounding_box()
    assert area is not None
    page.mouse.move(area["x"] + area["width"] * 0.5, area["y"] + 60)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] * 0.9, area["y"] + 60, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"zoom=\d+-\d+"))
    expect(page.get_by_text("reset zoom")).to_be_attached()
    found = re.search(r"zoom=(\d+)-(\d+)", page.url)
    assert found is not None
    assert int(found[2]) - int(found[1]) == pytest.approx(15 * 60 * 0.4, abs=30)
    page.locator(".drawn .u-over").dblclick(position={"x": 200, "y": 60})
    expect(page).not_to_have_url(re.compile("zoom="))
    page.go_back()
    expect(page).to_have_url(re.compile(f"zoom={found[1]}-{found[2]}"))


def test_who_opens_a_shared_link_sees_the_same(look: Look) -> None:
    page = look(TWO)
    page.get_by_role("button", name="Zoom in").click()
    expect(page.get_by_text("reset zoom")).to_be_attached()
    address = page.url.partition("#")[2]
    zoomed = page.locator(".zoomed").inner_text()
    other = look(f"#{address}")
    expect(legend(other).locator("th code")).to_have_text([OK, ERROR])
    expect(other.locator(".zoomed")).to_have_text(re.compile(re.escape(zoomed.split("×")[0].strip())))


def test_live_goes_on_by_itself_and_can_be_stopped(look: Look, site: Site) -> None:
    name = f"moving{uuid4().hex[:8]}"
    site.send(f"{name}:1|g")
    page = look(f"#/series?s=stats.gauges.{name}&range=15m")
    now = legend(page).locator("td.now")
    expect(now).to_have_text("1")
    site.send(f"{name}:2|g")
    expect(now).to_have_text("2")
    page.get_by_role("button", name="live").click()
    expect(page).to_have_url(re.compile("live=0"))
    expect(page.get_by_role("button", name="live")).to_have_attribute("aria-pressed", "false")


def test_a_long_list_is_loaded_as_it_is_scrolled_and_draws_few_rows(look: Look) -> None:
    page = look("#/series?q=many.host*")
    expect(page.get_by_text("No series fits")).to_be_visible()
    page.get_by_role("combobox").fill("many.host")
    expect(page.get_by_text("500 of 1\u202f200 series")).to_be_visible()
    rows = page.get_by_role("listbox", name="Series found")

    def whole() -> bool:
        rows.evaluate("box => box.scrollTo(0, box.scrollHeight)")
        assert options(page).count() < 100
        return page.get_by_text("1\u202f200 series", exact=True).is_visible()

    until(whole, "all pages of the list are there")
    rows.evaluate("box => box.scrollTo(0, box.scrollHeight)")
    expect(page.get_by_role("option", name="many.host1199")).to_be_visible()


@pytest.mark.parametrize(("format", "begins"), [("CSV", "path,time,value"), ("SVG", "<svg")])
def test_numbers_and_picture_can_be_taken_along(look: Look, tmp_path: Path, format: str, begins: str) -> None:  # noqa: A002
    page = look(TWO)
    with page.expect_download() as waiting:
        page.get_by_role("button", name=format).click()
    file = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(file)
    assert file.suffix == f".{format.lower()}"
    assert file.read_text().startswith(begins)
