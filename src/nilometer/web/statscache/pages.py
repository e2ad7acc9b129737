"""Pages for people: how to begin, what there is, and each statistic with a graph and its rows.

Rules:

* They need no script, and run none: forms and links do it all.
* Whatever comes from plugins and messages is escaped, by the templates; a graph is drawn by `nilometer.statistics.drawing`.
* A plugin that cannot show its rows spoils its own part of a page.
"""

from __future__ import annotations

import json
import math
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from nilometer.core.chart import Look
from nilometer.core.errors import InputError
from nilometer.core.statistics import RowQuery
from nilometer.statistics import drawing, formats, grouping
from nilometer.statistics.chart import Question, drawn_up
from nilometer.web.headers import POLICY
from nilometer.web.statscache import paging, parameters
from nilometer.web.statscache.finding import LONGEST, in_plain_text, named, running

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from nilometer.core.statistics import Row
    from nilometer.statistics.asked import Asked, Listed
    from nilometer.statistics.plugin import Statistic

NEWEST = 8
"""Rows of each statistic on the dashboard."""
SERIES, WIDTH, HEIGHT = 10, 900, 300
AT_A_TIME, PATIENCE = 2, 10.0
"""Graphs that are drawn at a time, as each may take many rows, and seconds for which one waits for its turn."""
HEADERS = {
    POLICY: "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
}


class Part(NamedTuple):
    """A statistic on the dashboard: its newest rows, or why there are none."""

    listed: Listed
    table: formats.Table | None
    fault: str


class Pages:
    """The routes. They read, so each runs in a thread."""

    def __init__(self, asked: Callable[[], Asked | None]) -> None:
        self._asked = asked
        self._places = threading.BoundedSemaphore(AT_A_TIME)
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["cell"] = _cell
        self.getting_started = partial(self._page, "getting_started.html")
        self.reference = partial(self._page, "reference.html")
        self.dashboard, self.statistic = in_plain_text(self._dashboard), in_plain_text(self._statistic)

    def _page(self, name: str, request: Request, **told: Any) -> Response:  # noqa: ANN401 whatever a template shows
        told |= {"path": request.url.path}
        return HTMLResponse(self._templates.get_template(name).render(told).encode("utf-8", "replace"), headers=HEADERS)

    def _dashboard(self, request: Request) -> Response:
        statistics, query = running(self._asked), RowQuery(stop=time.time())
        parts = [_part(each, statistics.rows(each.statistic.ident, query, NEWEST).rows) for each in statistics.listed()]
        return self._page("dashboard.html", request, parts=parts)

    def _statistic(self, request: Request) -> Response:
        ident, given, now = str(request.path_params["ident"]), request.query_params, time.time()
        statistics = running(self._asked)
        listed = named(statistics, ident, f"No such resource for {ident[:LONGEST]}")
        asked = parameters.read(given, now)
        page = paging.turned(statistics, ident, asked)
        graph, fault = self._graph(statistics, listed.statistic, asked, now)
        told = {
            "part": _part(listed, page.rows),
            "page": page,
            "links": paging.links(request, page, asked.stop),
            "feed": paging.feed(request, ident),
            "order": asked.order,
            "start": _field(given, "start", asked.start),
            "stop": _field(given, "stop", asked.stop),
            "graph": Markup(graph),  # noqa: S704 the drawing escapes its texts
            "no_graph": fault,
        }
        return self._page("statistic.html", request, **told)

    def _graph(self, statistics: Asked, statistic: Statistic, asked: parameters.Asked, now: float) -> tuple[str, str]:
        """Return the graph over the time that is asked for, as SVG, or why there is none."""
        since = asked.start if math.isfinite(asked.start) else asked.stop - grouping.usual(statistic.window)
        keys = tuple(range(len(statistic.plugin.keys)))
        if not self._places.acquire(timeout=PATIENCE):
            return "", "too many graphs are being drawn; try again later"
        try:
            chart = drawn_up(
                statistic, partial(statistics.rows, statistic.ident), Question(since, asked.stop, now, by=keys, most=SERIES)
            )
            return drawing.as_svg(chart, "lines", Look(WIDTH, HEIGHT, "")), ""
        except InputError as error:
            return "", str(error)
        finally:
            self._places.release()


def _part(listed: Listed, rows: Sequence[Row]) -> Part:
    try:
        return Part(listed, formats.table(listed.statistic, rows), "")
    except formats.Unshown as error:
        return Part(listed, None, str(error))


def _field(given: Mapping[str, str], name: str, seconds: float) -> str:
    """Return a time as a form's field holds it, empty where nobody asked for one."""
    return formats.moment(seconds).removesuffix("Z") if given.get(name, "").strip() else ""


def _cell(row: Mapping[str, object], name: str) -> str:
    """Return what a cell of a table shows."""
    cell = row.get(name)
    if name == formats.TIME and isinstance(cell, int | float):
        return formats.moment(cell)
    return "" if cell is None else cell if isinstance(cell, str) else json.dumps(cell)
