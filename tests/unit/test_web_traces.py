"""Traces towards clients: lists, one trace as a tree in a list, who calls whom."""

from __future__ import annotations

import contextlib
import json
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from nilometer.backends import memory, registry
from nilometer.core import url as urls
from nilometer.core.traces.query import EVERYTHING
from nilometer.core.traces.span import Span
from nilometer.ingest._reference import ReferenceKernel
from nilometer.testing.asking import Answer, ask
from nilometer.testing.control import control
from nilometer.testing.trace_examples import MS, ODD, START, TRACE, number, request, several
from nilometer.traces import reading
from nilometer.web.access import Access
from nilometer.web.app import application
from nilometer.web.parts import Parts
from nilometer.web.server import WebServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.core.capability import TraceStore

NAME = "web-traces"


@pytest.fixture
def store() -> Iterator[TraceStore]:
    yield registry.open(f"memory://{NAME}", registry.TRACES)
    memory.forget(NAME)


class Client:
    """Asks one server."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address

    @property
    def url(self) -> str:
        host, port = self._address
        return f"http://{host}:{port}/api/v1/traces"

    def get(self, path: str = "", **query: object) -> Answer:
        return ask(self._address, f"/traces{path}" + (f"?{urlencode(query)}" if query else ""))

    def delete(self, path: str) -> Answer:
        return ask(self._address, f"/traces{path}", "DELETE")


@contextlib.contextmanager
def asking(parts: Parts) -> Iterator[Client]:
    server = WebServer(lambda: application(parts, Access()))
    host, _, port = server.listen(urls.parse("http://127.0.0.1:0"))[0].rpartition(":")
    server.start()
    try:
        yield Client((host, int(port)))
    finally:
        server.stop()


@pytest.fixture
def client(store: TraceStore) -> Iterator[Client]:
    del store
    with asking(Parts(control(ReferenceKernel()), trace_store=lambda: urls.parse(f"memory://{NAME}"))) as found:
        yield found


def write(store: TraceStore, traces: list[list[Span]]) -> None:
    for trace in traces:
        store.write_spans(trace)


def listed(client: Client, **query: str) -> list[str]:
    answer = client.get(**query)
    assert answer.status == 200, answer.json
    return [trace["trace"] for trace in answer.json["traces"]]


def test_a_list_tells_the_newest_first_page_by_page(client: Client, store: TraceStore) -> None:
    write(store, several(5))
    first = client.get(limit=3).json
    rest = client.get(limit=3, cursor=first["cursor"]).json
    assert [trace["trace"] for trace in first["traces"] + rest["traces"]] == [number(nr, 32) for nr in (4, 3, 2, 1, 0)]
    assert rest["cursor"] is None
    assert rest["traces"][-1] == {
        "trace": number(0, 32),
        "start": START // 1000,
        "duration": 10_000.0,
        "name": "GET /v1/tables",
        "service": "service0",
        "project": "nova",
        "spans": 3,
        "errors": 1,
        "error": "sqlalchemy.exc.OperationalError",
        "rooted": True,
        "services": {"service0": 2, "storage": 1},
    }


def test_a_list_is_narrowed_by_service_name_error_duration_and_time(client: Client, store: TraceStore) -> None:
    write(store, several(6))
    assert listed(client, service="service1") == [number(4, 32), number(1, 32)]
    assert listed(client, name="SEL*", limit="1") == [number(5, 32)]
    assert listed(client, name="nothing") == []
    assert listed(client, error="true") == [number(3, 32), number(0, 32)]
    assert listed(client, error="false", service="service0") == []
    assert listed(client, shortest="14", project="nova") == [number(5, 32), number(4, 32)]
    assert listed(client, longest="10.5") == [number(0, 32)]
    assert listed(client, since=str(START // 10**9 + 4), until=str(START // 10**9 + 5)) == [number(4, 32)]


def test_what_cannot_be_asked_is_told(client: Client) -> None:
    for wrong in ("limit=0", "cursor=zz", "since=whenever", "error=maybe", "shortest=-1", "longest=nan"):
        assert client.get(f"?{wrong}").status == 400, wrong


def test_one_trace_tells_its_spans_parents_before_children(client: Client, store: TraceStore) -> None:
    store.write_spans(request(7))
    found = client.get(f"/{number(7, 32)}").json
    assert (found["start"], found["duration"], found["count"], found["errors"]) == (START // 1000, 30_000.0, 3, 0)
    told = [(span["name"], span["depth"], span["offset"], span["duration"]) for span in found["spans"]]
    assert told == [("GET /v1/tables", 0, 0.0, 30_000.0), ("list", 1, 2000.0, 27_000.0), ("SELECT", 2, 3000.0, 2000.0)]
    assert found["spans"][2]["attributes"]["ids"] == [1, 2]


def test_a_trace_is_found_by_the_uuid_that_osprofiler_writes(client: Client, store: TraceStore) -> None:
    store.write_spans(ODD)
    assert client.get("/4e3e0ec6-2938-40b1-8504-09eb1d4b0dee").json["trace"] == TRACE


def test_what_is_odd_is_shown_not_lost(client: Client, store: TraceStore) -> None:
    loop = Span(TRACE, "b", "c", "b", START, START + 1), Span(TRACE, "c", "b", "c", START, START + 1)
    store.write_spans([*ODD, *loop, Span(TRACE, "own", "own", "own", START, START)])
    spans = client.get(f"/{TRACE}").json["spans"]
    assert len(spans) == len(ODD) + 3
    assert {span["id"]: (span["odd"], span["depth"]) for span in spans if span["odd"]} == {
        "850409eb1d4b0dee": ("orphan", 0),
        "b": ("cycle", 0),
        "own": ("cycle", 0),
    }


def test_a_deep_trace_is_told_too(store: TraceStore) -> None:
    store.write_spans([Span("t", str(nr), str(nr - 1) if nr else "", "n", nr, nr) for nr in range(20_000)])
    found = json.loads(reading.one(store, "t", "json") or b"")
    assert found["spans"][-1]["depth"] == 19_999


def test_a_trace_as_spans_is_what_is_sent(client: Client, store: TraceStore) -> None:
    store.write_spans(request(1))
    found = client.get(f"/{number(1, 32)}", format="spans").json
    assert (found[0]["start"], found[0]["end"]) == (START, START + 30_000_000)


def test_a_trace_is_told_as_osprofiler_does_and_as_a_graph(client: Client, store: TraceStore) -> None:
    store.write_spans(request(1))
    found = client.get(f"/{number(1, 32)}", format="osprofiler").json
    assert found["info"]["name"] == "total"
    assert found["children"][0]["children"][0]["children"][0]["info"]["name"] == "SELECT"
    assert (reading.one(store, number(1, 32), "dot") or b"").startswith(b"digraph {")


def test_the_page_of_a_trace_runs_what_it_brings_and_reaches_nothing(client: Client, store: TraceStore) -> None:
    store.write_spans(request(1))
    with urllib.request.urlopen(f"{client.url}/{number(1, 32)}?format=html", timeout=10) as answer:  # noqa: S310 of this machine
        told = answer.headers["content-security-policy"]
        assert answer.headers.get_content_type() == "text/html"
        assert b"<script" in answer.read()
    assert "default-src 'none'" in told
    assert "sandbox allow-scripts" in told
    assert "script-src 'unsafe-inline'" in told


def test_two_traces_are_compared_span_by_span(client: Client, store: TraceStore) -> None:
    first, second = request(1), request(2, took=50 * MS, error=True)
    again = second[2]._replace(id=number(7), start=START + 9 * MS, end=START + 10 * MS)
    other = Span(second[0].trace, number(8), number(0), "cache", START + 4 * MS, START + 5 * MS, service="cache")
    store.write_spans(first)
    store.write_spans([*second, again, other])
    found = client.get(f"/{number(1, 32)}/diff/{number(2, 32)}").json
    assert (found["first"]["trace"], found["second"]["trace"]) == (number(1, 32), number(2, 32))
    told = found["spans"]
    assert [(each["name"], each["depth"], bool(each["first"]), bool(each["second"]), each["longer"]) for each in told] == [
        ("GET /v1/tables", 0, True, True, 20_000.0),
        ("list", 1, True, True, 20_000.0),
        ("SELECT", 2, True, True, 0.0),
        ("SELECT", 2, False, True, None),
        ("cache", 1, False, True, None),
    ]
    assert found["spans"][2]["second"]["error"] == "sqlalchemy.exc.OperationalError"
    assert client.get(f"/{number(1, 32)}/diff/{number(3, 32)}").status == 404


def test_a_trace_that_is_deleted_is_no_more(client: Client, store: TraceStore) -> None:
    store.write_spans(request(1))
    assert client.delete(f"/{number(1, 32)}").json == {"deleted": number(1, 32)}
    assert client.delete(f"/{number(1, 32)}").status == 404
    assert client.get(f"/{number(1, 32)}").status == 404


def test_the_map_of_services_tells_who_calls_whom(client: Client, store: TraceStore) -> None:
    write(store, several(4))
    found = client.get("/services").json
    assert (found["traces"], found["spans"], found["whole"]) == (4, 12, True)
    assert [(service["name"], service["count"], service["errors"]) for service in found["services"]] == [
        ("service0", 4, 0),
        ("service1", 2, 0),
        ("service2", 2, 0),
        ("storage", 4, 2),
    ]
    calls = [(call["from"], call["to"], call["count"], call["errors"], call["mean"]) for call in found["calls"]]
    assert calls == [
        ("service0", "storage", 2, 2, 2000.0),
        ("service1", "storage", 1, 0, 2000.0),
        ("service2", "storage", 1, 0, 2000.0),
    ]
    assert [each["name"] for each in found["services"][0]["operations"]] == ["GET /v1/tables", "list"]


def test_the_map_of_services_is_bounded_and_says_so(store: TraceStore, monkeypatch: pytest.MonkeyPatch) -> None:
    write(store, several(20))
    monkeypatch.setattr(reading, "TRACES", 6)
    monkeypatch.setattr(reading, "PAGE", 4)
    found = json.loads(reading.services(store, EVERYTHING))
    assert (found["traces"], found["whole"]) == (6, False)


def test_without_a_store_the_answer_is_503() -> None:
    with asking(Parts(control(ReferenceKernel()))) as client:
        assert client.get().status == 503
