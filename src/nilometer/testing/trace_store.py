"""The contract of stores of traces, as tests that run over any URL.

A test module derives `TraceStoreContract` and gives it a fixture `url` of an empty store::

    class TestSqlite(TraceStoreContract):
        @pytest.fixture
        def url(self, tmp_path: Path) -> str: ...

What a query finds is compared with what `matches` says, so every store means the same by it.
"""
# assert is how a test speaks, and its name says what it states
# ruff: noqa: S101, D102, PLR2004

from __future__ import annotations

import contextlib
import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from nilometer.backends import registry
from nilometer.core.capability import SpanSink, TraceStore
from nilometer.core.errors import InputError
from nilometer.core.traces.ids import uuid
from nilometer.core.traces.query import TraceQuery, matches
from nilometer.core.traces.span import NANO, Span, merge
from nilometer.core.traces.summary import summarise
from nilometer.core.wire import osprofiler
from nilometer.testing.trace_examples import MS, ODD, START, TRACE, number, request, several

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nilometer.core.traces.summary import Summary

QUERIES = (
    TraceQuery(),
    TraceQuery(service="service1"),
    TraceQuery(service="storage"),
    TraceQuery(service="SERVICE1"),
    TraceQuery(service="nobody"),
    TraceQuery(name="SELECT"),
    TraceQuery(name="GET *"),
    TraceQuery(name="get *"),
    TraceQuery(name="l?st"),
    TraceQuery(name="%"),
    TraceQuery(name="_ist"),
    TraceQuery(name="'; DROP TABLE nilometer_traces; --"),
    TraceQuery(project="nova"),
    TraceQuery(project="cinder"),
    TraceQuery(error=True),
    TraceQuery(error=False),
    TraceQuery(shortest=20 * MS),
    TraceQuery(longest=15 * MS),
    TraceQuery(shortest=12 * MS, longest=20 * MS),
    TraceQuery(since=START + 5000 * MS),
    TraceQuery(until=START + 5000 * MS),
    TraceQuery(since=START + 3000 * MS, until=START + 9000 * MS),
    TraceQuery(since=START + 9000 * MS, until=START + 3000 * MS),
    TraceQuery(service="service0", name="SELECT", error=True, shortest=11 * MS, since=START, until=START + 15_000 * MS),
)


@contextlib.contextmanager
def opened(url: str) -> Iterator[TraceStore]:
    """Open a store, and close it in the end."""
    store = registry.open(url, registry.TRACES)
    try:
        yield store
    finally:
        store.close()


def pages(store: TraceStore, query: TraceQuery, limit: int) -> list[Summary]:
    """Return all that a query finds, page by page."""
    found, cursor = store.find_traces(query, limit)
    while cursor:
        assert len(found) % limit == 0
        page, cursor = store.find_traces(query, limit, cursor)
        assert page
        found += page
    return found


def newest_first(traces: Sequence[Summary]) -> list[Summary]:
    """Return traces in the order in which a store gives them."""
    return sorted(traces, key=lambda trace: (trace.start, trace.trace), reverse=True)


def flat(traces: Sequence[Sequence[Span]]) -> list[Span]:
    """Return the spans of traces."""
    return list(itertools.chain.from_iterable(traces))


def half(span: Span, part: str) -> Span:
    """Return what is known of a span when it starts, or when it stops without its start."""
    if part == "start":
        return span._replace(end=span.start, part="start", status="unset", error="", message="", notes=())
    return span._replace(start=span.end, part="stop")


class TraceStoreContract:
    """What every store of traces keeps."""

    def test_it_has_the_methods_of_its_capabilities(self, url: str) -> None:
        with opened(url) as store:
            assert isinstance(store, TraceStore)
        sink = registry.open(url, registry.SPANS)
        assert isinstance(sink, SpanSink)
        sink.close()
        sink.close()

    def test_an_empty_store_answers(self, url: str) -> None:
        with opened(url) as store:
            assert store.find_traces(TraceQuery()) == ([], "")
            assert store.read_trace(TRACE) == []
            assert store.read_trace("") == []
            assert store.delete_trace(TRACE) is False
            assert store.drop_traces(START / NANO) == 0
            store.write_spans([])
            assert store.find_traces(TraceQuery()) == ([], "")

    def test_what_was_written_is_read_the_same(self, url: str) -> None:
        spans = request()
        with opened(url) as store:
            store.write_spans(spans)
            assert store.read_trace(spans[0].trace) == spans
        with opened(url) as store:
            assert store.read_trace(spans[0].trace) == spans
            assert store.find_traces(TraceQuery()) == ([summarise(spans)], "")

    def test_odd_spans_come_back_as_they_were(self, url: str) -> None:
        with opened(url) as store:
            store.write_spans(ODD)
            found = store.read_trace(TRACE)
            for span, wanted in zip(found, merge(ODD), strict=True):
                assert span == wanted

    def test_a_trace_is_found_by_each_spelling_of_its_id(self, url: str) -> None:
        spans = request()
        with opened(url) as store:
            store.write_spans(spans)
            for spelling in (uuid(spans[0].trace), uuid(spans[0].trace).upper(), spans[0].trace.upper()):
                assert store.read_trace(spelling) == spans
            assert store.delete_trace(uuid(spans[0].trace).upper()) is True
            assert store.read_trace(spans[0].trace) == []

    @pytest.mark.parametrize("trace", ["no uuid", "x" * 255, "ключ", "a'b\"c\\d", "*", "%", "a/b?c#d&e=f", "a b\nc"])
    def test_an_id_may_be_any_text(self, url: str, trace: str) -> None:
        spans = [span._replace(trace=trace) for span in request()]
        with opened(url) as store:
            store.write_spans(request(5))
            store.write_spans(spans)
            assert store.read_trace(trace) == spans
            assert {found.trace for found in store.find_traces(TraceQuery()).traces} == {trace, number(5, 32)}
            assert store.delete_trace(trace) is True
            assert [found.trace for found in store.find_traces(TraceQuery()).traces] == [number(5, 32)]

    def test_writing_again_changes_nothing(self, url: str) -> None:
        spans = request(error=True)
        with opened(url) as store:
            store.write_spans(spans)
            store.write_spans(spans)
            store.write_spans([spans[1], spans[1]])
            assert store.read_trace(spans[0].trace) == spans
            assert store.find_traces(TraceQuery()).traces == [summarise(spans)]

    def test_a_later_writing_replaces_a_span(self, url: str) -> None:
        spans = request()
        changed = spans[2]._replace(status="error", error="E", end=spans[2].end + 100 * MS, attributes={"n": 2})
        with opened(url) as store:
            store.write_spans(spans)
            store.write_spans([changed])
            assert store.read_trace(spans[0].trace) == [*spans[:2], changed]
            assert store.find_traces(TraceQuery(error=True)).traces == [summarise([*spans[:2], changed])]

    def test_spans_of_one_trace_come_from_many_sides(self, url: str) -> None:
        spans = request()
        with opened(url) as one, opened(url) as two:
            two.write_spans([spans[2]])
            one.write_spans([spans[1]])
            found = one.find_traces(TraceQuery()).traces
            assert [(trace.spans, trace.rooted) for trace in found] == [(2, False)]
            two.write_spans([spans[0]])
            assert one.read_trace(spans[0].trace) == two.read_trace(spans[0].trace) == spans
            assert one.find_traces(TraceQuery()).traces == [summarise(spans)]

    @pytest.mark.parametrize("order", [("start", "stop"), ("stop", "start"), ("start", "whole"), ("whole", "start")])
    def test_parts_become_one_span(self, url: str, order: tuple[str, str]) -> None:
        spans = request()
        parts = {"start": half(spans[0], "start"), "stop": half(spans[0], "stop"), "whole": spans[0]}
        with opened(url) as store:
            store.write_spans([parts[order[0]], *spans[1:]])
            assert len(store.read_trace(spans[0].trace)) == 3
            store.write_spans([parts[order[1]]])
            assert store.read_trace(spans[0].trace) == spans
            assert store.find_traces(TraceQuery()).traces == [summarise(spans)]

    def test_spans_of_the_same_moment_stay_in_order_of_arrival(self, url: str) -> None:
        spans = [Span(TRACE, number(99 - nr), "", f"name{nr}", START, START + nr) for nr in range(10)]
        with opened(url) as store:
            for span in spans:
                store.write_spans([span])
            assert store.read_trace(TRACE) == spans

    def test_no_more_spans_are_read_than_asked_for(self, url: str) -> None:
        spans = [Span(TRACE, number(nr), "", "n", START + nr, START + nr) for nr in range(20)]
        with opened(url) as store:
            store.write_spans(spans)
            found = store.read_trace(TRACE, 5)
            assert len(found) == 5
            assert all(span in spans for span in found)

    @pytest.mark.parametrize("query", QUERIES, ids=repr)
    def test_a_query_finds_what_it_means(self, url: str, query: TraceQuery) -> None:
        traces = several(12)
        wanted = newest_first([trace for trace in map(summarise, traces) if matches(query, trace)])
        with opened(url) as store:
            store.write_spans(flat(traces))
            assert store.find_traces(query) == (wanted, "")
            assert pages(store, query, 2) == wanted

    def test_traces_of_the_same_moment_are_paged_through_once_each(self, url: str) -> None:
        traces = [request(nr, START + nr % 2) for nr in range(15)]
        with opened(url) as store:
            store.write_spans(flat(traces))
            wanted = newest_first([summarise(trace) for trace in traces])
            for limit in (1, 4, 14, 15, 16):
                assert pages(store, TraceQuery(), limit) == wanted

    @pytest.mark.parametrize("cursor", ["x", "AAAA", "!!", "=", "é", "A" * 5000])
    def test_a_cursor_that_is_none_is_refused(self, url: str, cursor: str) -> None:
        with opened(url) as store, pytest.raises(InputError, match="cursor"):
            store.find_traces(TraceQuery(), 10, cursor)

    def test_one_trace_is_deleted_and_no_other(self, url: str) -> None:
        traces = several(3)
        with opened(url) as store:
            store.write_spans(flat(traces))
            assert store.delete_trace(traces[1][0].trace) is True
            assert store.delete_trace(traces[1][0].trace) is False
            assert store.read_trace(traces[1][0].trace) == []
            assert store.read_trace(traces[0][0].trace) == traces[0]
            assert store.find_traces(TraceQuery()).traces == newest_first([summarise(traces[nr]) for nr in (0, 2)])
            store.write_spans(traces[1])
            assert store.read_trace(traces[1][0].trace) == traces[1]

    def test_what_is_older_is_dropped(self, url: str) -> None:
        traces = several(10)
        before = (START + 5000 * MS) / NANO
        with opened(url) as store:
            store.write_spans(flat(traces))
            gone = list(itertools.takewhile(bool, (store.drop_traces(before) for _ in range(100))))
            assert sum(gone) == 5
            assert store.find_traces(TraceQuery()).traces == newest_first([summarise(trace) for trace in traces[5:]])
            assert store.read_trace(traces[4][0].trace) == []
            assert store.read_trace(traces[5][0].trace) == traces[5]

    def test_a_trace_that_goes_on_is_not_dropped(self, url: str) -> None:
        early, late = request()[0], request(0, START + 100_000 * MS)[1]
        with opened(url) as store:
            store.write_spans([early, late])
            assert store.drop_traces((START + 50_000 * MS) / NANO) == 0
            assert store.read_trace(early.trace) == [early, late]

    def test_what_osprofiler_wrote_keeps_its_documents(self, url: str) -> None:
        documents = [
            {
                "name": f"wsgi-{end}",
                "base_id": uuid(TRACE),
                "trace_id": "1c089ea8-28fe-4f3d-8c00-f6daa2bc32f1",
                "parent_id": uuid(TRACE),
                "timestamp": f"2026-01-02T03:04:05.00000{nr}",
                "info": {"request": {"path": "/v2.1/servers", "method": "GET"}, "host": "ctl-1", "own": {"deep": [nr]}},
                "project": "nova",
                "service": None,
            }
            for nr, end in enumerate(("start", "stop"))
        ]
        (span,) = osprofiler.spans(documents).spans
        with opened(url) as store:
            store.write_spans([span])
            (found,) = store.read_trace(TRACE)
            assert found == span
            assert json.loads(json.dumps(osprofiler.notes(found))) == documents

    def test_several_write_at_a_time(self, url: str) -> None:
        def write(nr: int) -> None:
            with opened(url) as store:
                for each in range(10):
                    store.write_spans([Span(TRACE, number(nr * 100 + each), "", f"by {nr}", START + nr, START + nr)])

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(write, range(4)))
        with opened(url) as store:
            found = store.read_trace(TRACE)
            assert len(found) == 40
            assert store.find_traces(TraceQuery()).traces == [summarise(found)]

    def test_one_store_is_used_from_several_threads(self, url: str) -> None:
        with opened(url) as store, ThreadPoolExecutor(4) as pool:
            list(pool.map(store.write_spans, several(20)))
            assert len(store.find_traces(TraceQuery()).traces) == 20
            assert list(pool.map(lambda trace: len(store.read_trace(trace[0].trace)), several(20))) == [3] * 20

    def test_a_trace_may_be_large(self, url: str) -> None:
        spans = [
            Span(TRACE, number(nr), number((nr - 1) // 3) if nr else "", "step", START + nr, START + 2 * nr)
            for nr in range(5000)
        ]
        with opened(url) as store:
            for first in range(0, len(spans), 500):
                store.write_spans(spans[first : first + 500])
            assert store.read_trace(TRACE) == spans
            assert store.find_traces(TraceQuery()).traces == [summarise(spans)]
            assert store.delete_trace(TRACE) is True
            assert store.read_trace(TRACE) == []
