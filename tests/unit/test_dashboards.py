"""Dashboards: what they ask has answers, they stay the same, files change only when they must."""

from __future__ import annotations

import json
from datetime import UTC
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from nilometer.cli import dashboards as command
from nilometer.cli.link import Access
from nilometer.cli.main import main
from nilometer.cli.options import Chosen
from nilometer.query.dashboards import dashboards
from nilometer.query.dashboards.names import MOST_BOARDS
from nilometer.query.dashboards.panels import MOST_TARGETS
from nilometer.query.evaluate import evaluate
from nilometer.testing.grafana_variables import filled, offered
from nilometer.testing.series import Shelf

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


def charts(board: dict[str, Any], shelf: Shelf = SHELF, **chosen: list[str]) -> dict[str, list[str]]:
    """Return the lines of each panel, with what is chosen for the variables."""
    drawn: dict[str, list[str]] = {}
    for panel in board["panels"]:
        targets = [filled(each["target"], board, chosen) for each in panel["targets"]]
        found = evaluate(shelf, targets, 1_000_000, 1_000_060, now=1_000_060, zone=UTC)
        drawn[panel["title"]] = [each.name for each in found]
    return drawn


def shelf_of(paths: list[str]) -> Shelf:
    return Shelf({path: dict.fromkeys(range(1_000_000, 1_000_061, 10), 1.0) for path in paths})


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


def test_what_is_chosen_narrows_the_panels_down() -> None:
    board = dashboards(PATHS).boards["prefix-web"]
    assert [(each["name"], each["query"]) for each in board["templating"]["list"]] == [
        ("name", "stats.{counters,sets,timers}.web.*")
    ]
    assert charts(board, name=["login"])["Rates"] == ["web.login.errors"]
    assert charts(board, name=["hits", "users"])["Rates"] == ["web.hits"]


def test_what_stands_for_stats_may_have_several_parts() -> None:
    deep = [path.replace("stats", "company.prod") for path in PATHS]
    assert dashboards(deep).left_out == 0
    board = dashboards(deep).boards["prefix-web"]
    assert charts(board, shelf_of(deep)) == charts(dashboards(PATHS).boards["prefix-web"])
    assert board["templating"]["list"][0]["query"] == "company.prod.{counters,sets,timers}.web.*"
    assert dashboards([*deep, *PATHS]).boards["prefix-web"]["templating"]["list"][0]["query"].startswith("company.prod.{")
    assert charts(dashboards(deep).boards["overview"], shelf_of(deep)) == charts(dashboards(PATHS).boards["overview"])
    assert dashboards(["stats.web.timers.x.y", "stats_counts.web.timers.x.y"]).left_out == 0


OLD = ["stats.web.hits", "stats.web.login.errors", "stats_counts.web.hits", "stats_counts.web.login.errors"]
OLD += ["stats.timers.web.time.mean", "stats.nilometer.lines", "stats_counts.nilometer.lines", "statsd.numStats"]


def test_the_old_tree_of_statsd_has_the_same_panels() -> None:
    made, shelf = dashboards(OLD), shelf_of(OLD)
    assert made.left_out == 1
    assert dashboards(reversed(OLD)) == made
    board = made.boards["prefix-web"]
    assert [(each["name"], each["query"]) for each in board["templating"]["list"]] == [
        ("name", "stats.timers.web.*"),
        ("counter", "stats.web.*"),
    ]
    assert charts(board, shelf) == {
        "Rates": ["web.hits", "web.login.errors"],
        "Mean": ["web.time"],
        "Errors": ["web.login.errors"],
    }
    assert charts(board, shelf, counter=["hits"])["Rates"] == ["web.hits"]
    assert charts(made.boards["overview"], shelf)["Lines"] == ["lines"]


TAGGED = [
    "stats.counters.web.hits.rate;dc=east;host=a",
    "stats.counters.web.hits.rate;dc=west;host=b",
    "stats.counters.web.errors.rate;dc=west",
    "stats.counters.webby.hits.rate;dc=west",
    "stats.gauges.web;dc=east;odd-tag=x",
    "stats.timers.web.time.upper_90;host=a",
    "stats_counts.web.old;dc=east",
    "stats.web.old;dc=east",
]


def test_series_with_tags_have_panels_of_their_own() -> None:
    made, shelf = dashboards(TAGGED), shelf_of(TAGGED)
    board = made.boards["prefix-web"]
    assert made.left_out == 0
    everything = charts(board, shelf)
    assert sorted(everything["Rates, by tags"]) == [
        "stats.counters.web.errors.rate.west.",
        "stats.counters.web.hits.rate.east.a",
        "stats.counters.web.hits.rate.west.b",
        "stats.web.old.east.",
    ]
    assert everything["Percentiles, by tags"] == ["stats.timers.web.time.upper_90..a"]
    assert everything["Gauges, by tags"] == ["stats.gauges.web.east."]
    assert everything["Errors, by tags"] == ["stats.counters.web.errors.rate.west."]
    assert charts(board, shelf, tag_host=["b"])["Rates, by tags"] == ["stats.counters.web.hits.rate.west.b"]
    assert charts(board, shelf, tag_dc=["east"], tag_host=["a", "b"])["Rates, by tags"] == [
        "stats.counters.web.hits.rate.east.a"
    ]


@pytest.mark.parametrize("paths", [PATHS, OLD, TAGGED, ["stats.counters.web.a"]])
def test_variables_offer_what_there_is(paths: list[str]) -> None:
    shelf = shelf_of(paths)
    for board in dashboards(paths).boards.values():
        for variable in board["templating"]["list"]:
            assert offered(shelf, variable["query"])
            assert f"${variable['name']}" in json.dumps(board["panels"]).replace("{", "")


SCHEMAS = Path(__file__).parent.parent / "data" / "grafana"


@pytest.mark.parametrize("version", ["10.2", "11.6", "12.3"])
def test_dashboards_fit_the_schemas_that_grafana_publishes(version: str) -> None:
    of_boards, of_charts = (
        json.loads((SCHEMAS / f"{name}-{version}.json").read_text("utf-8")) for name in ("dashboard", "timeseries")
    )
    board_fits = jsonschema_rs.validator_for(of_boards)
    chart_fits = jsonschema_rs.validator_for(of_charts | {"$ref": "#/definitions/Options"})
    boards = dashboards([*PATHS, *OLD, *TAGGED]).boards.values()
    for board in boards:
        board_fits.validate(board)
        assert all(panel["type"] == "timeseries" for panel in board["panels"])
        for panel in board["panels"]:
            chart_fits.validate(panel["options"])
    assert not board_fits.is_valid(board | {"pannels": []})


def test_targets_have_the_fields_of_a_graphite_query_and_letters_of_their_own() -> None:
    for board in dashboards([*PATHS, *OLD, *TAGGED]).boards.values():
        for panel in board["panels"]:
            assert all(set(target) == {"refId", "datasource", "target", "textEditor"} for target in panel["targets"])
            letters = [target["refId"] for target in panel["targets"]]
            assert len(set(letters)) == len(letters)


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
    assert len(dashboards([f"stats.gauges.p;t{number}=x" for number in range(9)]).boards["prefix-p"]["templating"]["list"]) == 4


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
    monkeypatch.setattr("nilometer.backends.registry.open", lambda _url, _capability: SHELF)
    monkeypatch.setattr(command, "PAGE", 3)
    assert list(command.paths("memory://", Access(), Chosen())) == PATHS


def test_errors_name_culprit_and_cure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nothing = str(tmp_path / "nothing")
    assert main(["dashboards", "--output", nothing, "--server-state", nothing]) == 2
    assert "no store is there; name one by its URL" in capsys.readouterr().err
    assert main(["dashboards", "memory://x", "--output", nothing, "--data-source", "ftp://x"]) == 2
