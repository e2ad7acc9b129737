"""How taking events in fares: each way in, and the store that keeps them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WayStatus:
    """How a way in fares: a bus, HTTP, DogStatsD. Counts are since the start, times seconds since the epoch.

    `name`: a URL without options and secrets, or ``http`` and the like. `received`: events that were understood;
    `stored`: those of them that were new, `duplicates` those whose id was known; `bad`: messages that are no event.
    `waiting`: events taken over that are not stored yet. `lag`: seconds from an event to when it was stored, of the last one.
    `last`: when the last event was stored, None if never.
    `error`: why nothing comes in, empty while something can; `away_since`: since when.
    """

    name: str
    received: int = 0
    stored: int = 0
    duplicates: int = 0
    bad: int = 0
    waiting: int = 0
    lag: float | None = None
    last: float | None = None
    error: str = ""
    away_since: float | None = None


@dataclass(frozen=True, slots=True)
class KeepStatus:
    """How the store of events fares: `error` is why it takes nothing, empty while it does; `away_since`: since when."""

    name: str
    error: str = ""
    away_since: float | None = None


@dataclass(frozen=True, slots=True)
class EventsStatus:
    """How all of it fares. Without a store events only move metrics and go on to sinks."""

    ways: tuple[WayStatus, ...] = ()
    store: KeepStatus | None = None
