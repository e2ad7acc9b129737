"""How a series becomes a path: the namespaces of statsd, old and new, with their prefixes and suffix.

Source: the reference server's Graphite backend, options ``legacyNamespace``, ``globalPrefix``, ``prefixCounter``,
``prefixTimer``, ``prefixGauge``, ``prefixSet``, ``globalSuffix`` and ``flush_counts``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from nilometer.core.record import Kind


class Affix(NamedTuple):
    """What stands before a series' name and after it; the series' tags follow."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Naming:
    """Where each statistic of a series goes in a tree of dotted paths.

    `legacy` is statsd's old tree (counters straight below ``stats`` and ``stats_counts``); the prefixes then have no
    effect. A prefix of ``""`` is left out. `suffix` ends every path, before the tags. `counts` keeps the counters'
    ``count`` besides their ``rate``. `sanitize` cleans the name (not the tags) for keys that were not cleaned on arrival.
    """

    legacy: bool = False
    prefix: str = "stats"
    counter: str = "counters"
    timer: str = "timers"
    gauge: str = "gauges"
    set: str = "sets"
    suffix: str | None = None
    counts: bool = True
    sanitize: bool = False

    def affix(self, kind: Kind, statistic: str) -> Affix | None:
        """Return what surrounds the name of a series for one statistic, None when it is not sent."""
        if kind is Kind.COUNTER and statistic == "count" and not self.counts:
            return None
        end = "" if self.suffix is None else "." + self.suffix
        if self.legacy and kind is Kind.COUNTER:
            return Affix("stats_counts." if statistic == "count" else "stats.", end)
        stat = "" if kind is Kind.GAUGE else "." + statistic
        return Affix(self._before(kind), stat + end)

    def _before(self, kind: Kind) -> str:
        if self.legacy:
            return f"stats.{kind}s."
        own = {Kind.COUNTER: self.counter, Kind.TIMER: self.timer, Kind.GAUGE: self.gauge, Kind.SET: self.set}[kind]
        return "".join(part + "." for part in (self.prefix, own) if part)
