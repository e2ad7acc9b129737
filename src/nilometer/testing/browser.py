"""A real Chromium for tests of the page, driven by Playwright."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from nilometer.testing.missing import Missing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

CHECKOUT = Path(__file__).parents[3]
PROGRAM = Path("/usr/bin/chromium")
AXE = CHECKOUT / "web/node_modules/axe-core/axe.min.js"
ARTIFACTS = CHECKOUT / "artifacts"
"""Where tests put their screenshots; git ignores it."""
STATIC = CHECKOUT / "src/nilometer/web/static"
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def inaccessible(page: Page) -> list[tuple[str, list[str]]]:
    """Return what axe finds that keeps people out, by WCAG 2.2 AA: the rule, and the elements."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    return [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found["violations"]]


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Run a browser. Raise `Missing` without one, or without a page to look at."""
    if not PROGRAM.exists():
        message = f"{PROGRAM} is not there; type: apt-get install chromium"
        raise Missing(message, "chromium")
    if not (STATIC / "index.html").exists() or not AXE.exists():
        message = "the page is not built; type: make page"
        raise Missing(message, "page")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 a tool of the tests alone

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(PROGRAM), args=QUIET)
        try:
            yield browser
        finally:
            browser.close()
