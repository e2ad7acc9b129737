"""Grafana's dashboards for the series that a store has: an overview, and one for each first part of names.

Rules:

* Panels ask with wildcards, one target for each depth of names, so that their number does not grow with the series.
* The same series make the same text: a dashboard's uid is a hash of what it is about.
* Known are names as the server makes them: ``stats.counters.web.…``, whatever stands for ``stats``. A series with tags, one
  whose first part needs quoting, and one of statsd's old tree is in no dashboard; `Made` tells how many.

Source: Grafana, "Dashboard JSON model", the classic model.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

UID = "nilometer"
"""The data source's uid, by which panels name it."""
SOURCE = {"type": "graphite", "uid": UID}
SCHEMA = 39
MOST_BOARDS, MOST_LINES, MOST_TARGETS = 100, 20, 6
ERRORS = r"(?i)error|fail|exception|timeout|5xx|4xx"
PERCENTILE = re.compile(r"upper_\w+")
PLAIN = re.compile(r"[A-Za-z0-9_-]+")
HIGH, WIDE, COLUMNS = 8, 12, 24
OWN = (
    ("Lines", "counters", ("lines.rate", "bad_lines.rate", "packets.rate"), "short"),
    ("Lost", "counters", ("kernel_drops.rate", "lost.*.*.rate"), "short"),
    ("Sinks: age of the last flush", "gauges", ("sink.*.age",), "s"),
    ("Sinks: flushes written and dropped", "counters", ("sink.*.written.rate", "sink.*.dropped.rate"), "short"),
    ("Flush", "gauges", ("flush.duration", "flush.lateness", "flush.pause"), "ms"),
    ("Series", "gauges", ("series",), "short"),
)
"""The overview's panels: title, kind, the server's own metrics, unit."""


class Made(NamedTuple):
    """Dashboards by file name, and how many series are in none."""

    boards: Mapping[str, dict[str, Any]]
    left_out: int


class Family(NamedTuple):
    """Series that share a panel: namespace and kind, and the statistic, ``""`` for gauges."""

    before: str
    kind: str
    statistic: str


class Panel(NamedTuple):
    """A chart before it has its place."""

    title: str
    targets: tuple[str, ...]
    unit: str


def dashboards(paths: Iterable[str], own: str = "nilometer") -> Made:
    """Return the dashboards for the paths; `own` is the server's own prefix."""
    depths: dict[str, dict[Family, set[int]]] = defaultdict(lambda: defaultdict(set))
    failing, left_out, namespaces = set[tuple[str, Family]](), 0, set[str]()
    for path in paths:
        found = _placed(path)
        if found is None or (found[0] not in depths and len(depths) > MOST_BOARDS):
            left_out += 1
            continue
        prefix, family, depth = found
        namespaces.add(family.before)
        if prefix != own:
            depths[prefix][family].add(depth)
            if family.kind == "counters" and re.search(ERRORS, path):
                failing.add((prefix, family))
    boards = {"overview": _board("Nilometer: the server", own, _own(sorted(namespaces), own))}
    for prefix, families in sorted(depths.items()):
        errors = {family for each, family in failing if each == prefix}
        boards[f"prefix-{prefix}"] = _board(f"Nilometer: {prefix}", f"prefix/{prefix}", _panels(prefix, families, errors))
    return Made(boards, left_out)


def _placed(path: str) -> tuple[str, Family, int] | None:
    """Return a path's first name part, its family and how many parts its name has; None when it has no place."""
    parts = path.split(".")
    kind = parts[1] if len(parts) > 2 else ""  # noqa: PLR2004 namespace, kind and a name
    if (
        kind not in ("counters", "timers", "gauges", "sets")
        or not all(map(PLAIN.fullmatch, (parts[0], parts[2])))
        or ";" in path
    ):
        return None
    statistic = "" if kind == "gauges" else parts[-1]
    depth = len(parts) - 2 - bool(statistic)
    return (parts[2], Family(parts[0], kind, statistic), depth) if depth else None


def _panels(prefix: str, families: Mapping[Family, set[int]], errors: set[Family]) -> Iterator[Panel]:
    for before in sorted({family.before for family in families}):
        here = {family: depths for family, depths in families.items() if family.before == before}
        for title, kind, statistics, unit in (
            ("Rates", "counters", "rate", "short"),
            ("Mean", "timers", "mean", "ms"),
            ("Percentiles", "timers", PERCENTILE, "ms"),
            ("Timers: how many a second", "timers", "count_ps", "short"),
            ("Gauges", "gauges", "", "short"),
            ("Sets: distinct values", "sets", "count", "short"),
        ):
            chosen = [family for family in sorted(here) if family.kind == kind and re.fullmatch(statistics, family.statistic)]
            globs = [(family, depth) for family in chosen for depth in sorted(here[family])]
            if globs:
                yield Panel(title, tuple(_target(prefix, *each) for each in globs[:MOST_TARGETS]), unit)
        failing = [family for family in sorted(errors & set(here)) if family.statistic == "rate"]
        wrong = tuple(_target(prefix, family, depth, ERRORS) for family in failing for depth in sorted(here[family]))
        if wrong:
            yield Panel("Errors", wrong[:MOST_TARGETS], "short")


def _target(prefix: str, family: Family, depth: int, only: str = "") -> str:
    """Return a target for all series of a family at a depth, named as clients name them."""
    name = [prefix, *"*" * (depth - 1)]
    glob = ".".join([family.before, family.kind, *name, *([family.statistic] if family.statistic else [])])
    chosen = f"grep({glob}, '{only}')" if only else glob
    nodes = list(range(2, 2 + depth + (PERCENTILE.fullmatch(family.statistic) is not None)))
    return f"aliasByNode(highestAverage({chosen}, {MOST_LINES}), {', '.join(map(str, nodes))})"


def _own(namespaces: Iterable[str], own: str) -> Iterator[Panel]:
    after = 2 + own.count(".") + 1
    for before in namespaces:
        for title, kind, names, unit in OWN:
            targets = tuple(
                f"aliasByNode({before}.{kind}.{own}.{name}, {', '.join(str(after + each) for each in range(_shown(name)))})"
                for name in names
            )
            yield Panel(title, targets, unit)


def _shown(name: str) -> int:
    """Return how many parts of a metric's name a line is called by: all but the statistic."""
    return len(name.removesuffix(".rate").split("."))


def _board(title: str, about: str, panels: Iterable[Panel]) -> dict[str, Any]:
    return {
        "id": None,
        "uid": f"{UID}-{hashlib.sha256(about.encode()).hexdigest()[:20]}",
        "title": title,
        "tags": [UID],
        "timezone": "browser",
        "editable": True,
        "graphTooltip": 1,
        "refresh": "10s",
        "schemaVersion": SCHEMA,
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": []},
        "annotations": {"list": []},
        "panels": [_panel(place, panel) for place, panel in enumerate(panels)],
    }


def _panel(place: int, panel: Panel) -> dict[str, Any]:
    return {
        "id": place + 1,
        "type": "timeseries",
        "title": panel.title,
        "datasource": SOURCE,
        "gridPos": {"h": HIGH, "w": WIDE, "x": place * WIDE % COLUMNS, "y": place * WIDE // COLUMNS * HIGH},
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "options": {"legend": {"showLegend": True, "displayMode": "list", "placement": "bottom"}},
        "targets": [
            {"refId": chr(ord("A") + number), "datasource": SOURCE, "target": target}
            for number, target in enumerate(panel.targets)
        ],
    }
