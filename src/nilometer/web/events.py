"""Routes over events: those that the store keeps, how many there were, and those that come now."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response
from starlette.responses import StreamingResponse

from nilometer.core.errors import NilometerError
from nilometer.core.event_query import By, EventQuery
from nilometer.core.wire.event import LONGEST, PRIORITIES
from nilometer.events.reading import as_json
from nilometer.query import times
from nilometer.web import live, models
from nilometer.web.connection import LASTING
from nilometer.web.errors import answering
from nilometer.web.event_hub import EventHub
from nilometer.web.following import Full
from nilometer.web.openapi import ERROR, Answers
from nilometer.web.parameters import DIGITS, LONGEST_GLOB
from nilometer.web.reply import HEADERS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nilometer.web.event_hub import Events
    from nilometer.web.following import Follower
    from nilometer.web.parts import Parts

MOST = 1000
"""Events of a page."""
MOST_SLOTS = 2000
MOST_KEYS = 100
LONGEST_STEP = 366 * 86_400
LONGEST_CURSOR = 2000
STEPS = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 7 * 86_400, LONGEST_STEP)
GOOD_SLOTS = 120
"""Slots that a step is chosen for, at most."""
READING = "nilometer.events.reading:"
TYPES = {"json": "application/json", "csv": "text/csv; charset=utf-8"}
CSV: dict[str, Any] = {"content": {"text/csv": {"schema": {"type": "string"}}}}
LATE: Answers = {504: {"description": "it takes too long", **ERROR}}
NONE: Answers = {404: {"description": "there is none", **ERROR}}

Type = Annotated[
    str, Query(max_length=LONGEST_GLOB, description="a glob over the whole type; `*` crosses dots", examples=["table.*"])
]
Word = Annotated[str, Query(max_length=LONGEST, description="the whole word; empty for all")]
Priority = Annotated[Literal["", *PRIORITIES], Query(description="empty for all")]  # type: ignore[valid-type]  # the words of the format
Text = Annotated[str, Query(max_length=LONGEST_GLOB, description="what stands in the payload, as JSON writes it")]
FORMS = "seconds since 1970, ISO 8601, or Graphite's forms such as `-1h`"
Since = Annotated[str, Query(max_length=100, description=f"from when on: {FORMS}; empty for the beginning")]
Until = Annotated[str, Query(max_length=100, description=f"until when: {FORMS}; empty for no end")]
Form = Literal["json", "csv"]


def _wanted(
    type: Type = "*",  # noqa: A002 the parameter's name
    tenant: Word = "",
    publisher: Word = "",
    priority: Priority = "",
    text: Text = "",
) -> EventQuery:
    return EventQuery(type, tenant, publisher, priority, text)


Wanted = Annotated[EventQuery, Depends(_wanted)]
"""Which events: parameters that all routes take."""


def router(parts: Parts) -> APIRouter:
    """Return the routes over events."""
    found, events = APIRouter(), _Events(parts)
    found.get("/events", name="find events", responses=LATE | {200: {"model": models.EventPage, **CSV}})(events.listed)
    found.get("/events/counts", name="count events", responses=LATE | {200: {"model": models.EventCounts, **CSV}})(
        events.counts
    )
    stream: Answers = {200: {"content": live.EVENTS}}
    found.get("/events/live", name="follow events", response_class=StreamingResponse, responses=stream)(events.live)
    found.get("/events/{id:path}", name="one event", responses=LATE | NONE | {200: {"model": models.Event}})(events.one)
    return found


class _Events:
    """The handlers. Those that wait for the processes that read run in threads."""

    def __init__(self, parts: Parts) -> None:
        self._reading, self._hub = parts.event_reading, EventHub()
        parts.closing.callback(self._hub.close)
        parts.closing.callback(parts.watch_events(self._hub.put))

    def listed(  # noqa: PLR0913 the parameters of the request
        self,
        *,
        wanted: Wanted,
        since: Since = "",
        until: Until = "",
        limit: Annotated[int, Query(ge=1, le=MOST), DIGITS] = 100,
        cursor: Annotated[str, Query(max_length=LONGEST_CURSOR, description="`cursor` of the page before")] = "",
        format: Form = "json",  # noqa: A002 the parameter's name
    ) -> Response:
        """Events that fit, newest first, page by page; `cursor` is null on the last. Large events make shorter pages."""
        begin, end = span(since, until)
        query = replace(wanted, since=begin, until=end)
        return self._answer("page" if format == "json" else "table", format, query, limit, cursor)

    def counts(  # noqa: PLR0913 the parameters of the request
        self,
        *,
        wanted: Wanted,
        since: Since = "-24h",
        until: Until = "now",
        step: Annotated[int, Query(ge=0, le=LONGEST_STEP, description="seconds of a slot; 0: a good one"), DIGITS] = 0,
        by: By = "type",
        most: Annotated[int, Query(ge=1, le=MOST_KEYS, description='keys; all others together are `""`'), DIGITS] = 10,
        format: Form = "json",  # noqa: A002 the parameter's name
    ) -> Response:
        """How many events fit in each slot of time, for the most frequent keys. Slots without any are left out."""
        begin, end = span(since, until)
        query = replace(wanted, since=begin, until=end)
        form = "counts" if format == "json" else "counts_table"
        return self._answer(form, format, query, _step(step, begin, end), by, most)

    def one(
        self,
        id: Annotated[str, Path(description="the event's id")],  # noqa: A002 the parameter's name
    ) -> Response:
        """Tell one event whole."""
        body = self._call("one", id)
        if body is None:
            raise HTTPException(404, f"there is no event {id[:LONGEST]!r}")
        return Response(body, headers=HEADERS, media_type=TYPES["json"])

    async def live(
        self,
        request: Request,
        wanted: Wanted,
    ) -> StreamingResponse:
        """Follow events that fit, as the store gets them: each comes as `event: event`, its data as `/events` has it."""
        try:
            follower = self._hub.follow(wanted)
        except Full as error:
            raise HTTPException(503, str(error)) from error
        setattr(request.state, LASTING, True)
        return StreamingResponse(_stream(follower), headers=live.HEADERS, media_type="text/event-stream")

    def _answer(self, function: str, form: Form, *arguments: Any) -> Response:  # noqa: ANN401 whatever can be pickled
        body = self._call(function, *arguments)
        headers = HEADERS | ({"content-disposition": 'attachment; filename="events.csv"'} if form == "csv" else {})
        return Response(body, headers=headers, media_type=TYPES[form])

    def _call(self, function: str, *arguments: Any) -> Any:  # noqa: ANN401 whatever can be pickled
        with answering():
            return self._reading.call(READING + function, *arguments)


async def _stream(follower: Follower[EventQuery, Events]) -> AsyncIterator[bytes]:
    yield b": every event comes as one\n\n"
    async for update in follower.updates(live.SILENCE):
        if update is None:
            yield b": nothing yet\n\n"
        else:
            yield b"".join(b"event: event\ndata: " + as_json(event) + b"\n\n" for event in update)


def span(since: str, until: str) -> tuple[float, float]:
    """Return the time that two texts mean, from - included - until - not included. Raise `HTTPException`."""
    now = int(time.time())
    try:
        begin = times.moment(since, now) if since else -math.inf
        end = times.moment(until, now) + (until == "now") if until else math.inf
    except NilometerError as error:
        raise HTTPException(400, str(error)) from error
    return begin, end


def _step(step: int, begin: float, end: float) -> float:
    """Return the seconds of a slot. Raise `HTTPException` when that makes too many slots."""
    length = min(end, time.time()) - begin
    if not step:
        return float(next((each for each in STEPS if length / each <= GOOD_SLOTS), STEPS[-1]))
    if length / step > MOST_SLOTS:
        raise HTTPException(400, f"step: {step} s makes more than {MOST_SLOTS} slots; take a longer one, or a shorter time")
    return float(step)
