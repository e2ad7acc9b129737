"""What the server measures about the spans that it takes in, from the first one on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.ingest import waymetrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.core.trace_status import TracesStatus

METRICS = (
    ("traces.taken", "counter", "spans", "spans that came in, by whatever way"),
    ("traces.kept", "counter", "spans", "those of them that went on to the store and to sinks"),
    ("traces.sampled", "counter", "spans", "those of them whose trace was dropped by sampling"),
    ("traces.refused", "counter", "spans", "spans for which there was no room: whoever brought them has to come again"),
    ("traces.decided.error", "counter", "traces", "traces that were kept for an error"),
    ("traces.decided.slow", "counter", "traces", "traces that were kept because they took long"),
    ("traces.decided.chance", "counter", "traces", "traces that were kept by chance"),
    ("traces.decided.part", "counter", "traces", "traces that were dropped by chance"),
    ("traces.decided.rate", "counter", "traces", "traces that were dropped because enough were kept in that second"),
    ("traces.decided.early", "counter", "traces", "traces that were decided upon before their time, for want of room"),
    ("traces.waiting", "gauge", "spans", "spans in memory, for a decision or for the store"),
    ("traces.undecided", "gauge", "traces", "traces that wait for a decision"),
    ("traces.journal", "gauge", "bytes", "what is written down of spans that are not stored yet"),
    ("traces.store.up", "gauge", "0 or 1", "1 while the store keeps traces"),
    ("traces.store.spool", "gauge", "batches", "batches of spans that wait on disk for the store"),
    ("traces.sink.<sink>.up", "gauge", "0 or 1", "1 while the sink takes spans"),
    ("traces.sink.<sink>.spool", "gauge", "batches", "batches of spans that wait on disk for the sink"),
    ("traces.source.<source>.received", "counter", "notifications", "OSProfiler's notifications that came from the bus"),
    ("traces.source.<source>.stored", "counter", "notifications", "those of them that are kept"),
    ("traces.source.<source>.duplicates", "counter", "notifications", "those of them that had come before"),
    ("traces.source.<source>.bad", "counter", "messages", "what came from there and is no notification of OSProfiler"),
    ("traces.source.<source>.waiting", "gauge", "notifications", "notifications from there that are not kept yet"),
    ("traces.source.<source>.lag", "gauge", "s", "time from a notification to when it was kept, of the last one"),
    ("traces.source.<source>.up", "gauge", "0 or 1", "1 while notifications can come from there"),
)
"""Name, kind, unit, and what it tells."""
SOURCE = "traces.source"


def totals(status: TracesStatus, label: Callable[[str], str]) -> dict[str, float]:
    """Return the counts since the start; `label` makes a name of a way's."""
    found = waymetrics.totals(SOURCE, status.ways, label)
    if status.taken:
        for name in ("taken", "kept", "sampled", "refused"):
            found[f"traces.{name}"] = getattr(status, name)
        found |= {f"traces.decided.{reason}": number for reason, number in (*status.traces.items(), ("early", status.early))}
    return found


def gauges(status: TracesStatus, label: Callable[[str], str]) -> dict[str, float]:
    """Return how each way, sampling, the store and each sink is now."""
    found = waymetrics.gauges(SOURCE, status.ways, label)
    if status.taken:
        found |= {
            "traces.waiting": status.waiting,
            "traces.undecided": status.undecided,
            "traces.journal": status.written_down,
        }
    named = [("traces.store", status.store), *((f"traces.sink.{label(sink.name)}", sink) for sink in status.sinks)]
    for name, sink in named:
        if sink is not None:
            found |= {f"{name}.up": float(sink.failing_since is None), f"{name}.spool": sink.spool_items}
    return found
