"""Which series may be made: bounds on their number, in all, by prefix and by source, and on their keys.

Rules:

* Bounds are looked at when a series would be made, in the order of `Gate.admit`.
* A series is counted with the prefix and the source that it had then, until it is deleted, whatever the rules say by then. One
  that was made while there was no such bound is in no group.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nilometer.core.record import Kind
    from nilometer.ingest.kernel import Aggregation

NAME, TAGS, SERIES, KEYS = "name_over_limit", "tags_over_limit", "series_over_limit", "keys_over_limit"
PREFIX, SOURCE = "prefix_over_limit", "source_over_limit"
SAMPLES, MEMBERS = "samples_over_limit", "members_over_limit"
PORT = re.compile(r":[0-9]+\Z", re.ASCII)

Group = tuple[str, str]


class Gate:
    """Counts the series that were made, by what they share."""

    __slots__ = ("_groups", "_key_bytes", "_sizes")

    def __init__(self) -> None:
        self._key_bytes = 0
        self._sizes: Counter[Group] = Counter()
        self._groups: dict[tuple[Kind, str, bool], list[Group]] = {}

    def admit(self, key: str, source: str, rules: Aggregation, series: int) -> str | None:
        """Return the limit that refuses one more series beside `series` others, None when there is none."""
        name, *tags = key.split(";")
        if len(name.encode()) > rules.max_name:
            return NAME
        if len(tags) > rules.max_tags:
            return TAGS
        if series >= rules.max_series:
            return SERIES
        if self._key_bytes + len(key.encode()) > rules.max_key_bytes:
            return KEYS
        full = {PREFIX: rules.max_series_per_prefix, SOURCE: rules.max_series_per_source}
        return next((group[0] for group in _groups(name, source, rules) if self._sizes[group] >= full[group[0]]), None)

    def enter(self, kind: Kind, key: str, source: str | None, rules: Aggregation, *, timed: bool = False) -> None:
        """Count a series that was made; without a source it is in no group. What is only `timed` counts apart."""
        groups = [] if source is None else _groups(key.partition(";")[0], source, rules)
        self._key_bytes += len(key.encode())
        self._sizes.update(groups)
        self._groups[kind, key, timed] = groups

    def leave(self, kind: Kind, key: str, *, timed: bool = False) -> None:
        """Count a series that is gone."""
        self._key_bytes -= len(key.encode())
        self._sizes.subtract(self._groups.pop((kind, key, timed)))
        self._sizes += Counter()  # without what is down to zero


def _groups(name: str, source: str, rules: Aggregation) -> list[Group]:
    """Return the groups that a new series would be in, under the limits that bound them."""
    groups = []
    if rules.max_series_per_prefix:
        groups.append((PREFIX, ".".join(name.split(".")[: max(rules.prefix_parts, 1)])))
    if rules.max_series_per_source:
        groups.append((SOURCE, PORT.sub("", source)))
    return groups
