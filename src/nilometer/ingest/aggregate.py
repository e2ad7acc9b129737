"""Around a kernel: settings become its rules; its finished window becomes a `Flush`, joined by the server's own series."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.core.record import Flush
from nilometer.ingest.kernel import Aggregation, Histogram

if TYPE_CHECKING:
    from nilometer.core.losses import Losses
    from nilometer.core.settings import Settings
    from nilometer.ingest.kernel import Aggregates, Tally
    from nilometer.ingest.selfmetrics import Moment, SelfMetrics


def assemble(aggregates: Aggregates, moment: Moment, metrics: SelfMetrics) -> Flush:
    """Return the record of a window, the server's own series included."""
    first, last = metrics.blocks(moment)
    return Flush(moment.window, (*first, *aggregates.blocks, *last), moment.duration_ms)


def count_losses(tally: Tally, losses: Losses) -> None:
    """Count what the kernel refused and what the operating system dropped."""
    losses.count("kernel", "bad_line", tally.bad_lines)
    losses.count("kernel", "series_limit", tally.series_over_limit)
    losses.count("kernel", "sample_limit", tally.samples_over_limit)
    losses.count("kernel", "set_member_limit", tally.members_over_limit)
    losses.count("kernel", "rule", tally.dropped_by_rules)
    losses.count("socket", "kernel_drop", tally.kernel_drops)


def rules(settings: Settings) -> Aggregation:
    """Return what the settings ask of a kernel."""
    timers, idle, limits = settings.timers, settings.idle, settings.limits
    return Aggregation(
        percentiles=timers.percentiles,
        histograms=tuple(Histogram(histogram.match, histogram.bins) for histogram in timers.histograms),
        timer_statistics=timers.statistics,
        delete_counters=idle.delete_counters,
        delete_timers=idle.delete_timers,
        delete_sets=idle.delete_sets,
        delete_gauges=idle.delete_gauges,
        gauge_ttl=idle.gauge_ttl,
        keep=idle.keep,
        sanitize=settings.names.sanitize,
        max_series=limits.series,
        max_samples=limits.samples,
        max_set_members=limits.set_members,
        max_line=limits.line,
    )
