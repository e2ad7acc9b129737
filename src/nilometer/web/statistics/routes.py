"""The routes: which statistics there are and how far, their rows, letting a stopped one go on.

Rules:

* Reading takes place in this process, in threads: the store bounds each statement in time.
* So many charts are made at a time, as each may take many rows; whoever comes meanwhile waits a while.
* Rows and charts have a tag, so that what did not change is not sent again (`nilometer.web.conditional`).
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, urlencode

from fastapi import APIRouter, HTTPException, Request, Response
from starlette.responses import StreamingResponse

from nilometer.core.chart import Look
from nilometer.core.errors import did_you_mean
from nilometer.core.statistics import RowQuery
from nilometer.ingest.admin.commands import to_json
from nilometer.statistics import drawing, formats
from nilometer.statistics.chart import Question, drawn_up
from nilometer.web import conditional, live
from nilometer.web.connection import LASTING
from nilometer.web.errors import answering
from nilometer.web.following import Full
from nilometer.web.openapi import ERROR, Answers, ok
from nilometer.web.reply import reply
from nilometer.web.statistics import models, told
from nilometer.web.statistics import parameters as given
from nilometer.web.statistics.hub import StatisticsHub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from nilometer.statistics.asked import Asked, Listed
    from nilometer.web.following import Follower
    from nilometer.web.parts import Parts
    from nilometer.web.statistics.hub import Idents

AT_A_TIME = 4
PATIENCE = 10.0
"""Seconds for which a chart waits for its turn."""
NONE_RUN = "no statistics run here; name a bus, such as amqp://localhost, in statistics.buses"
TYPES = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "svg": "image/svg+xml",
}
TEXT = {"schema": {"type": "string"}}
TEXTS: dict[str, Any] = {"text/csv": TEXT, "text/html": TEXT}
DRAWN: dict[str, Any] = {"text/csv": TEXT, "image/svg+xml": TEXT}
LATE: Answers = {504: {"description": "it takes too long", **ERROR}}
NONE: Answers = {404: {"description": "there is none", **ERROR}}
SAME: Answers = {304: {"description": "what you have is still right"}}


def router(parts: Parts) -> APIRouter:
    """Return the routes over statistics."""
    found, asked = APIRouter(prefix="/statistics"), _Statistics(parts)
    found.get("", name="list statistics", responses=LATE | ok(models.Statistics))(asked.listed)
    stream: Answers = {200: {"content": live.EVENTS}}
    found.get("/live", name="follow statistics", response_class=StreamingResponse, responses=stream)(asked.live)
    resume = found.post("/{ident}/resume", name="resume a statistic", responses=NONE | LATE | ok(models.Statistic))
    resume(asked.resume)
    drawn = NONE | LATE | SAME | {200: {"model": models.Chart, "content": DRAWN}}
    found.get("/{ident}/chart", name="chart of a statistic", responses=drawn)(asked.chart)
    answers = NONE | LATE | SAME | {200: {"model": models.Rows, "content": TEXTS}}
    found.get("/{ident}", name="rows of a statistic", responses=answers)(asked.rows)
    return found


class _Statistics:
    """The handlers. They read, so each runs in a thread."""

    def __init__(self, parts: Parts) -> None:
        self._asked, self._hub = parts.statistics, StatisticsHub()
        self._places = threading.BoundedSemaphore(AT_A_TIME)
        parts.closing.callback(self._hub.close)

    def listed(self) -> Response:
        """All statistics: what each is, how far it is, why it stopped; and how buses, archives, inbox and store fare."""
        asked = self._running()
        with answering():
            found, status = asked.listed(), asked.status()
        return reply({"statistics": [told.of_statistic(each) for each in found], "status": told.of_status(status)})

    def rows(  # noqa: PLR0913 the parameters of the request
        self,
        request: Request,
        ident: given.Ident,
        *,
        since: given.Since = "",
        until: given.Until = "",
        order: given.Order = "desc",
        keys: given.Keys = [],  # noqa: B006 FastAPI copies it
        top: given.Top = None,
        limit: given.Limit = 100,
        cursor: given.Cursor = "",
        format: Literal["json", "csv", "html"] = "json",  # noqa: A002 the parameter's name
    ) -> Response:
        """Rows of one statistic, the newest first, page by page; `cursor` is null on the last."""
        statistic = self._found(ident).statistic
        largest = statistic.plugin.top if top is None else top
        query = RowQuery(*given.span(statistic, since, until), order, given.words(statistic, keys), largest)
        with answering():
            page = self._running().rows(ident, query, limit, cursor=cursor)
            table = formats.table(statistic, page.rows)
        headers, more = _following(request, page.cursor)
        if format == "html":
            text = formats.as_html(table, ident, more)
        else:
            text = formats.as_csv(table) if format == "csv" else formats.page(ident, table, page.cursor)
        return _answer(request, ident, format, text, headers)

    def chart(  # noqa: PLR0913 the parameters of the request
        self,
        request: Request,
        ident: given.Ident,
        *,
        since: given.From = "",
        until: given.Till = "",
        group: given.Group = "",
        by: given.By = [],  # noqa: B006 FastAPI copies it
        keys: given.Keys = [],  # noqa: B006 FastAPI copies it
        most: given.Series = 10,
        column: given.Column = "",
        format: Literal["json", "csv", "svg"] = "json",  # noqa: A002 the parameter's name
        style: given.Style = "lines",
        width: given.Size = 800,
        height: given.Size = 300,
        title: given.Title = "",
    ) -> Response:
        """Series of one statistic over time: windows put together, keys added up; whole windows that overlap the time."""
        statistic = self._found(ident).statistic
        places, words = given.places(statistic, by), given.words(statistic, keys)
        asked = Question(*given.time_of_chart(statistic, since, until), group, places, most, column, words)
        with self._place(), answering():
            made = drawn_up(statistic, partial(self._running().rows, ident), asked)
        if format == "svg":
            with answering():
                text = drawing.as_svg(made, style, Look(width, height, title))
        else:
            text = drawing.as_csv(made) if format == "csv" else drawing.as_json(made)
        return _answer(request, ident, format, text)

    def resume(self, ident: given.Ident) -> Response:
        """Let a stopped statistic try again, from the message at which it stopped; nothing changes for one that runs."""
        self._found(ident)
        with answering():
            self._running().resume(ident)
        return reply(told.of_statistic(self._found(ident)))

    async def live(self, request: Request, idents: given.Followed = []) -> StreamingResponse:  # noqa: B006 FastAPI copies it
        """Follow changes: events `changed`, with the `idents` of statistics whose rows changed; at most about one a second."""
        self._hub.watch(self._running())
        try:
            follower = self._hub.follow(frozenset(idents))
        except Full as error:
            raise HTTPException(503, str(error)) from error
        setattr(request.state, LASTING, True)
        return StreamingResponse(_stream(follower), headers=live.HEADERS, media_type="text/event-stream")

    def _running(self) -> Asked:
        asked = self._asked()
        if asked is None:
            raise HTTPException(503, NONE_RUN)
        return asked

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(timeout=PATIENCE):
            raise HTTPException(503, f"{AT_A_TIME} charts are being made; try again later")
        try:
            yield
        finally:
            self._places.release()

    def _found(self, ident: str) -> Listed:
        asked = self._running()
        with answering():
            found = asked.find(ident)
            known = () if found is not None else [each.statistic.ident for each in asked.listed()]
        if found is None:
            raise HTTPException(404, f"there is no statistic {ident[:100]!r}{did_you_mean(ident, known)}")
        return found


async def _stream(follower: Follower[Idents, Idents]) -> AsyncIterator[bytes]:
    yield b": what changed comes as an event\n\n"
    async for update in follower.updates(live.SILENCE):
        if update is None:
            yield b": nothing yet\n\n"
        else:
            yield f"event: changed\ndata: {to_json({'idents': sorted(update)})}\n\n".encode("utf-8", "replace")


def _answer(request: Request, ident: str, form: str, text: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return a text with its tag; CSV as a file."""
    told = dict(headers or {})
    if form == "csv":
        told["content-disposition"] = f"attachment; filename*=UTF-8''{quote(ident, safe='')}.csv"
    return conditional.answer(request, text.encode("utf-8", "replace"), TYPES[form], told)


def _following(request: Request, cursor: str) -> tuple[dict[str, str], str]:
    """Return the headers, and the link, that lead to the page after this one."""
    if not cursor:
        return {}, ""
    pairs = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    more = "?" + urlencode([*pairs, ("cursor", cursor)])
    return {"link": f'<{more}>; rel="next"'}, more
