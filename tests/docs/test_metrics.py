"""docs/reference/metrics.md lists every metric that the server sends about itself, and no other."""

from __future__ import annotations

from pathlib import Path

from nilometer.core.setting import text
from nilometer.core.settings import find
from nilometer.ingest.selfmetrics import METRICS

PAGE = Path(__file__).parents[2] / "docs/reference/metrics.md"


def rows() -> list[tuple[str, ...]]:
    """Return the cells of the page's table, line by line."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    return [tuple(cell.strip().strip("`") for cell in line.strip("|").split("|")) for line in lines]


def test_the_page_and_the_code_list_the_same_metrics() -> None:
    assert rows() == [(metric.name, str(metric.kind), metric.unit, metric.help) for metric in METRICS]


def test_every_metric_stands_once() -> None:
    names = [metric.name for metric in METRICS]

    assert len(set(names)) == len(names)


def test_the_page_names_the_default_prefix() -> None:
    assert f"`{text(find('self.prefix').default)}` by default" in PAGE.read_text()
