"""What is told of statistics, as objects for JSON; `models` describes them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from nilometer.core.statistics import State
from nilometer.statistics.shown import columns

if TYPE_CHECKING:
    from datetime import timedelta

    from nilometer.core.statistics import StatisticsStatus
    from nilometer.statistics.asked import Listed


def of_statistic(listed: Listed) -> dict[str, Any]:
    """Return what a statistic is, and how far."""
    return _what(listed) | _how_far(listed)


def _what(listed: Listed) -> dict[str, Any]:
    statistic, plugin = listed.statistic, listed.statistic.plugin
    return {
        "ident": statistic.ident,
        "name": plugin.name,
        "summary": plugin.summary,
        "description": plugin.description,
        "kind": plugin.kind,
        "window": str(statistic.window),
        "interval": _seconds(statistic.window.interval),
        "keys": plugin.keys,
        "columns": columns(plugin),
        "layout": plugin.layout,
        "backlog_delta": _seconds(plugin.backlog_delta),
        "keep": _seconds(plugin.keep),
        "roll_up": plugin.roll_up and {"after": _seconds(plugin.roll_up[0]), "window": plugin.roll_up[1]},
    }


def _how_far(listed: Listed) -> dict[str, Any]:
    progress = listed.progress
    return {
        "version": progress.version,
        "state": progress.state,
        "error": progress.error,
        "culprit": progress.culprit,
        "since": progress.since or None,
        "lag": listed.lag,
        "offset": progress.offset,
        "revision": progress.revision,
    }


def of_status(status: StatisticsStatus) -> dict[str, Any]:
    """Return how buses, archives, the inbox and the store fare, and how many statistics run."""
    running = sum(each.state is State.RUNNING for each in status.progress)
    return {
        "ways": [asdict(way) for way in status.ways],
        "fill": [asdict(fill) for fill in status.fill],
        "store": None if status.store is None else asdict(status.store),
        "inbox": status.inbox._asdict(),
        "expired": status.expired,
        "running": running,
        "stopped": len(status.progress) - running,
        "behind": max((status.inbox.last - each.offset for each in status.progress), default=0),
    }


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()
