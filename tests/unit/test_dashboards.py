"""Dashboards: what they ask has answers, they stay the same, files change only when they must."""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING, Any

from nilometer.cli import dashboards as command
from nilometer.cli.main import main
from nilometer.query.dashboards import MOST_BOARDS, MOST_TARGETS, dashboards
from nilometer.query.evaluate import evaluate
from nilometer.testing.series import Shelf

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

PATHS = [
    "stats.counters.nilometer.lines.rate",
    "stats.counters.nilometer.lost.kernel.bad_line.rate",
    "stats.counters.web.hits.count",
    "stats.counters.web.hits.rate",
    "stats.counters.web.login.errors.rate",
    "stats.gauges.db.pool.size",
    "stats.gauges.nilometer.sink.null.age",
    "stats.sets.web.users.count",
    "stats.timers.web.time.mean",
    "stats.timers.web.time.upper_90",
]
SHELF = Shelf({path: dict.fromkeys(range(1_000_000, 1_000_061, 10), 1.0) for path in PATHS})


def names(target: str) -> list[str]:
    return [found.name for found in evaluate(SHELF, [target], 1_000_000, 1_000_060, now=1_000_060, zone=UTC)]


def charts(board: dict[str, Any]) -> dict[str, list[str]]:
    """Return the lines of each panel."""
    return {panel["title"]: [name for each in panel["targets"] for name in names(each["target"])] for panel in board["panels"]}


def test_each_prefix_has_a_dashboard_whose_panels_find_their_series() -> None:
    boards = dashboards(PATHS).boards
    assert list(boards) == ["overview", "prefix-db", "prefix-web"]
    assert charts(boards["prefix-db"]) == {"Gauges": ["db.pool.size"]}
    assert charts(boards["prefix-web"]) == {
        "Rates": ["web.hits", "web.login.errors"],
        "Mean": ["web.time"],
        "Percentiles": ["web.time.upper_90"],
        "Sets: distinct values": ["web.users"],
        "Errors": ["web.login.errors"],
    }
    overview = charts(boards["overview"])
    assert (overview["Lines"], overview["Lost"]) == (["lines"], ["lost.kernel.bad_line"])
    assert overview["Sinks: age of the last flush"] == ["sink.null.age"]


def test_the_order_of_paths_changes_nothing_and_uids_fit_grafana() -> None:
    made = dashboards(PATHS)
    assert json.dumps(dashboards(reversed(PATHS)).boards) == json.dumps(made.boards)
    uids = [board["uid"] for board in made.boards.values()]
    assert len(set(uids)) == len(uids)
    assert max(map(len, uids)) <= 40


def test_no_two_dashboards_share_a_title() -> None:
    titles = [board["title"] for board in dashboards(["stats.gauges.overview.x", "stats.gauges.server.x"]).boards.values()]
    assert len(set(titles)) == 3


def test_panels_and_dashboards_are_bounded_and_what_is_left_out_is_counted() -> None:
    deep = ["stats.gauges.deep" + ".x" * depth for depth in range(1, 30)]
    panel = dashboards(deep).boards["prefix-deep"]["panels"][0]
    assert len(panel["targets"]) == MOST_TARGETS
    many = dashboards([f"stats.gauges.p{number}.x" for number in range(MOST_BOARDS + 50)])
    assert len(many.boards) + many.left_out == 1 + MOST_BOARDS + 50
    assert dashboards(["hits;dc=east", "stats.gauges.a(b.x", "stats.gauges", "stats.counters.x", "cpu"]).left_out == 5


def test_writing_again_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nilometer.backends.registry.open", lambda _url, _capability: SHELF)
    line = ["dashboards", "memory://", "--output", str(tmp_path)]
    assert main(line) == 0
    assert capsys.readouterr().out.count("written  ") == 5
    assert main(line) == 0
    assert capsys.readouterr().out.count("unchanged  ") == 5
    assert 'url: "http://127.0.0.1:8127"' in (tmp_path / "provisioning/datasources/nilometer.yaml").read_text("utf-8")


def test_pages_are_read_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "PAGE", 3)
    assert list(command.paths(SHELF)) == PATHS


def test_errors_name_culprit_and_cure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nothing = str(tmp_path / "nothing")
    assert main(["dashboards", "--output", nothing, "--server-state", nothing]) == 2
    assert "no store is there; name one by its URL" in capsys.readouterr().err
    assert main(["dashboards", "memory://x", "--output", nothing, "--data-source", "ftp://x"]) == 2
