"""How taking spans in fares: each way in, what sampling makes of traces, the store that keeps them, and further sinks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nilometer.core.event_status import WayStatus
    from nilometer.core.pipe import Status


@dataclass(frozen=True, slots=True)
class TracesStatus:
    """Counts of spans are since the start; those of traces, by reason, are of what sampling decided upon.

    `taken`: spans that came in; `kept`: those that went on to `store` and `sinks`; `sampled`: those of traces that were
    dropped; `refused`: those for which there was no room, so that whoever brought them has to come again.
    `waiting`: spans in memory, for a decision or the store; `undecided`: traces that wait; `early`: traces that were decided
    upon before their time, for want of room; `written_down`: bytes of what is not stored yet. `traces`: by reason.
    """

    ways: tuple[WayStatus, ...] = ()
    store: Status | None = None
    sinks: tuple[Status, ...] = ()
    taken: int = 0
    kept: int = 0
    sampled: int = 0
    refused: int = 0
    waiting: int = 0
    undecided: int = 0
    early: int = 0
    written_down: int = 0
    traces: Mapping[str, int] = field(default_factory=dict)
