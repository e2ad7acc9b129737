"""How far statistics are."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import NamedTuple


class State(enum.StrEnum):
    """What a statistic is doing."""

    RUNNING = "running"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one statistic is.

    `offset` is the number of the last message of the inbox that it has seen, `version` that of the plugin which made its rows.
    A stopped one has the `error` that it raised, at the message with the id `culprit` (`at` its number), since `since`.
    `revision` grows with every change of its rows.
    """

    ident: str
    version: int = 1
    offset: int = 0
    state: State = State.RUNNING
    error: str = ""
    culprit: str = ""
    at: int = 0
    since: float = 0.0
    revision: int = 0


class Covered(NamedTuple):
    """All messages of a source that were sent in ``[begin, end)``, seconds since the epoch, are here.

    `noted`: since when, or a little earlier.
    """

    begin: float
    end: float
    noted: float = 0.0


class Inbox(NamedTuple):
    """What the inbox holds: how many messages, the numbers of the first and the last, and when the oldest arrived."""

    count: int  # type: ignore[assignment]  # no one counts in a tuple of this kind
    first: int = 0
    last: int = 0
    oldest: float | None = None
