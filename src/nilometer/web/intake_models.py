"""What answers hold about what messages come from, and the stores that keep what is made of them."""

from __future__ import annotations

from pydantic import BaseModel


class Way(BaseModel):
    """How a way in of events is doing: counts since the start, times in seconds since the epoch, `lag` in seconds."""

    name: str
    received: int
    stored: int
    duplicates: int
    bad: int
    waiting: int
    lag: float | None
    last: float | None
    error: str
    away_since: float | None


class Keep(BaseModel):
    """How the store of events is doing."""

    name: str
    error: str
    away_since: float | None


class Events(BaseModel):
    """How taking events in is doing; `store` is null where none keeps them."""

    ways: list[Way]
    store: Keep | None


class Fill(BaseModel):
    """How filling gaps from an archive fares: seconds that are `missing` of those `wanted`, messages that were `new` …."""

    name: str
    missing: float
    wanted: float
    at: float | None
    new: int
    known: int
    bad: int
    error: str
    away_since: float | None


class Inbox(BaseModel):
    """What the inbox holds: how many messages, the numbers of the first and the last, when the oldest arrived."""

    count: int
    first: int
    last: int
    oldest: float | None


class StatisticsStatus(BaseModel):
    """How statistics fare: how many are `running`, and `stopped`; the most messages that one is `behind`.

    `expired`: messages that stopped statistics lost, as they left the inbox.
    """

    ways: list[Way]
    fill: list[Fill]
    store: Keep | None
    inbox: Inbox
    expired: int
    running: int
    stopped: int
    behind: int


class SpanKeep(BaseModel):
    """How the store of traces, or a sink of spans, is doing; counts are of batches of spans, times seconds since the epoch."""

    name: str
    last_success: float | None
    last_error: str
    last_error_time: float | None
    retry_in: float | None
    queued: int
    spool_items: int
    spool_bytes: int
    written: int
    written_series: int
    dropped: int
    figures: dict[str, float | None]
    failing_since: float | None


class Traces(BaseModel):
    """How taking spans in is doing: counts of spans since the start, `traces` those that were decided upon, by reason.

    `store` is null until the first span. `written_down`: bytes on disk of spans that are not stored yet.
    """

    ways: list[Way]
    store: SpanKeep | None
    sinks: list[SpanKeep]
    taken: int
    kept: int
    sampled: int
    refused: int
    waiting: int
    undecided: int
    early: int
    written_down: int
    traces: dict[str, int]
