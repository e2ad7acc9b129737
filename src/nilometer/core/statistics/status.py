"""How statistics fare: each bus, the archive, the inbox, each statistic."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nilometer.core.statistics.progress import Inbox

if TYPE_CHECKING:
    from nilometer.core.event_status import KeepStatus, WayStatus
    from nilometer.core.statistics.progress import Progress


@dataclass(frozen=True, slots=True)
class FillStatus:
    """How filling gaps from an archive fares. Counts are since the start, times seconds since the epoch.

    `missing`: seconds of the bus's history that are still to be asked for, of `wanted` in all; `at`: the time that is asked for
    now, None when nothing is. `new`: messages that were not here yet; `known`: those that were; `bad`: entries that are none.
    `error`: why nothing comes, empty while something does; `away_since`: since when.
    """

    name: str
    missing: float = 0.0
    wanted: float = 0.0
    at: float | None = None
    new: int = 0
    known: int = 0
    bad: int = 0
    error: str = ""
    away_since: float | None = None


@dataclass(frozen=True, slots=True)
class StatisticsStatus:
    """How all of it fares.

    `progress` is of the statistics that run here, in order of idents. `expired`: messages that stopped statistics lost, as they
    left the inbox.
    """

    ways: tuple[WayStatus, ...] = ()
    fill: tuple[FillStatus, ...] = ()
    store: KeepStatus | None = None
    inbox: Inbox = field(default_factory=lambda: Inbox(0))
    progress: tuple[Progress, ...] = ()
    expired: int = 0
