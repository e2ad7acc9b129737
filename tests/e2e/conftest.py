"""A server with something in it, and a browser that looks at its page; whatever a page says on its console fails the test."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from nilometer.testing.browser import chromium
from nilometer.testing.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

    Look = Callable[..., Page]

WIDE = {"width": 1360, "height": 860}
MANY, EVENTS = 1200, 400
LINES = ("shop.cart.ok:3|c", "shop.cart.error:1|c", "api.orders:23|ms", "api.orders:41|ms", "load:0.7|g", "bad:one|c")
PATIENCE = 30_000
"""Milliseconds within which a page shows what is expected."""


def happened(now: float) -> list[dict[str, Any]]:
    """Return the events of an hour until now."""
    kinds = (
        *(
            ("table.create.start", "info"),
            ("table.create.end", "audit"),
            ("data.putitem", "debug"),
            ("data.query.end", "debug"),
        ),
        *(("table.create.error", "error"), ("table.usage", "sample"), ("req.rate.limited", "warn")),
    )
    return [
        {
            "type": f"magnetodb.{kind}",
            "priority": priority,
            "time": now - 3500 * (1 - number / EVENTS) ** 2,
            "publisher": f"magnetodb.host{number % 2}",
            "tenant": ("acme", "8c2d8a6c6e0f4f8a9f1cf1d7f0a1b2c3")[number % 3 % 2],
            "payload": {"table_name": "Thread", "rows_impacted": number, "consistency_level": "QUORUM"}
            | ({"message": "no replica answers"} if priority == "error" else {}),
            "context": {"request_id": f"req-{number}"},
        }
        for number in range(EVENTS)
        for kind, priority in (kinds[number * number % len(kinds)],)
    ]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server that gets something all the time. Names of series are each test's own."""
    site = Site(tmp_path_factory.mktemp("state"))
    site.events(*happened(time.time()))
    enough = threading.Event()

    def send() -> None:
        for first in range(0, MANY, 100):
            site.send(*(f"many.host{number:04}.requests:{number}|g" for number in range(first, first + 100)))
        while not enough.wait(0.1):
            site.send(
                "shop.cart.ok:3|c", "shop.cart.error:1|c", "api.orders:23|ms", "api.orders:41|ms", "load:0.7|g", "bad:one|c"
            )

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield site
    finally:
        enough.set()
        sender.join()
        site.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        expect.set_options(timeout=PATIENCE)
        yield browser


@pytest.fixture
def look(browser: Browser, site: Site) -> Iterator[Look]:
    """Opens the page at an address, in a context of its own, with options of Playwright's ``new_context``."""
    contexts, said = [], list[str]()

    def begin(address: str = "", base: str = site.url, **options: Any) -> Page:  # noqa: ANN401 as Playwright takes them
        context = browser.new_context(**{"viewport": WIDE, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(base + address)
        return page

    yield begin
    for context in contexts:
        context.close()
    refused = "Failed to load resource"  # Chromium's own word for each answer of 400 and above
    assert [line for line in said if refused not in line] == []
