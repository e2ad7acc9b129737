"""What answers about statistics hold, for their description; a number that is not finite is null."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from nilometer.web.intake_models import StatisticsStatus


class RollUp(BaseModel):
    """Rows older than `after` seconds become rows of a longer `window`."""

    after: float
    window: str


class Statistic(BaseModel):
    """A statistic: what it is, and how far.

    `window` is how long its windows are, such as ``1m`` or ``1d@Europe/Prague``, empty without windows; `interval` the same in
    seconds. `keys` and `columns`: the names of columns. `backlog_delta` and `keep` are in seconds, null for no bound.
    `state` is ``running`` or ``stopped``, with `error`, at the message with the id `culprit`, `since` seconds since the epoch.
    `lag`: how many messages of the inbox it has not seen. `offset`: the number of the last message that it has seen.
    `revision` grows with every change of its rows.
    """

    ident: str
    name: str
    summary: str
    description: str
    kind: str
    window: str
    interval: float | None
    keys: list[str]
    columns: list[str]
    layout: Any
    backlog_delta: float | None
    keep: float | None
    roll_up: RollUp | None
    version: int
    state: str
    error: str
    culprit: str
    since: float | None
    lag: int
    offset: int
    revision: int


class Statistics(BaseModel):
    """All statistics, in order of their idents, and how the rest fares."""

    statistics: list[Statistic]
    status: StatisticsStatus


class Rows(BaseModel):
    """A page of rows; `cursor` asks for the page after it, null on the last.

    Each row has the `columns`: ``timestamp``, the end of its window in seconds since the epoch, the keys, and the values.
    """

    ident: str
    columns: list[str]
    rows: list[dict[str, Any]]
    cursor: str | None


class Series(BaseModel):
    """A value for each window. `key` has the words of the columns it is told apart by, null for all others together."""

    name: str
    key: dict[str, str | None] | None
    total: float | None
    values: list[float | None]


class Chart(BaseModel):
    """Series over windows of `group`, each from one of `begins` to one of `times`, in seconds since the epoch.

    Series are those with most in them, the largest first; `left_out`: how many are not even in the others.
    """

    ident: str
    group: str
    column: str
    begins: list[int]
    times: list[int]
    series: list[Series]
    left_out: int
