"""Routes over traces: those that the store keeps, one of them, who calls whom."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Response

from nilometer.core.traces.ids import LONGEST as LONGEST_ID
from nilometer.core.traces.query import FOREVER, TraceQuery
from nilometer.core.traces.span import NANO
from nilometer.web import trace_models as models
from nilometer.web.errors import answering
from nilometer.web.events import LATE, LONGEST_CURSOR, NONE, TYPES, Since, Until, span
from nilometer.web.headers import POLICY
from nilometer.web.openapi import ok
from nilometer.web.parameters import DIGITS, LONGEST_GLOB
from nilometer.web.reply import HEADERS, reply

if TYPE_CHECKING:
    from nilometer.traces.exemplars import Exemplar
    from nilometer.web.parts import Parts

MOST = 1000
"""Traces of a page."""
LONGEST_MS = 1e12
READING = "nilometer.traces.reading:"
MS, MICRO = 1_000_000, 1000
DOT, HTML = "text/vnd.graphviz; charset=utf-8", "text/html; charset=utf-8"
FORMATS = {
    "json": TYPES["json"],
    "spans": TYPES["json"],
    "osprofiler": TYPES["json"],
    "dot": DOT,
    "html": HTML,
    "chrome": TYPES["json"],
}
"""How a trace is told, and the type of what comes then."""
ALONE = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; sandbox allow-scripts"
"""What the page of a trace may do: run what it brings, as a site of its own that reaches nothing."""

TEXTS: dict[str, Any] = {"content": {DOT: {"schema": {"type": "string"}}, HTML: {"schema": {"type": "string"}}}}

Word = Annotated[str, Query(max_length=1000, description="the whole word; empty for all")]
Name = Annotated[str, Query(max_length=LONGEST_GLOB, description="a glob over the names of its spans", examples=["GET *"])]
Shortest = Annotated[float, Query(ge=0, le=LONGEST_MS, description="how long it took at least, in ms")]
Longest = Annotated[float, Query(ge=0, le=LONGEST_MS, description="how long it took at most, in ms; 0 for no bound")]
Series = Annotated[
    str,
    Query(max_length=LONGEST_GLOB, description="a series, or a path that it became, such as `stats.timers.NAME.upper`"),
]
Trace = Annotated[str, Path(description="the trace's id: 32 hexadecimal digits, or as OSProfiler writes it")]


def _wanted(  # noqa: PLR0913 the parameters of the request
    *,
    service: Word = "",
    name: Name = "*",
    project: Word = "",
    error: Annotated[Literal["", "true", "false"], Query(description="with an error, or without; empty for all")] = "",
    shortest: Shortest = 0,
    longest: Longest = 0,
    since: Since = "",
    until: Until = "",
) -> TraceQuery:
    begin, end = span(since, until)
    return TraceQuery(
        service,
        name or "*",
        project,
        None if not error else error == "true",
        int(shortest * MS),
        int(longest * MS) if longest else FOREVER,
        _nanoseconds(begin),
        _nanoseconds(end),
    )


def _nanoseconds(seconds: float) -> int:
    return int(seconds * NANO) if math.isfinite(seconds) else int(math.copysign(FOREVER, seconds))


Wanted = Annotated[TraceQuery, Depends(_wanted)]
"""Which traces: parameters that several routes take."""


def router(parts: Parts) -> APIRouter:
    """Return the routes over traces."""
    found, traces = APIRouter(), _Traces(parts)
    found.get("/traces", name="find traces", responses=LATE | ok(models.TracePage))(traces.listed)
    found.get("/traces/services", name="services", responses=LATE | ok(models.Services))(traces.services)
    found.get("/traces/exemplars", name="exemplars", responses=ok(models.Exemplars))(traces.exemplars)
    found.get("/traces/{id}/diff/{other}", name="compare traces", responses=LATE | NONE | ok(models.TraceDiff))(traces.diff)
    found.get("/traces/{id:path}", name="one trace", responses=LATE | NONE | {200: {"model": models.Told, **TEXTS}})(traces.one)
    found.delete("/traces/{id:path}", name="delete a trace", responses=LATE | NONE | ok(models.DeletedTrace))(traces.delete)
    return found


class _Traces:
    """The handlers. They wait for the processes that read, so they run in threads."""

    def __init__(self, parts: Parts) -> None:
        self._reading, self._exemplars = parts.trace_reading, parts.exemplars

    def listed(
        self,
        *,
        wanted: Wanted,
        limit: Annotated[int, Query(ge=1, le=MOST), DIGITS] = 100,
        cursor: Annotated[str, Query(max_length=LONGEST_CURSOR, description="`cursor` of the page before")] = "",
    ) -> Response:
        """Traces that fit, newest first, page by page; `cursor` is null on the last."""
        return _json(self._call("page", wanted, limit, cursor))

    def services(self, *, wanted: Wanted) -> Response:
        """Services, what each does, and who calls whom, over the newest traces that fit: 1000 at most."""
        return _json(self._call("services", wanted))

    def exemplars(self, *, series: Series = "", limit: Annotated[int, Query(ge=1, le=MOST), DIGITS] = 100) -> Response:
        """Slow requests of the last hour, by the series that spans have become: so that a metric leads to a trace."""
        found = self._exemplars.of(series) if series else self._exemplars.all(limit)
        return reply({"series": [{"series": name, "exemplars": list(map(_exemplar, each))} for name, each in found.items()]})

    def one(
        self,
        id: Trace,  # noqa: A002 the parameter's name
        format: Annotated[  # noqa: A002 the parameter's name
            Literal["json", "spans", "osprofiler", "dot", "html", "chrome"],
            Query(description="`spans`: a list as `POST /traces` takes it, times in ns; `osprofiler`: its report, in ms"),
        ] = "json",
    ) -> Response:
        """Tell one trace whole: its spans, parents before children."""
        body = self._call("one", id, format)
        if body is None:
            raise HTTPException(404, _none(id))
        headers = HEADERS | ({POLICY: ALONE} if format == "html" else {})
        return Response(body, headers=headers, media_type=FORMATS[format])

    def diff(
        self,
        id: Trace,  # noqa: A002 the parameter's name
        other: Trace,
    ) -> Response:
        """Two traces beside each other: spans that both have, those of one alone, and how much longer each took."""
        body = self._call("diff", id, other)
        if body is None:
            raise HTTPException(404, f"{_none(id)}, or none {other[:LONGEST_ID]!r}")
        return _json(body)

    def delete(
        self,
        id: Trace,  # noqa: A002 the parameter's name
    ) -> Response:
        """Delete one trace."""
        if not self._call("delete", id):
            raise HTTPException(404, _none(id))
        return reply({"deleted": id})

    def _call(self, function: str, *arguments: Any) -> Any:  # noqa: ANN401 whatever can be pickled
        with answering():
            return self._reading.call(READING + function, *arguments)


def _exemplar(found: Exemplar) -> dict[str, Any]:
    return {
        "trace": found.trace,
        "span": found.span,
        "start": found.start // MICRO,
        "duration": found.duration / MICRO,
    }


def _json(body: bytes) -> Response:
    return Response(body, headers=HEADERS, media_type=TYPES["json"])


def _none(id: str) -> str:  # noqa: A002 the field's own word
    return f"there is no trace {id[:LONGEST_ID]!r}"
