"""A trace as a graph, read by the real Graphviz where it is installed with the tests."""

from __future__ import annotations

from nilometer.core.traces.span import merge
from nilometer.testing.trace_examples import ODD, request
from nilometer.traces.formats.dot import dot


def test_nodes_and_edges() -> None:
    assert dot(request(error=True)).splitlines() == [
        "digraph {",
        '\tn0 [label="tables:GET /v1/tables - 30 ms\\nGET /v1/tables/0"]',
        '\tn1 [label="tables:list - 27 ms"]',
        '\tn2 [label="storage:SELECT - 2 ms", color=red, fontcolor=red]',
        "\tn0 -> n1",
        "\tn1 -> n2",
        "}",
    ]


def test_whatever_a_name_holds_stays_in_its_quotes() -> None:
    text = dot(merge(ODD))
    assert "100% of_it\\\\ 'quoted' \\\"twice\\\"\\n\ufffd" in text
    assert text.count("\n") == len(text.splitlines()) - 1
