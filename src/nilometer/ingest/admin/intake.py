"""What is wrong with what messages come from, and with the stores that keep what is made of them: events, traces, statistics.

Rules:

* Those that stopped for the same reason at the same message are told of together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.core.statistics import State
from nilometer.ingest.admin.words import span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nilometer.core.event_status import EventsStatus, KeepStatus, WayStatus
    from nilometer.core.statistics import FillStatus, Progress, StatisticsStatus
    from nilometer.core.trace_status import TracesStatus

FILES = "sqlite:"
"""What the URL of a store begins with that is a file: as a sink it would be tried with series."""
LONGEST = 300
"""Characters of an error that a plugin raised."""


def of_events(status: EventsStatus, now: float) -> Iterator[str]:
    """Yield what is wrong with taking events in."""
    waiting = sum(way.waiting for way in status.ways)
    yield from _store(status.store, now, "keeps no events", f"{waiting:,} events wait here, the rest on their buses")
    yield from _ways(status.ways, now, "no events from there")


def of_statistics(status: StatisticsStatus | None, now: float) -> Iterator[str]:
    """Yield what is wrong with statistics, where such are kept."""
    if status is None:
        return
    yield from _store(status.store, now, "keeps no statistics", "messages wait on their buses")
    yield from _ways(status.ways, now, "no messages for statistics from there")
    yield from _stopped(status.progress, now)
    for fill in status.fill:
        yield from _unfilled(fill, now)


def of_traces(status: TracesStatus, now: float) -> Iterator[str]:
    """Yield what is wrong with taking spans in, and with who keeps them."""
    for sink in (status.store, *status.sinks):
        if sink is not None and sink.failing_since is not None:
            waits = f"{sink.spool_items:,} batches of spans wait in its spool" if sink.spool_items else "nothing is lost so far"
            name, since = sink.name, span(now - sink.failing_since)
            reason = sink.last_error.removeprefix(f"{name}: ")
            cure = "see that its file can be written" if name.startswith(FILES) else f"try it: nilometer check {name}"
            yield f"{name}: keeps no traces for {since}: {reason}; {waits}; {cure}"
    yield from _ways(status.ways, now, "no spans from there")


def _store(store: KeepStatus | None, now: float, what: str, waits: str) -> Iterator[str]:
    if store is not None and store.away_since is not None:
        reason = store.error.removeprefix(f"{store.name}: ")
        cure = "see that its file can be written" if store.name.startswith(FILES) else f"try it: nilometer check {store.name}"
        yield f"{store.name}: {what} for {span(now - store.away_since)}: {reason}; {waits}; {cure}"


def _ways(ways: Iterable[WayStatus], now: float, what: str) -> Iterator[str]:
    for way in ways:
        if way.away_since is not None:
            reason = way.error.removeprefix(f"{way.name}: ")
            yield f"{way.name}: {what} for {span(now - way.away_since)}: {reason}; try it: nilometer check {way.name}"


def _stopped(progress: Iterable[Progress], now: float) -> Iterator[str]:
    together: dict[tuple[str, str], list[Progress]] = {}
    for each in progress:
        if each.state is State.STOPPED:
            together.setdefault((each.error, each.culprit), []).append(each)
    for (error, culprit), stopped in together.items():
        first, others = stopped[0], f" and {len(stopped) - 1} more" if len(stopped) > 1 else ""
        why = f"{error[:LONGEST]} at the message {culprit[:LONGEST]!r}"
        cure = f"mend the plugin, then: nilometer statistics resume {first.ident}"
        yield f"the statistic {first.ident}{others}: stopped for {span(now - first.since)}: {why}; no other stops; {cure}"


def _unfilled(fill: FillStatus, now: float) -> Iterator[str]:
    if fill.away_since is not None:
        reason = fill.error.removeprefix(f"{fill.name}: ")
        missing = f"messages of {span(fill.missing)} are missing" if fill.missing else "what is missing is not known"
        yield f"{fill.name}: fills no gaps for {span(now - fill.away_since)}: {reason}; {missing}; it is asked again and again"
