"""What answers about traces hold, for their description. Times: `start` in µs since the epoch, the others in µs."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Trace(BaseModel):
    """A trace in a list. `name`, `service` and `project` are the root's; where it is missing, `rooted` is false.

    `services`: how many spans each has. `error`: the type of the root's error, or of the first.
    """

    trace: str
    start: int
    duration: float
    name: str
    service: str
    project: str
    spans: int
    errors: int
    error: str
    rooted: bool
    services: dict[str, int]


class TracePage(BaseModel):
    """Traces, newest first; `cursor` asks for the page after it, null on the last."""

    traces: list[Trace]
    cursor: str | None


class SpanEvent(BaseModel):
    """Something that happened within a span; `offset` from the start of the trace."""

    offset: float
    name: str
    attributes: dict[str, Any]


class SpanLink(BaseModel):
    """Another span that has to do with it."""

    trace: str
    id: str
    attributes: dict[str, Any]


class TraceSpan(BaseModel):
    """A span; `offset` from the start of the trace. `part`: ``start`` while it runs, ``stop`` when its start is not known.

    `odd`: ``orphan`` where its parent is not there, ``cycle`` where it is among its own ancestors.
    """

    id: str
    parent: str
    depth: int
    odd: Literal["", "orphan", "cycle"]
    name: str
    offset: float
    duration: float
    kind: str
    status: Literal["unset", "ok", "error"]
    error: str
    message: str
    service: str
    project: str
    host: str
    part: Literal["whole", "start", "stop"]
    scope: str
    state: str
    attributes: dict[str, Any]
    resource: dict[str, Any]
    events: list[SpanEvent]
    links: list[SpanLink]


class WholeTrace(BaseModel):
    """A trace with its spans, parents before children; `count`: how many they are."""

    trace: str
    start: int
    duration: float
    name: str
    service: str
    project: str
    spans: list[TraceSpan]
    count: int
    errors: int
    error: str
    rooted: bool
    services: dict[str, int]


Told = WholeTrace | list[dict[str, Any]] | dict[str, Any]
"""A trace as JSON: ours, spans as they are sent, or OSProfiler's report."""


class Side(BaseModel):
    """A span as one of two traces has it; `offset` from the start of that trace."""

    id: str
    offset: float
    duration: float
    status: Literal["unset", "ok", "error"]
    error: str


class ComparedSpan(BaseModel):
    """A span of two traces: `longer`, how much longer it took in the second, is null where one does not have it."""

    depth: int
    service: str
    name: str
    first: Side | None
    second: Side | None
    longer: float | None


class TraceDiff(BaseModel):
    """Two traces beside each other, spans that are the same together, parents before children."""

    first: Trace
    second: Trace
    spans: list[ComparedSpan]


class Operation(BaseModel):
    """What a service does."""

    name: str
    count: int
    errors: int
    mean: float
    longest: float


class Service(BaseModel):
    """A service, by its spans."""

    name: str
    count: int
    errors: int
    mean: float
    longest: float
    operations: list[Operation]


class Call(BaseModel):
    """Calls of one service to another."""

    model_config = ConfigDict(populate_by_name=True)

    caller: str = Field(alias="from")
    to: str
    count: int
    errors: int
    mean: float
    longest: float


class Services(BaseModel):
    """Who calls whom, over `traces` traces of `spans` spans; `whole`: whether these are all that fit."""

    services: list[Service]
    calls: list[Call]
    traces: int
    spans: int
    whole: bool


class DeletedTrace(BaseModel):
    """The trace that is no more."""

    deleted: str


class TakenSpans(BaseModel):
    """How many spans were taken over."""

    accepted: int


class Exemplar(BaseModel):
    """A slow request: its trace and span, `start` in µs since the epoch, `duration` in µs."""

    trace: str
    span: str
    start: int
    duration: float


class ExemplarsOf(BaseModel):
    """The slow requests of a series, the slowest first."""

    series: str
    exemplars: list[Exemplar]


class Exemplars(BaseModel):
    """Series that have slow requests of late."""

    series: list[ExemplarsOf]
