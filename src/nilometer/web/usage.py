"""Routes over usage: reads, writes and storage added up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query, Response

from nilometer.web import models
from nilometer.web.errors import answering
from nilometer.web.events import CSV, LATE, LONGEST_STEP, MOST_SLOTS, TYPES, Form, Since, Until, span
from nilometer.web.parameters import DIGITS
from nilometer.web.reply import HEADERS

if TYPE_CHECKING:
    from nilometer.web.parts import Parts

READING = "nilometer.collect.usage.reading:"
SHORTEST_STEP = 60
By = Annotated[
    list[Literal["service", "domain", "project"]],
    Query(description="what totals are taken by; several times, or all three without one", max_length=3),
]
Step = Annotated[int, Query(ge=0, le=LONGEST_STEP, description="seconds of a slot, 60 at least; 0: one total for all"), DIGITS]


def router(parts: Parts) -> APIRouter:
    """Return the routes over usage."""
    found, reading = APIRouter(), parts.event_reading

    def totals(
        since: Since = "-30d",
        until: Until = "now",
        by: By = [],  # noqa: B006 FastAPI copies it
        step: Step = 0,
        format: Form = "json",  # noqa: A002 the parameter's name
    ) -> Response:
        """Rows read and written, and gigabyte hours stored, over all publishers, by service, domain and project."""
        begin, end = span(since, until)
        _check(step, begin, end)
        chosen = tuple(dict.fromkeys(by)) or ("service", "domain", "project")
        with answering():
            body: Any = reading.call(f"{READING}as_{format}", begin, end, chosen, float(step))
        headers = HEADERS | ({"content-disposition": 'attachment; filename="usage.csv"'} if format == "csv" else {})
        return Response(body, headers=headers, media_type=TYPES[format])

    found.get("/usage", name="usage", responses=LATE | {200: {"model": models.Usage, **CSV}})(totals)
    return found


def _check(step: int, begin: float, end: float) -> None:
    """Refuse slots that are too short, or too many. Raise `HTTPException`."""
    if 0 < step < SHORTEST_STEP:
        raise HTTPException(400, f"step: {step} s is shorter than {SHORTEST_STEP} s")
    if step and (min(end, time.time()) - begin) / step > MOST_SLOTS:
        raise HTTPException(400, f"step: {step} s makes more than {MOST_SLOTS} slots; take a longer one, or a shorter time")
