"""Charts that a link holds, and the demonstration, whose link they are."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from nilometer.testing.browser import ARTIFACTS
from nilometer.testing.demonstration import Demonstration

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    Look = Callable[..., Page]

CART = "stats.counters.shop.cart.{ok,error}.rate"
LINK = f"#/charts?chart=Cart&s={CART}&chart=Orders,+ms&s=stats.timers.api.orders.upper&range=15m"
ADDRESS_BAR = "() => location.hash"


def test_charts_share_the_time_and_lead_to_their_series(look: Look) -> None:
    page = look(LINK)
    cart, orders = page.get_by_role("region", name="Cart"), page.get_by_role("region", name="Orders, ms")
    expect(cart.locator(".legend code")).to_have_text(["ok", "error"])
    expect(cart.locator("td.now").first).not_to_have_text("–")
    expect(orders.locator("td.now")).to_have_text("41")
    page.get_by_role("button", name="1h", exact=True).click()
    assert page.evaluate(ADDRESS_BAR).endswith("range=1h")
    assert "{ok,error}" in page.evaluate("() => decodeURIComponent(location.hash)")
    cart.get_by_role("link", name="series").click()
    expect(page.get_by_role("table", name="Series on the chart").locator("tbody tr")).to_have_count(2)
    page.get_by_role("navigation", name="Views").get_by_role("link", name="Charts").click()
    expect(orders).to_be_visible()


def test_a_link_without_charts_says_how_one_looks_and_has_no_tab_before(look: Look) -> None:
    page = look()
    tabs = page.get_by_role("navigation", name="Views").get_by_role("link")
    expect(tabs).to_have_count(8)
    page.goto(page.url.partition("#")[0] + "#/charts")
    expect(page.get_by_text("The address names them")).to_be_visible()
    expect(tabs).to_have_count(9)


@pytest.mark.slow
def test_what_the_demonstration_does_is_on_the_page_until_ctrl_c_ends_all(look: Look) -> None:
    demo = Demonstration()
    try:
        page = look(demo.url, base="")
        for chart in ("Requests per second", "Latency, ms", "Database, 95 % within, ms", "Background tasks, ms", "Tables"):
            told = page.get_by_role("region", name=chart, exact=True).locator("td.now")
            expect(told.first).to_be_visible()
            for value in told.all():
                expect(value).not_to_have_text("–")
        ARTIFACTS.mkdir(exist_ok=True)
        page.screenshot(path=ARTIFACTS / "demo.png", full_page=True)
        page.get_by_role("link", name="Overview").click()
        expect(page.get_by_role("table", name="Sinks and their spools")).to_contain_text("writes")
        page.goto("about:blank")  # the page's own words about a server that leaves are no matter here
        assert len(demo.running()) >= 3
        demo.signal_group(signal.SIGINT)
        assert demo.wait() == 0
        assert demo.left() == []
    finally:
        demo.kill()
