"""Options of a URL that say how series become paths; apart from the others, for not everyone who reads a URL has series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nilometer.core.naming import Naming
from nilometer.core.options import one_of, option

if TYPE_CHECKING:
    from nilometer.core.url import Url

LEGACY = "legacy"
NAMESPACES = ("statsd", LEGACY)


@dataclass(frozen=True, slots=True)
class NamingOptions:
    """How series become paths: what every backend takes that keeps a tree of paths."""

    namespace: str = option("statsd", "the tree of paths: `statsd` (new) or `legacy` (old, without the prefixes below)")
    prefix: str = option("stats", "first part of every path; left out when empty")
    prefix_counter: str = option("counters", "second part of a counter's path")
    prefix_timer: str = option("timers", "second part of a timer's path")
    prefix_gauge: str = option("gauges", "second part of a gauge's path")
    prefix_set: str = option("sets", "second part of a set's path")
    suffix: str | None = option(None, "last part of every path, before the tags")
    counts: bool = option(default=True, text="write counters' `count` besides their `rate`")
    sanitize: bool = option(default=False, text="clean names that were not cleaned on arrival")

    def naming(self, url: Url) -> Naming:
        """Return how series become paths. Raise `UrlError` for an unknown namespace."""
        return Naming(
            legacy=one_of(url, "namespace", self.namespace, NAMESPACES) == LEGACY,
            prefix=self.prefix,
            counter=self.prefix_counter,
            timer=self.prefix_timer,
            gauge=self.prefix_gauge,
            set=self.prefix_set,
            suffix=self.suffix,
            counts=self.counts,
            sanitize=self.sanitize,
        )
