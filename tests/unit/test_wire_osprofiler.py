"""OSProfiler's notifications, read and written, against vectors that OSProfiler made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.core.traces.span import Link, Span, SpanEvent
from nilometer.core.wire import osprofiler, span_batch
from nilometer.core.wire import span as wire

VECTORS = json.loads((Path(__file__).parents[1] / "data/osprofiler_vectors.json").read_text())
TREES = {case["id"]: case for case in VECTORS["D_trees"]}
HEX = st.integers(1, 2**64 - 1).map(lambda number: f"{number:016x}")
TIMES = st.integers(0, 4_000_000_000 * 10**9)
ATTRIBUTES = st.dictionaries(
    st.text(max_size=20), st.text(max_size=20) | st.integers(-(2**53), 2**53) | st.booleans(), max_size=5
)
SPANS = st.builds(
    lambda **given: Span(**given, end=given["start"] + 1234567),
    trace=st.uuids(version=4).map(lambda found: found.hex),
    id=HEX,
    parent=HEX | st.just(""),
    name=st.text(max_size=30),
    start=TIMES,
    kind=st.sampled_from(["internal", "server", "client", "producer", "consumer"]),
    service=st.text(max_size=10),
    host=st.text(max_size=10),
    attributes=ATTRIBUTES,
    events=st.lists(st.builds(SpanEvent, TIMES, st.text(max_size=5), ATTRIBUTES), max_size=2).map(tuple),
    links=st.lists(st.builds(Link, HEX, HEX, ATTRIBUTES), max_size=2).map(tuple),
)


@pytest.mark.parametrize("case", TREES)
def test_what_osprofiler_wrote_is_read_and_written_again_as_it_was(case: str) -> None:
    documents = TREES[case]["notifications_in_write_order"]
    found = osprofiler.spans(documents)
    assert found.bad == 0
    written = [note for span in found.spans for note in osprofiler.notes(span)]
    assert sorted(map(json.dumps, written)) == sorted(map(json.dumps, documents))


@given(SPANS)
def test_a_span_goes_through_notifications_and_through_a_spool_unharmed(span: Span) -> None:
    span = span._replace(name=span.name.encode("utf-8", "replace").decode())
    documents = json.loads(json.dumps(osprofiler.notes(span)))
    assert osprofiler.spans(documents).spans == [span]
    assert wire.from_object(json.loads(json.dumps(wire.as_object(span)))) == span
    assert span_batch.decode(span_batch.encode([span, span])) == (span, span)


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"name": "a-start", "base_id": "b", "trace_id": "t", "timestamp": "yesterday"},
        {"name": "a-start", "base_id": "b", "trace_id": "t", "timestamp": "2026-13-22T03:56:36.627297"},
        {"name": "a-start", "base_id": True, "trace_id": "t", "timestamp": "2026-11-22T03:56:36.627297"},
        {"name": 5, "base_id": "b", "trace_id": "t", "timestamp": "2026-11-22T03:56:36.627297"},
    ],
)
def test_one_bad_document_hides_no_other(document: Any) -> None:  # noqa: ANN401 whatever a store may hold
    good = TREES["tree-one-span"]["notifications_in_write_order"]
    found = osprofiler.spans([good[0], document, good[1]])
    assert found.bad == 1
    assert [span.part for span in found.spans] == ["whole"]
