from __future__ import annotations

import pytest

from nilometer.core.naming import Affix, Naming
from nilometer.core.record import Kind


@pytest.mark.parametrize(
    ("naming", "kind", "statistic", "path"),
    [
        (Naming(), Kind.COUNTER, "rate", "stats.counters.KEY.rate"),
        (Naming(), Kind.COUNTER, "count", "stats.counters.KEY.count"),
        (Naming(), Kind.TIMER, "upper_90", "stats.timers.KEY.upper_90"),
        (Naming(), Kind.TIMER, "histogram.bin_10", "stats.timers.KEY.histogram.bin_10"),
        (Naming(), Kind.GAUGE, "value", "stats.gauges.KEY"),
        (Naming(), Kind.SET, "count", "stats.sets.KEY.count"),
        (Naming(suffix="eu"), Kind.GAUGE, "value", "stats.gauges.KEY.eu"),
        (Naming(suffix=""), Kind.SET, "count", "stats.sets.KEY.count."),
        (Naming(prefix="", counter=""), Kind.COUNTER, "rate", "KEY.rate"),
        (Naming(prefix="a", timer="b"), Kind.TIMER, "mean", "a.b.KEY.mean"),
        (Naming(legacy=True), Kind.COUNTER, "rate", "stats.KEY"),
        (Naming(legacy=True), Kind.COUNTER, "count", "stats_counts.KEY"),
        (Naming(legacy=True, suffix="x"), Kind.COUNTER, "count", "stats_counts.KEY.x"),
        (Naming(legacy=True, prefix="p", gauge="q"), Kind.GAUGE, "value", "stats.gauges.KEY"),
        (Naming(legacy=True, timer="q"), Kind.TIMER, "std", "stats.timers.KEY.std"),
        (Naming(legacy=True), Kind.SET, "count", "stats.sets.KEY.count"),
    ],
)
def test_where_a_statistic_goes(naming: Naming, kind: Kind, statistic: str, path: str) -> None:
    assert naming.affix(kind, statistic) == Affix(*path.split("KEY"))


def test_counts_can_be_left_out() -> None:
    naming = Naming(counts=False)
    assert naming.affix(Kind.COUNTER, "count") is None
    assert naming.affix(Kind.COUNTER, "rate") is not None
    assert naming.affix(Kind.SET, "count") is not None
    assert naming.affix(Kind.TIMER, "count") is not None
