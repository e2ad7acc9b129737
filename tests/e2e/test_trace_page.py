"""A trace as one file of HTML, in a real browser: quick with 50,000 spans, without a network, and safe whatever names hold."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from nilometer.core.traces.span import Span
from nilometer.testing.browser import ARTIFACTS, inaccessible
from nilometer.testing.trace_examples import MS, START, TRACE, number, request
from nilometer.traces.formats.html import html

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

HOSTILE = "</script><script>document.title = 'broken in'</script><img src=x onerror=\"document.title='broken in'\">"
NAMES = ("GET /v1/tables", "SELECT", "list", HOSTILE)


@pytest.fixture
def shown(browser: Browser, tmp_path: Path) -> Iterator[Callable[[list[Span]], Page]]:
    context = browser.new_context(viewport={"width": 1200, "height": 700}, offline=True)
    faults: list[str] = []

    def show(spans: list[Span]) -> Page:
        file = tmp_path / "trace.html"
        file.write_text(html(spans), "utf-8")
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text))
        page.goto(file.as_uri())
        return page

    yield show
    context.close()
    assert faults == []


def large(count: int) -> list[Span]:
    """Return a trace of many spans, each within its parent."""
    chance = random.Random(5)  # noqa: S311 an example, nothing secret
    spans = [Span(TRACE, number(0), "", "root", START, START + 4000 * MS, "server", service="tables")]
    for nr in range(1, count):
        above = spans[(nr - 1) // 3]
        start = above.start + int(above.duration * chance.random() * 0.6)
        end = start + int((above.end - start) * chance.random())
        status, error = ("error", "E") if nr % 100 == 7 else ("ok", "")
        name, service = chance.choice(NAMES), chance.choice(("tables", "storage"))
        told = {"url.path": f"/v1/{nr}", "hostile": HOSTILE}
        spans.append(
            Span(TRACE, number(nr), above.id, name, start, end, "client", status, error, service=service, attributes=told)  # type: ignore[arg-type]  # one of two
        )
    return spans


def test_fifty_thousand_spans_are_looked_through(shown: Callable[[list[Span]], Page]) -> None:
    page = shown(large(50_000))
    assert page.inner_text("#count") == "50000 of 50000 spans"
    assert page.locator(".row").count() < 100
    page.fill("#search", "/v1/49999")
    assert page.inner_text("#count") == "1 of 50000 spans"
    page.fill("#search", "")
    page.check("#errors")
    assert page.inner_text("#count") == "500 of 50000 spans"
    page.uncheck("#errors")
    page.locator("#rows").evaluate("rows => { rows.scrollTop = 40000 * 24; }")
    page.wait_for_selector(".row[data-index='40005']")
    page.screenshot(path=ARTIFACTS / "trace-large.png")


def test_what_names_hold_is_text(shown: Callable[[list[Span]], Page]) -> None:
    page = shown([large(3)[0]._replace(name=HOSTILE, service=HOSTILE, attributes={HOSTILE: HOSTILE})])
    page.click(".row")
    assert page.inner_text("#details h2") == HOSTILE
    assert "broken in" not in page.evaluate("document.title").replace(HOSTILE, "")
    assert page.locator("img").count() == 0


def test_it_is_worked_with_the_keyboard_and_kept_open_for_all(shown: Callable[[list[Span]], Page]) -> None:
    page = shown(request(error=True))
    assert page.inner_text("#name") == "tables: GET /v1/tables"
    assert "1 with an error" in page.inner_text("#facts")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.inner_text("#details h2") == "SELECT"
    assert "sqlalchemy.exc.OperationalError" in page.inner_text("#details")
    page.keyboard.press("Escape")
    assert page.locator("#details").is_hidden()
    page.keyboard.press("/")
    page.keyboard.type("select")
    assert page.inner_text("#count") == "1 of 3 spans"
    page.keyboard.press("Escape")
    assert page.inner_text("#count") == "3 of 3 spans"
    page.check("#path")
    assert page.inner_text("#count") == "3 of 3 spans"
    assert inaccessible(page) == []
    page.screenshot(path=ARTIFACTS / "trace-small.png")


def test_a_part_of_the_time_is_looked_at_closely(shown: Callable[[list[Span]], Page]) -> None:
    page = shown(request())
    box = page.locator("#map").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 5)
    page.mouse.up()
    assert page.inner_text("#count") == "2 of 3 spans"
    page.click("#whole")
    assert page.inner_text("#count") == "3 of 3 spans"
