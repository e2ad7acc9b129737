"""How Grafana writes a dashboard down: its classic model, of `SCHEMA`.

Source: Grafana's published JSON schemas of a dashboard and of the panel timeseries' options (grafana-foundation-sdk), which the
tests check this against; fields of a query: the data source Graphite's ``GraphiteQuery``.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nilometer.query.dashboards.panels import Chart, Variable

UID, SOURCE_TYPE = "nilometer", "graphite"
"""The data source's uid, by which panels name it, and its type."""
SOURCE = {"type": SOURCE_TYPE, "uid": UID}
SCHEMA = 39
HIGH, WIDE, COLUMNS = 8, 12, 24
SHARED_CROSSHAIR, ON_TIME_RANGE, ALPHABETICAL = 1, 2, 1
ALL = {"selected": True, "text": ["All"], "value": ["$__all"]}


def board(title: str, about: str, charts: Iterable[Chart], variables: Iterable[Variable]) -> dict[str, Any]:
    """Return a dashboard; its uid is a hash of what it is about."""
    return {
        "uid": f"{UID}-{hashlib.sha256(about.encode()).hexdigest()[:20]}",
        "title": title,
        "tags": [UID],
        "timezone": "browser",
        "editable": True,
        "graphTooltip": SHARED_CROSSHAIR,
        "refresh": "10s",
        "schemaVersion": SCHEMA,
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [_variable(variable) for variable in variables]},
        "annotations": {"list": []},
        "panels": [_panel(place, chart) for place, chart in enumerate(charts)],
    }


def _variable(variable: Variable) -> dict[str, Any]:
    return {
        "type": "query",
        "name": variable.name,
        "label": variable.label,
        "datasource": SOURCE,
        "query": variable.query,
        "refresh": ON_TIME_RANGE,
        "sort": ALPHABETICAL,
        "multi": True,
        "includeAll": True,
        "allValue": variable.everything,
        "current": ALL,
    }


def _panel(place: int, chart: Chart) -> dict[str, Any]:
    return {
        "id": place + 1,
        "type": "timeseries",
        "title": chart.title,
        "datasource": SOURCE,
        "gridPos": {"h": HIGH, "w": WIDE, "x": place * WIDE % COLUMNS, "y": place * WIDE // COLUMNS * HIGH},
        "fieldConfig": {"defaults": {"unit": chart.unit}, "overrides": []},
        "options": {
            "legend": {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "targets": [
            {"refId": chr(ord("A") + number), "datasource": SOURCE, "target": target, "textEditor": True}
            for number, target in enumerate(chart.targets)
        ],
    }
