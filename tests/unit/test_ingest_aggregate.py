"""From settings to the kernel's rules, and from the kernel's tally to the counters of losses."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from nilometer.core.losses import Losses
from nilometer.core.settings import load
from nilometer.ingest.aggregate import count_losses, rules
from nilometer.ingest.kernel import Aggregation, Histogram, Rule, Tally

RULES = (
    '[{match = "a.*", type = "timer", with_tags = ["env", "zone:a"], rename = "b.$1", tags = ["x:${1}"], expire = "1m", '
    "sketch = true, cumulative = false}]"
)
CHANGES: dict[str, tuple[str, str, Any]] = {
    "percentiles": ("timers.percentiles", "50 99.9", (50.0, 99.9)),
    "histograms": ("timers.histograms", '[{match = "api", bins = [1, "inf"]}]', (Histogram("api", (1.0, float("inf"))),)),
    "timer_statistics": ("timers.statistics", "mean upper", ("mean", "upper")),
    "delete_counters": ("idle.delete_counters", "true", True),
    "delete_timers": ("idle.delete_timers", "true", True),
    "delete_sets": ("idle.delete_sets", "true", True),
    "delete_gauges": ("idle.delete_gauges", "true", True),
    "gauge_ttl": ("idle.gauge_ttl", "7", 7),
    "keep": ("idle.keep", "important", ("important",)),
    "expire_counters": ("idle.expire_counters", "4", 4),
    "expire_timers": ("idle.expire_timers", "1m", 6),
    "expire_gauges": ("idle.expire_gauges", "61s", 7),
    "expire_sets": ("idle.expire_sets", "1s", 1),
    "rules": (
        "rules.list",
        RULES,
        (
            Rule(
                pattern=r"^a\.([^.]*)$",
                kind="timer",
                with_tags=(("env", "*"), ("zone", "a")),
                rename=("b.", 1),
                tags=(("x", (1,)),),
                expire=6,
                sketch=True,
                cumulative=False,
            ),
        ),
    ),
    "tags": ("names.tags", "env:prod zone:a:b", (("env", "prod"), ("zone", "a:b"))),
    "sanitize": ("names.sanitize", "false", False),
    "max_series": ("limits.series", "11", 11),
    "max_series_per_prefix": ("limits.series_per_prefix", "14", 14),
    "prefix_parts": ("limits.prefix_parts", "2", 2),
    "max_series_per_source": ("limits.series_per_source", "15", 15),
    "max_tags": ("limits.tags", "0", 0),
    "max_name": ("limits.name", "1KiB", 1024),
    "max_key_bytes": ("limits.keys", "1MiB", 1 << 20),
    "overflow": ("self.prefix", "own", "own.overflow"),
    "max_samples": ("limits.samples", "12", 12),
    "max_samples_per_timer": ("limits.samples_per_timer", "16", 16),
    "max_set_members": ("limits.set_members", "13", 13),
    "max_members_per_set": ("limits.members_per_set", "17", 17),
    "sketch": ("timers.sketch", "true", True),
    "cumulative": ("timers.cumulative", "true", True),
    "max_line": ("limits.line", "1KiB", 1024),
}
"""For each rule of a kernel the setting that it comes from, a text for it, and what the text means."""

LOSSES = {
    "bad_lines": ("kernel", "bad_line"),
    "name_over_limit": ("kernel", "name_limit"),
    "tags_over_limit": ("kernel", "tag_limit"),
    "series_over_limit": ("kernel", "series_limit"),
    "keys_over_limit": ("kernel", "key_limit"),
    "prefix_over_limit": ("kernel", "prefix_limit"),
    "source_over_limit": ("kernel", "source_limit"),
    "samples_over_limit": ("kernel", "sample_limit"),
    "members_over_limit": ("kernel", "set_member_limit"),
    "dropped_by_rules": ("kernel", "rule"),
    "kernel_drops": ("socket", "kernel_drop"),
}


def test_by_default_the_settings_are_the_rules_that_a_kernel_begins_with() -> None:
    assert rules(load(None, {})) == Aggregation()


def test_the_overflow_series_has_no_prefix_where_there_is_none() -> None:
    assert rules(load(None, {}, {"self.prefix": ""})).overflow == "overflow"


def test_every_rule_comes_from_a_setting() -> None:
    assert set(CHANGES) == {field.name for field in dataclasses.fields(Aggregation)}


@pytest.mark.parametrize("rule", CHANGES)
def test_a_setting_changes_its_own_rule_and_no_other(rule: str) -> None:
    name, text, meaning = CHANGES[rule]

    assert rules(load(None, {}, {name: text})) == dataclasses.replace(Aggregation(), **{rule: meaning})


@pytest.mark.parametrize("field", LOSSES)
def test_what_a_kernel_refused_is_counted_as_its_own_loss(field: str) -> None:
    losses = Losses()
    count_losses(Tally(**{field: 3}), losses)

    assert {line: count for line, count in losses.totals().items() if count} == {LOSSES[field]: 3}
