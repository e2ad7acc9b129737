"""OSProfiler's report, against those that OSProfiler made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nilometer.core.errors import InputError
from nilometer.core.traces.span import Span
from nilometer.core.wire import osprofiler as wire
from nilometer.testing.trace_examples import MS, START, TRACE, number, request
from nilometer.traces.osprofiler import report, spans

VECTORS = json.loads((Path(__file__).parents[1] / "data/osprofiler_vectors.json").read_text())
TREES = {case["id"]: case for case in VECTORS["D_trees"]}


@pytest.mark.parametrize("case", TREES)
def test_it_is_the_report_of_osprofiler(case: str) -> None:
    wanted = TREES[case]["report_read_in_write_order"]
    if "better" in TREES[case]:  # a name is shown whole
        text = json.dumps(wanted).replace('"name": "my"', '"name": "my-point"').replace('"my": {', '"my-point": {')
        wanted = json.loads(text)
    found = report(wire.spans(TREES[case]["notifications_in_write_order"]).spans)
    assert json.loads(json.dumps(found)) == wanted


def test_an_unknown_trace_has_an_empty_one() -> None:
    total = {"name": "total", "started": 0, "finished": None, "last_trace_started": None}
    assert report([]) == {"info": total, "children": [], "stats": {}}


def test_our_own_spans_have_one_as_well() -> None:
    found = report(request(error=True))
    (root,) = found["children"]
    assert (root["info"]["started"], root["info"]["finished"], root["info"]["exception"]) == (0, 30, "None")
    assert root["children"][0]["children"][0]["info"]["exception"] == "sqlalchemy.exc.OperationalError"
    assert set(root["info"]) >= {"meta.raw_payload.GET /v1/tables-start", "meta.raw_payload.GET /v1/tables-stop"}


def test_no_span_is_lost_in_a_cycle_and_no_depth_is_too_much() -> None:
    cycle = [Span(TRACE, number(nr), number((nr + 1) % 3), "round", START + nr * MS, START + nr * MS) for nr in range(3)]
    (root,) = report(cycle)["children"]
    assert len(root["children"][0]["children"]) == 1
    deep = [Span(TRACE, number(nr), number(nr - 1) if nr else "", "deep", START + nr, START + nr) for nr in range(50_000)]
    assert report(deep)["stats"] == {"deep": {"count": 50_000, "duration": 0}}


@pytest.mark.parametrize("case", TREES)
def test_a_report_that_was_kept_is_read_again(case: str) -> None:
    found = wire.spans(TREES[case]["notifications_in_write_order"]).spans
    assert sorted(spans(report(found))) == sorted(found)


def test_of_a_report_with_half_of_its_documents_the_rest_is_told() -> None:
    found = report(request())
    waiting = list(found["children"])
    for node in waiting:
        waiting += node["children"]
        node["info"] = {
            name: {"info": value["info"]} if name.startswith("meta") else value for name, value in node["info"].items()
        }
        for value in node["info"].values():
            if isinstance(value, dict):
                value["info"].pop("nilometer", None)
    assert [(span.name, span.duration // MS) for span in spans(found)] == [("GET /v1/tables", 30), ("list", 27), ("SELECT", 2)]


@pytest.mark.parametrize("wrong", [None, [], {}, {"children": 5}])
def test_what_is_no_report_is_refused(wrong: object) -> None:
    with pytest.raises(InputError, match="no report"):
        spans(wrong)


def test_children_that_are_none_are_left_out() -> None:
    assert spans({"children": [None, 5, {"info": 5}, {"info": {"meta.raw_payload.x": {}}, "children": 5}]}) == []
