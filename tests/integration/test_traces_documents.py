"""Traces in databases of documents, beside what others write there: SecantusDB, which speaks MongoDB's wire, and OpenSearch.

osprofiler 4.4.0 itself writes and reads on the same MongoDB. With today's client of Elasticsearch it fails at its first
document (``index() got an unexpected keyword argument 'doc_type'``), so for OpenSearch its documents are laid down as its
source says.
"""

from __future__ import annotations

import contextlib
import socket
from itertools import count
from typing import TYPE_CHECKING, Any

import pymongo
import pytest

from nilometer.backends import registry
from nilometer.core.errors import Rejected, Unavailable, UrlError
from nilometer.core.traces.ids import uuid
from nilometer.core.traces.query import TraceQuery
from nilometer.core.traces.span import NANO, Span
from nilometer.core.wire import osprofiler as notifications
from nilometer.testing.mongodb import mongodb
from nilometer.testing.opensearch import OpenSearch, opensearch
from nilometer.testing.osprofiler import osprofiler
from nilometer.testing.ports import free_port
from nilometer.testing.trace_examples import MS, START, TRACE, number, request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nilometer.core.capability import TraceStore

pytestmark = pytest.mark.slow
NUMBERS = count()
DEEP: dict[str, Any] = {}
for _ in range(45):
    DEEP = {"deeper": DEEP}
HOSTILE: dict[str, Any] = {
    "a.b": {"c.d": 1},
    "$where": {"$gt": 1},
    "nul\x00key": "nul\x00value",
    "beyond": 2**70,
    "below": -(2**70),
    "deep": DEEP,
    "list": [[[1, "x", None, {"y": 2.5}]]],
    **{f"field{nr}": nr if nr % 2 else str(nr) for nr in range(3000)},
}


@contextlib.contextmanager
def opened(url: str) -> Iterator[TraceStore]:
    store = registry.open(url, registry.TRACES)
    try:
        yield store
    finally:
        store.close()


@pytest.fixture(scope="module")
def mongodb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mongodb(tmp_path_factory.mktemp("mongodb")) as found:
        yield found


@pytest.fixture(scope="module")
def opensearch_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenSearch]:
    with opensearch(tmp_path_factory.mktemp("opensearch")) as found:
        yield found


@pytest.fixture
def in_mongodb(mongodb_server: str) -> str:
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(mongodb_server)
    client.drop_database("osprofiler")
    client.close()
    return f"{mongodb_server}/traces{next(NUMBERS)}"


@pytest.fixture
def in_opensearch(opensearch_server: OpenSearch) -> str:
    opensearch_server.ask("DELETE", "/osprofiler-notifications*?ignore_unavailable=true")
    return f"opensearch://127.0.0.1:{opensearch_server.port}/traces{next(NUMBERS)}?timeout=60s"


@pytest.fixture(params=["in_mongodb", "in_opensearch"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def with_option(url: str, option: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{option}"


# -- what spans may hold -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["nilometer", "osprofiler"])
def test_attributes_of_any_shape_come_back(url: str, layout: str) -> None:
    span = Span(TRACE, number(1), "", "n", START, START + 1, service="s", attributes=HOSTILE, resource={"$r.": {"x": 2**70}})
    with opened(with_option(url, f"layout={layout}")) as store:
        store.write_spans([span])
        assert store.read_trace(TRACE) == [span]
        assert [trace.spans for trace in store.find_traces(TraceQuery()).traces] == [1]


@pytest.mark.parametrize("layout", ["nilometer", "osprofiler"])
def test_what_is_larger_than_a_document_may_be_is_left_out_and_the_span_kept(url: str, layout: str) -> None:
    large = Span(TRACE, number(1), "", "large", START, START + 5, service="s", attributes={"x": "y" * (20 << 20)})
    with opened(with_option(url, f"layout={layout}")) as store:
        store.write_spans([large, Span(TRACE, number(2), number(1), "small", START + 1, START + 2)])
        found = store.read_trace(TRACE)
        assert [span.name for span in found] == ["large", "small"]
        assert found[0].attributes != large.attributes


def test_texts_that_no_utf8_can_hold_harm_nobody(url: str) -> None:
    span = Span("tr\ud800", "i\udfff", "", "n\ud800", START, START + 1, service="s\ud800", attributes={"k\ud800": "v\udfff"})
    with opened(url) as store:
        store.write_spans([span, *request(9)])
        assert len(store.read_trace("tr\ud800")) == 1
        assert len(store.find_traces(TraceQuery()).traces) == 2
        assert len(store.find_traces(TraceQuery(service="s\ud800", name="*\x00[a-c]*\ud800")).traces) == 0


def test_no_attribute_becomes_a_field(in_opensearch: str, opensearch_server: OpenSearch) -> None:
    name = in_opensearch.partition("?")[0].rpartition("/")[2]
    with opened(in_opensearch) as store, opened(with_option(in_opensearch, "layout=osprofiler")) as theirs:
        store.write_spans(request())
        before = opensearch_server.ask("GET", f"/{name}-*/_mapping")
        for each in (store, theirs):
            each.write_spans([Span(TRACE, number(1), "", "n", START, START + 1, attributes=HOSTILE)])
    assert opensearch_server.ask("GET", f"/{name}-*/_mapping") == before
    mapping = opensearch_server.ask("GET", "/osprofiler-notifications/_mapping")["osprofiler-notifications"]["mappings"]
    assert mapping["properties"]["info"] == {"type": "object", "enabled": False}


def test_a_trace_is_read_beyond_what_one_search_gives(in_opensearch: str) -> None:
    spans = [Span(TRACE, number(nr), "", "n", START + nr // 3, START + nr) for nr in range(12_000)]
    with opened(in_opensearch) as store:
        store.write_spans(spans)
        assert store.read_trace(TRACE) == spans
        assert len(store.read_trace(TRACE, 11_000)) == 11_000
        assert store.find_traces(TraceQuery()).traces[0].spans == 12_000


def test_an_index_whose_traces_are_over_goes_as_a_whole(in_opensearch: str, opensearch_server: OpenSearch) -> None:
    name = in_opensearch.partition("?")[0].rpartition("/")[2]
    with opened(in_opensearch) as store:
        store.write_spans(request(0))
        (today,) = opensearch_server.ask("GET", f"/{name}-spans-*/_settings")
        opensearch_server.ask("POST", f"/{today}/_refresh")
        body = {"source": {"index": today}, "dest": {"index": f"{name}-spans-2020.01.01"}}
        opensearch_server.ask("POST", "/_reindex?refresh=true", body)
        assert store.read_trace(request(0)[0].trace) == request(0)
        assert store.drop_traces(START / NANO + 1000) == 1
        assert list(opensearch_server.ask("GET", f"/{name}-spans-*/_settings")) == [today]
        assert store.read_trace(request(0)[0].trace) == []


# -- beside OSProfiler -------------------------------------------------------------------------------------------------


def test_what_osprofiler_writes_into_mongodb_is_read_listed_and_deleted(in_mongodb: str, mongodb_server: str) -> None:
    first, second = (osprofiler(mongodb_server, "trace") for _ in range(2))
    with opened(in_mongodb) as store:
        spans = store.read_trace(first)
        assert [(span.name, span.kind, span.status) for span in spans] == [
            ("wsgi", "server", "unset"),
            ("db", "client", "unset"),
            ("rpc", "internal", "error"),
        ]
        found = store.find_traces(TraceQuery(service="compute", name="rp*", error=True)).traces
        assert [uuid(trace.trace) for trace in found] == [second, first]
        assert [(trace.spans, trace.error, trace.project) for trace in found] == [(3, "ValueError", "nova")] * 2
        third = osprofiler(mongodb_server, "trace")
        assert [uuid(trace.trace) for trace in store.find_traces(TraceQuery()).traces] == [third, second, first]
        assert store.delete_trace(second) is True
        assert store.drop_traces((spans[0].end + MS) / NANO) == 1
    assert [row["base_id"] for row in osprofiler(mongodb_server, "list")] == [third]


def test_osprofiler_reads_what_was_written_into_mongodb_for_it(in_mongodb: str, mongodb_server: str) -> None:
    traces = [request(nr, error=True) for nr in (5, 6, 7)]
    with opened(with_option(in_mongodb, "layout=osprofiler")) as store:
        for trace in traces:
            store.write_spans(trace)
    base = uuid(traces[0][0].trace)
    assert base in [row["base_id"] for row in osprofiler(mongodb_server, "list")]
    report = osprofiler(mongodb_server, "report", base)
    (root,) = report["children"]
    assert root["info"]["name"] == "GET /v1/tables"
    assert root["children"][0]["children"][0]["info"]["exception"] == "sqlalchemy.exc.OperationalError"
    assert report["info"]["finished"] == 30
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(mongodb_server)
    assert client["osprofiler"]["profiler_error"].find_one({"base_id": base}, {"_id": 0}) == {
        "base_id": base,
        "timestamp": notifications.timestamp(traces[0][2].end),
    }
    client.close()


def test_documents_as_osprofiler_lays_them_down_in_opensearch(in_opensearch: str, opensearch_server: OpenSearch) -> None:
    written = [note for span in request(5, error=True) for note in notifications.notes(span)]
    for note in written:
        note["info"].pop("nilometer", None)
        opensearch_server.ask("POST", "/osprofiler-notifications/_doc?refresh=true", note)
    opensearch_server.ask(
        "POST", "/osprofiler-notifications/_doc?refresh=true", {"base_id": "broken", "timestamp": "1999-01-01"}
    )
    with opened(in_opensearch) as store:
        trace = request(5)[0].trace
        assert [span.name for span in store.read_trace(uuid(trace))] == ["GET /v1/tables", "list", "SELECT"]
        assert [(each.trace, each.spans, each.errors) for each in store.find_traces(TraceQuery()).traces] == [(trace, 3, 1)]
        assert store.delete_trace(trace) is True
        assert store.find_traces(TraceQuery()).traces == []


def test_opensearch_holds_what_osprofiler_would_read(in_opensearch: str, opensearch_server: OpenSearch) -> None:
    with opened(with_option(in_opensearch, "layout=osprofiler")) as store:
        store.write_spans(request(5, error=True))
    base = uuid(request(5)[0].trace)
    opensearch_server.ask("POST", "/osprofiler-notifications*/_refresh")
    query = {"query": {"match": {"base_id": base}}, "size": 100}
    found = opensearch_server.ask("POST", "/osprofiler-notifications/_search?scroll=1m", query)["hits"]["hits"]
    keys = {"name", "base_id", "trace_id", "parent_id", "timestamp", "info", "project", "service"}
    assert len(found) == 6
    assert all(keys <= each["_source"].keys() for each in found)
    errors = opensearch_server.ask("POST", "/osprofiler-notifications-error/_search", query)["hits"]["hits"]
    assert [each["_source"]["base_id"] for each in errors] == [base]


# -- when the other side is away ---------------------------------------------------------------------------------------


def test_a_server_that_went_away_is_unavailable(tmp_path: Path) -> None:
    with mongodb(tmp_path) as url:
        store = registry.open(f"{url}?timeout=1s", registry.TRACES)
        store.write_spans(request())
    with pytest.raises(Unavailable):
        store.write_spans(request(1))
    with pytest.raises(Unavailable):
        store.find_traces(TraceQuery())
    store.close()


@pytest.mark.parametrize("scheme", ["mongodb", "opensearch", "elasticsearch"])
def test_nobody_there_or_nobody_who_answers_is_unavailable(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for port in (free_port(), silent.getsockname()[1]):
            with opened(f"{scheme}://127.0.0.1:{port}?timeout=300ms") as store:
                with pytest.raises(Unavailable):
                    store.write_spans(request())
                with pytest.raises(Unavailable):
                    store.read_trace(TRACE)


@pytest.mark.parametrize("scheme", ["mongodb", "opensearch", "elasticsearch+https"])
def test_a_layout_that_there_is_not_is_refused(scheme: str) -> None:
    with pytest.raises(UrlError, match="layout"):
        registry.open(f"{scheme}://localhost?layout=jaeger", registry.TRACES)


def test_what_can_be_seen_without_a_refresh_may_be_older(in_opensearch: str) -> None:
    with opened(with_option(in_opensearch, "refresh=false")) as store, opened(in_opensearch) as fresh:
        store.write_spans(request())
        assert fresh.read_trace(request()[0].trace) == request()
        assert store.read_trace(request()[0].trace) == request()


def test_what_opensearch_cannot_hold_is_rejected(in_opensearch: str) -> None:
    with opened(in_opensearch) as store, pytest.raises((Rejected, Unavailable)):
        store.write_spans([Span(TRACE, number(1), "", "n", 2**80, 2**80)])
