"""Feeds: the idents, rows and layouts of statistics as JSON, JSON-P and CSV.

Rules:

* JSON is ``application/json`` whatever was asked for, with a callback ``application/javascript`` that
  says it is UTF-8, as a page in other letters would take it for its own; CSV has the type that was.
* Any site's page may read rows, as statscache let it; a layout and the list of idents only over JSON-P.
* What did not change is not sent again (`nilometer.web.conditional`).

Source: statscache 0.0.4, ``app.py``; RFC 4180 (CSV).
"""

from __future__ import annotations

import csv
import io
import time
from typing import TYPE_CHECKING

from nilometer.ingest.admin.commands import to_json
from nilometer.statistics import formats
from nilometer.web import conditional
from nilometer.web.statscache import accept, paging, parameters
from nilometer.web.statscache.finding import LONGEST, Refused, in_plain_text, named, running

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from nilometer.statistics.asked import Asked

JSON, CSV = (
    ("application/json", "text/json", "application/javascript", "text/javascript"),
    ("application/csv", "text/csv"),
)
SCRIPT = "application/javascript; charset=utf-8"
VARY = {"vary": "accept, authorization"}
FOR_OTHERS = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "Link, X-Link-Number, X-Link-Count",
    "cross-origin-resource-policy": "cross-origin",
}
FOR_SCRIPTS = {"cross-origin-resource-policy": "cross-origin"}


class Feeds:
    """The routes. They read, so each runs in a thread."""

    def __init__(self, asked: Callable[[], Asked | None]) -> None:
        self._asked = asked
        self.index, self.rows, self.layout = map(in_plain_text, (self._index, self._rows, self._layout))

    def _index(self, request: Request) -> Response:
        wanted = _wanted(request, (*JSON, *CSV), "")
        callback = parameters.callback(request.query_params)
        idents = [each.statistic.ident for each in running(self._asked).listed()]
        if wanted in CSV:
            text = io.StringIO()
            csv.writer(text).writerows([ident] for ident in idents)
            return _sent(request, text.getvalue(), f"{wanted}; charset=utf-8", VARY)
        return _json(request, to_json(idents), callback, VARY)

    def _rows(self, request: Request) -> Response:
        ident = str(request.path_params["ident"])
        statistics = running(self._asked)
        statistic = named(statistics, ident, f"No such model for {ident[:LONGEST]!r}").statistic
        wanted = _wanted(request, (*JSON, *CSV), ident)
        asked = parameters.read(request.query_params, time.time())
        callback = parameters.callback(request.query_params)
        page = paging.turned(statistics, ident, asked)
        table = formats.table(statistic, page.rows)
        headers = VARY | FOR_OTHERS | paging.headers(request, page, asked.stop)
        if wanted in CSV:
            return _sent(request, formats.as_csv(table), f"{wanted}; charset=utf-8", headers)
        return _json(request, formats.as_json(table), callback, headers)

    def _layout(self, request: Request) -> Response:
        ident = str(request.path_params["ident"])
        _wanted(request, JSON, ident)
        callback = parameters.callback(request.query_params)
        nothing = f"No such resource for {ident[:LONGEST]}"
        layout = named(running(self._asked), ident, nothing).statistic.plugin.layout
        if layout is None:
            raise Refused(404, nothing)
        return _json(request, to_json(layout), callback, VARY)


def _wanted(request: Request, offered: tuple[str, ...], ident: str) -> str:
    """Return the media type that is wanted. Raise `Refused` when it is none of those offered."""
    found = accept.best(", ".join(request.headers.getlist("accept")), offered)
    if found is None:
        raise Refused(406, "Content-type(s) not available" + (f" for {ident[:LONGEST]}" if ident else ""))
    return found


def _json(request: Request, text: str, callback: str, headers: Mapping[str, str]) -> Response:
    if not callback:
        return _sent(request, text, "application/json", headers)
    safe = text.replace("\N{LINE SEPARATOR}", "\\u2028").replace("\N{PARAGRAPH SEPARATOR}", "\\u2029")
    return _sent(request, f"{callback}({safe})", SCRIPT, {**headers, **FOR_SCRIPTS})


def _sent(request: Request, text: str, media_type: str, headers: Mapping[str, str]) -> Response:
    return conditional.answer(request, text.encode("utf-8", "replace"), media_type, headers)
