"""Around a kernel: settings become its rules; its finished window becomes a `Flush`, joined by the server's own series."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nilometer.core import pattern
from nilometer.core.record import Flush
from nilometer.core.rules import PRESETS
from nilometer.ingest import mapping
from nilometer.ingest.kernel import Aggregation, Histogram, Rule

if TYPE_CHECKING:
    from nilometer.core.losses import Losses
    from nilometer.core.rules import RuleTable
    from nilometer.core.settings import Settings
    from nilometer.ingest.kernel import Aggregates, Tally
    from nilometer.ingest.selfmetrics import Moment, SelfMetrics

OVERFLOW = "overflow"
"""Below the prefix of the server's own metrics, the series that take what limits refuse."""


def assemble(aggregates: Aggregates, moment: Moment, metrics: SelfMetrics) -> Flush:
    """Return the record of a window, the server's own series included."""
    first, last = metrics.blocks(moment)
    return Flush(moment.window, (*first, *aggregates.blocks, *last), moment.duration_ms)


def count_losses(tally: Tally, losses: Losses) -> None:
    """Count what the kernel refused and what the operating system dropped."""
    losses.count("kernel", "bad_line", tally.bad_lines)
    losses.count("kernel", "name_limit", tally.name_over_limit)
    losses.count("kernel", "tag_limit", tally.tags_over_limit)
    losses.count("kernel", "series_limit", tally.series_over_limit)
    losses.count("kernel", "key_limit", tally.keys_over_limit)
    losses.count("kernel", "prefix_limit", tally.prefix_over_limit)
    losses.count("kernel", "source_limit", tally.source_over_limit)
    losses.count("kernel", "sample_limit", tally.samples_over_limit)
    losses.count("kernel", "set_member_limit", tally.members_over_limit)
    losses.count("kernel", "rule", tally.dropped_by_rules)
    losses.count("kernel", "timed_limit", tally.timed_over_limit)
    losses.count("socket", "kernel_drop", tally.kernel_drops)


def rules(settings: Settings) -> Aggregation:
    """Return what the settings ask of a kernel. Raise `SettingError` when the file of mappings is wrong."""
    timers, idle, limits = settings.timers, settings.idle, settings.limits
    interval = settings.flush.interval
    mapped = mapping.load(Path(settings.rules.mapping).expanduser()) if settings.rules.mapping else ()
    ready = (PRESETS[name] for name in settings.rules.presets)
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
        expire_counters=idle.expire_counters.within(interval),
        expire_timers=idle.expire_timers.within(interval),
        expire_gauges=idle.expire_gauges.within(interval),
        expire_sets=idle.expire_sets.within(interval),
        rules=tuple(_rule(rule, interval) for rule in (*settings.rules.list, *mapped, *ready)),
        tags=static_tags(settings),
        sanitize=settings.names.sanitize,
        max_series=limits.series,
        max_series_per_prefix=limits.series_per_prefix,
        prefix_parts=limits.prefix_parts,
        max_series_per_source=limits.series_per_source,
        max_tags=limits.tags,
        max_name=limits.name,
        max_key_bytes=limits.keys,
        overflow=".".join(filter(None, (settings.self.prefix, OVERFLOW))),
        max_samples=limits.samples,
        max_samples_per_timer=limits.samples_per_timer,
        max_set_members=limits.set_members,
        max_members_per_set=limits.members_per_set,
        max_line=limits.line,
        sketch=timers.sketch,
        cumulative=timers.cumulative,
    )


def static_tags(settings: Settings) -> tuple[tuple[str, str], ...]:
    """Return the names and values of the tags that every series gets."""
    return tuple((name, value) for name, _, value in (tag.partition(":") for tag in settings.names.tags))


def _rule(rule: RuleTable, interval: float) -> Rule:
    found = rule.pattern()
    return Rule(
        pattern=found.text,
        kind=rule.type,
        with_tags=tuple(
            (name, value if colon else "*") for name, colon, value in (tag.partition(":") for tag in rule.with_tags)
        ),
        action=rule.action,
        rename=pattern.template(rule.rename, found) if rule.rename else None,
        escape=rule.prometheus_names,
        tags=tuple((name, pattern.template(value, found)) for name, _, value in (tag.partition(":") for tag in rule.tags)),
        remove_tags=rule.remove_tags,
        honor_tags=rule.honor_tags,
        scale=rule.scale,
        sample=rule.sample,
        percentiles=rule.percentiles,
        histogram=rule.bounds(),
        cumulative=rule.cumulative,
        sketch=rule.sketch,
        statistics=rule.statistics,
        expire=None if rule.expire is None else rule.expire.within(interval),
        every=rule.flush_every,
    )
