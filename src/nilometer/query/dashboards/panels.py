"""What is asked about the series below a prefix: charts with their targets, and the variables that narrow them down.

Rules:

* A target is a wildcard for each depth of names, or for series with tags a regular expression of their names. It draws at most
  `MOST_LINES` lines, those that are the highest.
* The second part of names can be chosen by a variable, and values of the `MOST_TAGS` tags that most series have. Each stands
  for all until something is chosen.
* Nothing in a target needs escaping: a dot is written ``[.]``.

Source: Grafana, "Graphite template variables"; the variable of a tag is taken as a regular expression, ``${dc:regex}``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from nilometer.query.dashboards.names import ERRORS, OLD_RATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nilometer.query.dashboards.names import Family, Prefix

MOST_LINES, MOST_TARGETS, MOST_TAGS = 20, 6, 4
PERCENTILE = re.compile(r"upper_\w+")
VARIABLE = re.compile(r"\w+", re.ASCII)
NAME, COUNTER, TAG = "name", "counter", "tag_"
"""Variables: of names, of counters' names in statsd's old tree, and what begins that of a tag."""
ANYTHING = ".*"
SECTIONS = (
    ("Rates", "counters", "rate", "cps"),
    ("Mean", "timers", "mean", "ms"),
    ("Percentiles", "timers", PERCENTILE, "ms"),
    ("Timers: how many a second", "timers", "count_ps", "cps"),
    ("Gauges", "gauges", "", "short"),
    ("Sets: distinct values", "sets", "count", "short"),
)
"""The charts of a prefix: title, kind, statistic, unit."""
OWN = (
    ("Lines", "counters", ("lines.rate", "bad_lines.rate", "packets.rate"), "cps"),
    ("Lost", "counters", ("kernel_drops.rate", "lost.*.*.rate"), "cps"),
    ("Sinks: age of the last flush", "gauges", ("sink.*.age",), "s"),
    ("Sinks: flushes written and dropped", "counters", ("sink.*.written.rate", "sink.*.dropped.rate"), "cps"),
    ("Flush", "gauges", ("flush.duration", "flush.lateness", "flush.pause"), "ms"),
    ("Series", "gauges", ("series",), "short"),
)
"""The overview's charts: title, kind, the server's own metrics, unit."""


class Chart(NamedTuple):
    """A panel before it has its place."""

    title: str
    targets: tuple[str, ...]
    unit: str


class Variable(NamedTuple):
    """What can be chosen above the charts: its name, its label, the question whose answers it offers, what stands for all."""

    name: str
    label: str
    query: str
    everything: str


def about(prefix: str, found: Prefix) -> tuple[list[Chart], list[Variable]]:
    """Return the charts and the variables of a prefix."""
    charts, tags = list[Chart](), _tags(found)
    for before in sorted({family.before for family in (*found.depths, *found.tagged)}):
        here = {family: depths for family, depths in found.depths.items() if family.before == before}
        tagged = [family for family in sorted(found.tagged) if family.before == before]
        charts += _charts(prefix, here, found.failing)
        charts += _tagged_charts(prefix, tagged, found.failing_tagged, tags)
    return charts, [*_names(prefix, found), *(_tag(prefix, found, tag) for tag in tags)]


def _charts(prefix: str, here: Mapping[Family, set[int]], failing: set[Family]) -> Iterator[Chart]:
    for title, chosen, unit in _sections(here):
        yield Chart(title, tuple(_target(prefix, *each) for each in _each(chosen, here))[:MOST_TARGETS], unit)
    wrong = tuple(_target(prefix, *each, ERRORS) for each in _each(sorted(failing & set(here)), here))
    if wrong:
        yield Chart("Errors", wrong[:MOST_TARGETS], "cps")


def _tagged_charts(prefix: str, here: Sequence[Family], failing: set[Family], tags: Sequence[str]) -> Iterator[Chart]:
    for title, chosen, unit in _sections(here):
        targets = tuple(_tagged_target(prefix, family, tags) for family in chosen)
        yield Chart(f"{title}, by tags", targets[:MOST_TARGETS], unit)
    wrong = tuple(_tagged_target(prefix, family, tags, ERRORS) for family in here if family in failing)
    if wrong:
        yield Chart("Errors, by tags", wrong[:MOST_TARGETS], "cps")


def _sections(families: Iterable[Family]) -> Iterator[tuple[str, list[Family], str]]:
    """Yield title, families and unit of the charts that have something to show."""
    listed = sorted(families)
    for title, kind, statistic, unit in SECTIONS:
        chosen = [family for family in listed if family.kind == kind and re.fullmatch(statistic, family.statistic)]
        if chosen:
            yield title, chosen, unit


def _each(families: Iterable[Family], depths: Mapping[Family, set[int]]) -> Iterator[tuple[Family, int]]:
    return ((family, depth) for family in families for depth in sorted(depths[family]))


def _target(prefix: str, family: Family, depth: int, only: str = "") -> str:
    """Return a target for all series of a family at a depth, named as clients name them."""
    chosen = [f"${COUNTER if family.old else NAME}"] if depth > 1 else []
    glob = ".".join([family.root, prefix, *chosen, *"*" * (depth - 2)]) + family.end
    last = family.first + depth + (PERCENTILE.fullmatch(family.statistic) is not None)
    return f"aliasByNode({_highest(glob, only)}, {', '.join(map(str, range(family.first, last)))})"


def _tagged_target(prefix: str, family: Family, tags: Sequence[str], only: str = "") -> str:
    """Return a target for all series of a family that have tags, named by name and tags."""
    conditions = [f"'name=~{_below(prefix, [family])}([.].*)?{_dotted(family.end)}$'"]
    conditions += [f"'{tag}=~${{{TAG}{tag}:regex}}'" for tag in tags]
    shown = ", ".join(f"'{tag}'" for tag in ("name", *tags))
    found = f"seriesByTag({', '.join(conditions)})"
    return f"aliasByTags({_highest(found, only)}, {shown})"


def _highest(series: str, only: str) -> str:
    chosen = f"grep({series}, '{only}')" if only else series
    return f"highestAverage({chosen}, {MOST_LINES})"


def _below(prefix: str, families: Iterable[Family]) -> str:
    """Return the beginning of a regular expression for names with a prefix."""
    roots = [_dotted(root) for root in sorted({family.root for family in families})]
    return f"^{roots[0] if len(roots) == 1 else '(' + '|'.join(roots) + ')'}[.]{prefix}"


def _dotted(text: str) -> str:
    return text.replace(".", "[.]")


def _names(prefix: str, found: Prefix) -> Iterator[Variable]:
    """Yield the variables of names: what stands behind the prefix."""
    deep = [family for family, depths in found.depths.items() if max(depths) > 1]
    kinds = {(family.before, family.kind) for family in deep if not family.old}
    if kinds:
        befores, names = (sorted({each[part] for each in kinds}) for part in (0, 1))
        before = befores[0] if "." in "".join(befores) else _either(befores)  # a choice holds no dots
        yield Variable(NAME, "Name", f"{before}.{_either(names)}.{prefix}.*", "*")
    if any(family.old for family in deep):
        yield Variable(COUNTER, "Counter", f"stats.{prefix}.*", "*")


def _either(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{{{','.join(parts)}}}"


def _tags(found: Prefix) -> list[str]:
    """Return the tags that most series have, by name."""
    usable = ((-number, tag) for tag, number in found.tags.items() if VARIABLE.fullmatch(tag))
    return sorted(tag for _, tag in sorted(usable)[:MOST_TAGS])


def _tag(prefix: str, found: Prefix, tag: str) -> Variable:
    return Variable(f"{TAG}{tag}", tag, f"tag_values({tag},name=~{_below(prefix, found.tagged)}([.]|$))", ANYTHING)


def overview(roots: Iterable[tuple[str, str]], own: str) -> Iterator[Chart]:
    """Yield the charts of the server itself, in each tree that there is; roots come with the kind of series below them."""
    listed = list(roots)
    for title, kind, names, unit in OWN:
        for root in (root for root, each in listed if each == kind):
            yield Chart(title, tuple(_own(root, own, name) for name in names), unit)


def _own(root: str, own: str, name: str) -> str:
    """Return the target of one of the server's own metrics, called by all of its name but the statistic."""
    plain = name.removesuffix(".rate")
    first = root.count(".") + own.count(".") + 2
    nodes = ", ".join(str(first + each) for each in range(plain.count(".") + 1))
    return f"aliasByNode({root}.{own}.{plain if root == OLD_RATES else name}, {nodes})"
