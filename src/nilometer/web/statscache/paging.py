"""Pages of rows by number, as statscache counts them, and the links between them.

Rules:

* The page behind the last is empty; one further is refused.
* Links keep all that was asked, and say `stop` where nobody did: so all pages are of the same time.

Source: RFC 8288 (Link).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urlencode

from nilometer.core.errors import InputError

if TYPE_CHECKING:
    from starlette.requests import Request

    from nilometer.core.statistics import Row
    from nilometer.statistics.asked import Asked as Statistics
    from nilometer.web.statscache.parameters import Asked

SAFE = "/:[]@"


class Page(NamedTuple):
    """Rows of a page, its number, and how many pages there are."""

    rows: list[Row]
    number: int
    pages: int


def turned(statistics: Statistics, ident: str, asked: Asked) -> Page:
    """Return the page that is asked for. Raise `InputError` for one behind the empty one."""
    there = statistics.count(ident, asked.query)
    total = there if asked.limit is None else min(there, asked.limit)
    pages = -(-total // asked.rows_per_page)
    if asked.page > pages + 1:
        message = f"page: there is no page {asked.page}; the last is {pages}"
        raise InputError(message)
    before = (asked.page - 1) * asked.rows_per_page
    most = min(asked.rows_per_page, total - before)
    rows = statistics.rows(ident, asked.query, most, offset=before).rows if most > 0 else []
    return Page(rows, asked.page, pages)


def links(request: Request, page: Page, stop: float) -> dict[str, str]:
    """Return the addresses of the pages before and after, ``previous`` and ``next``, where there are such."""
    found = {}
    if 1 < page.number <= page.pages + 1:
        found["previous"] = _address(request, page.number - 1, stop)
    if page.number < page.pages:
        found["next"] = _address(request, page.number + 1, stop)
    return found


def headers(request: Request, page: Page, stop: float) -> dict[str, str]:
    """Return statscache's headers of a page."""
    told = (f'<{address}>; rel="{relation}"' for relation, address in links(request, page, stop).items())
    return {"link": ", ".join(told), "x-link-count": str(page.pages), "x-link-number": str(page.number)}


def feed(request: Request, ident: str) -> str:
    """Return the address of the rows that a page shows, with all that was asked."""
    asked = urlencode(_kept(request))
    return f"/api/{quote(ident, safe='')}" + (f"?{asked}" if asked else "")


def _kept(request: Request) -> dict[str, str]:
    return {name: value for name, value in request.query_params.items() if value.strip()}


def _address(request: Request, number: int, stop: float) -> str:
    base = quote(str(request.url.replace(query="", fragment="")), safe=SAFE)
    return f"{base}?{urlencode({'stop': repr(stop)} | _kept(request) | {'page': number})}"
