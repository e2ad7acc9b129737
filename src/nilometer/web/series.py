"""Routes over what the store keeps: which series there are, and their values as JSON, CSV or a chart."""

from __future__ import annotations

import base64
import binascii
import time
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query, Response

from nilometer.core.chart import Look
from nilometer.core.chart.frame import LARGEST, SMALLEST
from nilometer.core.errors import NilometerError
from nilometer.query import times
from nilometer.query.listing import Page
from nilometer.query.table import MOST_SERIES, MOST_SLOTS, Question
from nilometer.web import models
from nilometer.web.errors import answering
from nilometer.web.openapi import ERROR
from nilometer.web.parameters import DIGITS, Glob
from nilometer.web.reply import HEADERS, reply

if TYPE_CHECKING:
    from nilometer.web.parts import Parts

MOST_LISTED = 10_000
LONGEST_PATH = 4096
LONGEST_STEP = 366 * 86_400
TABLE = "nilometer.query.table:"
TYPES = {"json": "application/json", "csv": "text/csv; charset=utf-8", "svg": "image/svg+xml", "png": "image/png"}
DRAWN = ("svg", "png")
TEXTS: dict[str, Any] = {kind: {"schema": {"type": "string"}} for kind in ("text/csv", "image/svg+xml", "image/png")}
Answers = dict[int | str, dict[str, Any]]

Cursor = Annotated[str, Query(max_length=2 * LONGEST_PATH, description="`next` of the page before")]
Tags = Annotated[
    list[str], Query(max_length=20, description="tag expressions: `dc=east`, `dc!=east`, `dc=~ea.*`", examples=[["dc=east"]])
]
Paths = Annotated[
    list[Annotated[str, Query(max_length=LONGEST_PATH)]],
    Query(alias="path", min_length=1, max_length=MOST_SERIES, description="whole paths, as /series tells them"),
]
Time = Annotated[str, Query(max_length=100, description="seconds since 1970, ISO 8601, or Graphite's forms: `-1h`, `now`")]
Size = Annotated[int, Query(ge=SMALLEST, le=LARGEST, description="of the chart, in pixels"), DIGITS]


def router(parts: Parts) -> APIRouter:
    """Return the routes over what the store keeps."""
    found, series = APIRouter(), _Series(parts)
    late: Answers = {504: {"description": "it takes too long", **ERROR}}
    found.get("/series", responses=late | {200: {"model": models.Listed}})(series.listed)
    found.get("/series/data", responses=late | {200: {"model": models.Table, "content": TEXTS}})(series.data)
    return found


class _Series:
    """The handlers. They wait for other processes, so each runs in a thread."""

    def __init__(self, parts: Parts) -> None:
        self._reading = parts.reading

    def listed(
        self,
        match: Glob = "*",
        tag: Tags = [],  # noqa: B006 FastAPI copies it
        limit: Annotated[int, Query(ge=1, le=MOST_LISTED), DIGITS] = 100,
        cursor: Cursor = "",
    ) -> Response:
        """Paths that the store keeps, in order, page by page."""
        found: Page = self._call("nilometer.query.listing:page", match, tag, limit, _path(cursor))
        series = [{"path": path} for path in found.paths]
        return reply({"series": series, "next": found.next and _cursor(found.next), "total": found.total})

    def data(  # noqa: PLR0913 the parameters of the request
        self,
        *,
        paths: Paths,
        start: Annotated[Time, Query(alias="from")] = "-1h",
        until: Time = "now",
        step: Annotated[int, Query(ge=0, le=LONGEST_STEP, description="seconds; 0: as it was written"), DIGITS] = 0,
        points: Annotated[int, Query(ge=0, le=MOST_SLOTS, description="most values a series; 0: all"), DIGITS] = 0,
        aggregate: Literal["mean", "sum", "max", "min", "last", "count"] = "mean",
        format: Literal["json", "csv", "svg", "png"] = "json",  # noqa: A002 the parameter's name
        width: Size = 800,
        height: Size = 300,
        title: Annotated[str, Query(max_length=200)] = "",
    ) -> Response:
        """Values of several series: from `from` to `until`, both included."""
        now = int(time.time())
        try:
            begin, end = times.moment(start, now), times.moment(until, now)
        except NilometerError as error:
            raise HTTPException(400, str(error)) from error
        question = Question(tuple(paths), begin, end, step, points, aggregate)
        more = (Look(width, height, title),) if format in DRAWN else ()
        body: bytes = self._call(f"{TABLE}as_{format}", question, *more)
        headers = HEADERS | ({"content-disposition": 'attachment; filename="series.csv"'} if format == "csv" else {})
        return Response(body, headers=headers, media_type=TYPES[format])

    def _call(self, function: str, *arguments: Any) -> Any:  # noqa: ANN401 whatever can be pickled
        with answering():
            return self._reading.call(function, *arguments)


def _cursor(path: str) -> str:
    return base64.urlsafe_b64encode(path.encode("utf-8", "replace")).decode().rstrip("=")


def _path(cursor: str) -> str:
    try:
        path = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        path = ""
    if cursor and _cursor(path) != cursor:
        raise HTTPException(400, "cursor is none that was given; begin without one")
    return path
