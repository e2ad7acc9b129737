"""What the server measures about the statistics that it keeps of buses, and how gaps are filled from archives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.core.statistics import State
from nilometer.ingest import waymetrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.core.statistics import StatisticsStatus

METRICS = (
    ("statistics.bus.<bus>.received", "counter", "messages", "messages for statistics that came from the bus"),
    ("statistics.bus.<bus>.stored", "counter", "messages", "those of them that were new, and are in the inbox"),
    ("statistics.bus.<bus>.duplicates", "counter", "messages", "those of them whose id the inbox knew"),
    ("statistics.bus.<bus>.bad", "counter", "messages", "what came from there and is no message"),
    ("statistics.bus.<bus>.waiting", "gauge", "messages", "messages from there that are not in the inbox yet"),
    ("statistics.bus.<bus>.lag", "gauge", "s", "time from a message to when it was in the inbox, of the last one"),
    ("statistics.bus.<bus>.up", "gauge", "0 or 1", "1 while messages can come from there"),
    ("statistics.archive.<archive>.new", "counter", "messages", "messages that the archive gave and that were not here yet"),
    ("statistics.archive.<archive>.known", "counter", "messages", "messages that the archive gave and that were here"),
    ("statistics.archive.<archive>.bad", "counter", "messages", "what the archive gave and is no message"),
    ("statistics.archive.<archive>.missing", "gauge", "s", "time whose messages are still to be asked for"),
    ("statistics.archive.<archive>.up", "gauge", "0 or 1", "1 while the archive answers"),
    ("statistics.inbox.messages", "gauge", "messages", "messages in the inbox"),
    ("statistics.store.up", "gauge", "0 or 1", "1 while the store of statistics takes what comes"),
    ("statistics.plugin.<ident>.behind", "gauge", "messages", "messages of the inbox that the statistic has not seen yet"),
    ("statistics.plugin.<ident>.running", "gauge", "0 or 1", "0 while it is stopped, because its plugin raised"),
)
"""Name, kind, unit, and what it tells."""
BUS, ARCHIVE, PLUGIN = "statistics.bus", "statistics.archive", "statistics.plugin"


def totals(status: StatisticsStatus, label: Callable[[str], str]) -> dict[str, float]:
    """Return the counts since the start; `label` makes a name of a source's."""
    found = waymetrics.totals(BUS, status.ways, label)
    for fill in status.fill:
        name = f"{ARCHIVE}.{label(fill.name)}"
        found |= {f"{name}.new": fill.new, f"{name}.known": fill.known, f"{name}.bad": fill.bad}
    return found


def gauges(status: StatisticsStatus, label: Callable[[str], str]) -> dict[str, float]:
    """Return how each bus, archive and statistic, the inbox and the store are now."""
    found = waymetrics.gauges(BUS, status.ways, label)
    for fill in status.fill:
        name = f"{ARCHIVE}.{label(fill.name)}"
        found |= {f"{name}.missing": round(fill.missing, 3), f"{name}.up": float(not fill.error)}
    found["statistics.inbox.messages"] = status.inbox.count
    if status.store is not None:
        found["statistics.store.up"] = float(not status.store.error)
    for progress in status.progress:
        name = f"{PLUGIN}.{label(progress.ident)}"
        found[f"{name}.behind"] = max(status.inbox.last - progress.offset, 0)
        found[f"{name}.running"] = float(progress.state is State.RUNNING)
    return found
