"""Events on the page, in a real browser. Each test's events have types of their own."""

from __future__ import annotations

import csv
import json
import re
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from nilometer.testing.browser import ARTIFACTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Locator, Page

    from nilometer.testing.site import Site

    Look = Callable[..., Page]


@pytest.fixture
def family() -> str:
    """Return what the types of a test begin with."""
    return f"family{uuid4().hex[:8]}"


def rows(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Events, newest first").get_by_role("option")


def test_an_event_appears_without_reload_is_found_and_opened_by_keys_and_shared(look: Look, site: Site, family: str) -> None:
    page = look(f"#/events?type={family}.*&range=15m")
    expect(page.get_by_text("No event fits")).to_be_visible()
    site.events({"type": f"{family}.create.end", "tenant": "acme", "payload": {"table_name": "Thread"}})
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("table_name=Thread")
    failed = {"type": f"{family}.create.error", "priority": "error", "payload": {"message": "no <b>room</b> left"}}
    site.events({**failed, "context": {"request_id": "req-17"}})
    expect(rows(page)).to_have_count(2)
    expect(rows(page).first).to_contain_text("error")
    expect(page.get_by_role("region", name="Counts").get_by_role("status")).to_have_text("2 events")
    page.get_by_label("Priority").select_option("error")
    expect(rows(page)).to_have_count(1)
    page.keyboard.press("Tab")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    opened = page.get_by_role("region", name="Event", exact=True)
    expect(opened.locator("dl")).to_contain_text("req-17")
    assert json.loads(opened.locator("pre").inner_text())["payload"] == {"message": "no <b>room</b> left"}
    other = look(page.url.replace(site.url, ""))
    expect(other.get_by_role("region", name="Event", exact=True).locator("pre")).to_contain_text("req-17")
    expect(other.get_by_label("Priority")).to_have_value("error")
    ARTIFACTS.mkdir(exist_ok=True)
    other.screenshot(path=ARTIFACTS / "events-opened.png")
    page.keyboard.press("Escape")
    expect(opened).to_have_count(0)
    page.get_by_role("button", name="Clear").click()
    expect(page).not_to_have_url(re.compile(family))


def test_the_list_stands_still_while_it_is_looked_at(look: Look, site: Site, family: str) -> None:
    site.events({"type": f"{family}.first"})
    page = look(f"#/events?type={family}.*&range=15m")
    expect(rows(page)).to_have_count(1)
    page.keyboard.press("j")
    site.events({"type": f"{family}.second"})
    new = page.get_by_role("button", name="1 new")
    expect(new).to_be_visible()
    expect(rows(page)).to_have_count(1)
    new.click()
    expect(rows(page)).to_have_count(2)
    expect(rows(page).first).to_contain_text("second")


def test_counts_are_told_apart_filter_and_zoom_and_what_fits_can_be_taken_along(
    look: Look, site: Site, family: str, tmp_path: Path
) -> None:
    site.events(*({"type": f"{family}.end", "tenant": tenant} for tenant in ("acme", "acme", "globex")))
    page = look(f"#/events?type={family}.*&range=15m")
    page.get_by_role("button", name="tenant", exact=True).click()
    keys = page.get_by_role("list", name="Events by tenant")
    expect(keys.get_by_role("button")).to_have_text(["acme2", "globex1"])
    keys.get_by_role("button", name="acme").click()
    expect(rows(page)).to_have_count(2)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="CSV").click()
    file = tmp_path / "events.csv"
    waiting.value.save_as(file)
    assert [row["tenant"] for row in csv.DictReader(file.read_text().splitlines())] == ["acme", "acme"]
    area = page.locator(".counts .u-over").bounding_box()
    assert area is not None
    page.mouse.move(area["x"] + area["width"] * 0.2, area["y"] + 30)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] * 0.6, area["y"] + 30, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"zoom=\d+-\d+"))
    expect(page.get_by_text("No event fits")).to_be_visible()
    page.go_back()
    expect(rows(page)).to_have_count(2)


def test_usage_is_added_up_over_publishers_and_can_be_taken_along(look: Look, site: Site, family: str, tmp_path: Path) -> None:
    write = {"type": "magnetodb.data.putitem", "tenant": family}
    site.events(*({**write, "publisher": f"host{number}", "payload": {"rows_impacted": 20_000}} for number in range(2)))
    page = look("#/usage?period=24h&figure=writes")
    row = page.get_by_role("table", name="Usage").get_by_role("row").filter(has_text=family)
    expect(row).to_contain_text("40\u202f000")
    expect(page.get_by_role("list", name="writes by project").get_by_role("listitem").first).to_have_text(f"{family}40k")
    page.get_by_role("button", name="service", exact=True).click()
    expect(page.get_by_role("list", name="writes by service")).to_contain_text("magnetodb")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="CSV").click()
    file = tmp_path / "usage.csv"
    waiting.value.save_as(file)
    found = [each for each in csv.DictReader(file.read_text().splitlines()) if each["project"] == family]
    assert sum(float(each["writes"]) for each in found) == 40_000
