"""What answers hold, for their description; a number that is not finite is null."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from nilometer.web.intake_models import Events, StatisticsStatus, Traces


class Health(BaseModel):
    """What is said about the server's health."""

    health: str


class Series(BaseModel):
    """A series of the open window: `value` of a counter or gauge, `samples` of a timer, `members` of a set."""

    key: str
    value: float | None = None
    count: int | None = None
    samples: list[float | None] | None = None
    members: list[str] | None = None


class Found(BaseModel):
    """Series that fit. `count`: how many there are of the kind, `looked_at`: among how many the glob was tried."""

    kind: str
    count: int
    looked_at: int
    series: list[Series]


class Deleted(BaseModel):
    """The keys that are no more."""

    kind: str
    deleted: list[str]


class Totals(BaseModel):
    """What was counted since the start."""

    packets: int
    bytes: int
    lines: int
    bad_lines: int
    idle_seconds: float


class Sink(BaseModel):
    """How a sink is doing; times are seconds since the epoch, `last_error` is empty after a success."""

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


class Target(BaseModel):
    """How a server is doing that packets are forwarded to."""

    name: str
    up: bool
    sent: int
    bytes: int
    lost: int
    error: str
    node: str
    queue: int


class Taken(BaseModel):
    """How many events were taken over."""

    accepted: int


class Stats(BaseModel):
    """Totals since the start; `losses` by ``stage.reason``."""

    uptime: float
    health: str
    totals: Totals
    connections: int
    losses: dict[str, int]
    sinks: list[Sink]
    relay: list[Target]
    events: Events
    statistics: StatisticsStatus | None
    traces: Traces


class Listener(BaseModel):
    """What is listened to: `buffer` is the smallest receive buffer that the system granted, in bytes."""

    url: str
    addresses: list[str]
    buffer: int | None


class Spool(BaseModel):
    """What waits on disk for a sink, and how many bytes may."""

    sink: str
    items: int
    bytes: int
    most: int


class Status(BaseModel):
    """How the server is doing. `history`: where series are read from; `flushed`: the end of the last window that was.

    `metrics`: the names of its metrics about itself, ``*`` for each; null when it reports as statsd does.
    """

    version: str
    kernel: str
    time: float
    uptime: float
    interval: float
    flushed: float
    health: str
    problems: list[str]
    history: str | None
    metrics: str | None
    listeners: list[Listener]
    connections: int
    sinks: list[Sink]
    spools: list[Spool]
    relay: list[Target]
    events: Events
    statistics: StatisticsStatus | None
    traces: Traces
    losses: dict[str, int]
    totals: Totals


class Setting(BaseModel):
    """A setting as TOML writes it, and where it was set."""

    value: str
    origin: str


class Config(BaseModel):
    """Every setting in force, secrets masked."""

    settings: dict[str, Setting]


class Name(BaseModel):
    """A busy series."""

    kind: str
    key: str
    updates: int


class Source(BaseModel):
    """A busy address."""

    source: str
    lines: int


class Refused(BaseModel):
    """What of an address is refused, with the first such line."""

    source: str
    reason: str
    refused: int
    line: str


class Top(BaseModel):
    """Who talks most."""

    names: list[Name]
    sources: list[Source]
    refused: list[Refused]


class Path(BaseModel):
    """A series that the store keeps."""

    path: str


class Listed(BaseModel):
    """A page of series; `next` is the cursor of the page after it, null when there is none.

    `total` is how many series there are on all pages: on the first page, as long as they can be counted soon; else null.
    """

    series: list[Path]
    next: str | None
    total: int | None


class Row(BaseModel):
    """A series on its grid: the first value's time, the seconds between values, null where nothing is known."""

    path: str
    start: int
    step: int
    values: list[float | None]


class Table(BaseModel):
    """Values of several series; times are seconds since the epoch."""

    model_config = ConfigDict(populate_by_name=True)

    start: int = Field(alias="from")
    until: int
    series: list[Row]


class Event(BaseModel):
    """Something that happened; `time` is seconds since the epoch, `context` the request in which it happened."""

    id: str
    time: float
    type: str
    publisher: str
    priority: str
    tenant: str
    payload: dict[str, Any]
    context: dict[str, Any]


class EventPage(BaseModel):
    """Events, newest first; `cursor` asks for the page after it, null on the last."""

    events: list[Event]
    cursor: str | None


class EventCount(BaseModel):
    """How many events had a key in the slot that begins at `time`."""

    key: str
    time: float
    count: int


class EventCounts(BaseModel):
    """Counts in slots of `step` seconds, for the most frequent keys; all other keys together, and none, are empty."""

    by: str
    step: float
    counts: list[EventCount]


class UsageTotal(BaseModel):
    """Rows read and written, and gigabyte hours stored. `time`, and each name, where totals are taken by it."""

    time: float | None = None
    service: str | None = None
    domain: str | None = None
    project: str | None = None
    reads: float
    writes: float
    storage_gb_hours: float
    events: int


class Usage(BaseModel):
    """Totals in slots of `step` seconds, 0 for one of all the time, by these names."""

    by: list[str]
    step: float
    totals: list[UsageTotal]
