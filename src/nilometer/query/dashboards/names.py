"""What paths are: which kind, which statistic, how deep; sorted by the first part of their names.

Rules:

* Known are names as the server makes them: ``stats.counters.web.…``, whatever stands for ``stats``, with or without tags. What
  stands for it ends before the first part that is a kind, and may have several parts, but for ``stats.`` itself. And known is
  statsd's old tree, whose counters are ``stats.web.…`` (a second) and ``stats_counts.web.…``. There the rate is shown, and
  known by the count beside it.
* A series whose first part needs quoting is in no dashboard; `Seen.left_out` tells how many.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from nilometer.query.series import tags_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_BOARDS = 100
ERRORS = r"(?i)error|fail|exception|timeout|5xx|4xx"
PLAIN = re.compile(r"[A-Za-z0-9_-]+")
KINDS = ("counters", "timers", "gauges", "sets")
OLD_RATES, OLD_COUNTS = "stats", "stats_counts"


class Family(NamedTuple):
    """Series that share a panel: what stands before their names, kind, statistic, and what stands after their names."""

    root: str
    kind: str
    statistic: str
    end: str

    @property
    def old(self) -> bool:
        """Say whether these are counters of statsd's old tree."""
        return self.root == OLD_RATES

    @property
    def before(self) -> str:
        """What stands for ``stats``."""
        return self.root if self.old else self.root.rpartition(".")[0]

    @property
    def first(self) -> int:
        """At which part of a path their names begin."""
        return self.root.count(".") + 1


class Place(NamedTuple):
    """The first part of a name, what the series is, and how many parts its name has."""

    prefix: str
    family: Family
    depth: int


@dataclass(slots=True)
class Prefix:
    """What there is below a first part: depths of names, families with tags, how many series have a tag, what names errors."""

    depths: dict[Family, set[int]] = field(default_factory=lambda: defaultdict(set))
    tagged: set[Family] = field(default_factory=set)
    tags: Counter[str] = field(default_factory=Counter)
    failing: set[Family] = field(default_factory=set)
    failing_tagged: set[Family] = field(default_factory=set)


@dataclass(slots=True)
class Seen:
    """Prefixes by name, the roots with the kind of series below them, and how many series are nowhere."""

    prefixes: dict[str, Prefix] = field(default_factory=dict)
    roots: set[tuple[str, str]] = field(default_factory=set)
    left_out: int = 0


def sort(paths: Iterable[str], own: str) -> Seen:
    """Return what paths say; `own` is the server's own prefix."""
    seen, rates, counts = Seen(), 0, 0
    for path in paths:
        name, tagged, _ = path.partition(";")
        place = _placed(name)
        if place is None:
            rates += name.startswith(f"{OLD_RATES}.")
            seen.left_out += 1
        elif _add(seen, place, name, tags_of(path) if tagged else {}, own):
            counts += place.family.old
        else:
            seen.left_out += 1
    seen.left_out -= min(rates, counts)  # a rate beside a count that has its place is shown with it
    return seen


def _placed(name: str) -> Place | None:
    """Return what a series without its tags is; None when it has no place."""
    parts = name.split(".")
    if parts[0] == OLD_COUNTS:
        return _place(Family(OLD_RATES, "counters", "rate", ""), parts[1:])
    at = next((place for place in range(1, len(parts) - 1) if parts[place] in KINDS), 0)
    if not at or (at > 1 and parts[0] == OLD_RATES) or not all(map(PLAIN.fullmatch, parts[:at])):
        return None
    statistic = "" if parts[at] == "gauges" else parts[-1]
    end = statistic and f".{statistic}"
    family = Family(".".join(parts[: at + 1]), parts[at], statistic, end)
    return _place(family, parts[at + 1 : -1 if end else None])


def _place(family: Family, name: list[str]) -> Place | None:
    return Place(name[0], family, len(name)) if name and PLAIN.fullmatch(name[0]) else None


def _add(seen: Seen, place: Place, name: str, tags: Mapping[str, str], own: str) -> bool:
    """Note a series, and return whether it has a dashboard."""
    prefix, family, depth = place
    if prefix != own and prefix not in seen.prefixes and len(seen.prefixes) >= MOST_BOARDS:
        return False
    seen.roots.add((family.root, family.kind))
    if prefix == own:
        return True
    found = seen.prefixes.get(prefix) or seen.prefixes.setdefault(prefix, Prefix())
    failing = family.kind == "counters" and family.statistic == "rate" and re.search(ERRORS, name) is not None
    if tags:
        found.tagged.add(family)
        found.tags.update(tag for tag in tags if tag != "name")
        found.failing_tagged.update({family} if failing else ())
    else:
        found.depths[family].add(depth)
        found.failing.update({family} if failing else ())
    return True
