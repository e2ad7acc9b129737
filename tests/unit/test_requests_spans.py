"""Spans of requests, beside their metrics: over WSGI and ASGI."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from wsgiref.util import setup_testing_defaults

import pytest

from nilometer.backends import registry
from nilometer.core.traces.query import EVERYTHING
from nilometer.core.wire import trace_info
from nilometer.emit.requests import asgi, wsgi
from nilometer.emit.tracer import Tracer
from nilometer.emit.tracer.context import current

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nilometer.core.traces.span import Span

TRACE, SPAN = "4e3e0ec6293840b1850409eb1d4b0dee", "850409eb1d4b0dee"
HEADERS = {"traceparent": f"00-{TRACE}-{SPAN}-01"}


class Lines:
    """A client that keeps what it is given."""

    def __init__(self) -> None:
        self.lines: list[tuple[object, ...]] = []

    def emit(self, *line: object) -> None:
        self.lines.append(line)


@pytest.fixture
def url() -> str:
    return f"memory://requests-{uuid4().hex}"


@pytest.fixture
def tracer(url: str) -> Iterator[Tracer]:
    token = current.set(None)
    made = Tracer(url, service="shop", keys=("K1",))
    yield made
    made.close()
    current.reset(token)


def stored(tracer: Tracer, url: str) -> list[Span]:
    assert tracer.flush()
    store = registry.open(url, registry.TRACES)
    return [span for trace in store.find_traces(EVERYTHING).traces for span in store.read_trace(trace.trace)]


def over_wsgi(tracer: Tracer, headers: dict[str, str], status: str = "200 OK", **options: Any) -> Lines:  # noqa: ANN401 as Options has them
    lines = Lines()

    def application(_: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        with tracer.span("within"):
            start_response(status, [])
        yield b"body"

    environ: dict[str, Any] = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    setup_testing_defaults(environ)
    environ |= {"PATH_INFO": "/tables/5", "QUERY_STRING": "limit=1&token=secret"}
    given = {"client": lines, "tracer": tracer, "endpoint": lambda _: "list_tables", **options}
    body: Any = wsgi.RequestMetrics(application, **given)(environ, lambda *_: lambda _: None)
    assert b"".join(body) == b"body"
    body.close()
    return lines


def over_asgi(tracer: Tracer, headers: dict[str, str], status: str = "200 OK", **options: Any) -> Lines:  # noqa: ANN401 as Options has them
    lines = Lines()

    async def application(_: Any, __: Any, send: Any) -> None:  # noqa: ANN401 ASGI's
        with tracer.span("within"):
            await send({"type": "http.response.start", "status": int(status[:3]), "headers": []})
        await send({"type": "http.response.body", "body": b"body"})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(_: object) -> None:
        pass

    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": "/tables/5",
        "query_string": b"limit=1&token=secret",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    given = {"client": lines, "tracer": tracer, "endpoint": lambda _: "list_tables", **options}
    asyncio.run(asgi.RequestMetrics(application, **given)(scope, receive, send))
    return lines


@pytest.mark.parametrize("ask", [over_wsgi, over_asgi])
class TestSpans:
    def test_a_request_is_a_span_in_its_callers_trace(self, ask: Any, tracer: Tracer, url: str) -> None:  # noqa: ANN401 either
        assert ask(tracer, HEADERS).lines
        request, within = sorted(stored(tracer, url), key=lambda span: span.start)
        assert (request.name, request.kind, request.trace, request.parent) == ("GET list_tables", "server", TRACE, SPAN)
        assert within.parent == request.id
        assert request.attributes == {
            "http.request.method": "GET",
            "http.route": "list_tables",
            "http.response.status_code": 200,
            "url.path": "/tables/5",
            "url.scheme": "http",
            "url.query": "limit=1&token=***",
        }
        assert current.get() is None

    def test_without_headers_it_begins_a_trace(self, ask: Any, tracer: Tracer, url: str) -> None:  # noqa: ANN401 either
        ask(tracer, {})
        assert sorted(span.parent != "" for span in stored(tracer, url)) == [False, True]

    def test_signed_headers_of_osprofiler_count(self, ask: Any, tracer: Tracer, url: str) -> None:  # noqa: ANN401 either
        info, signature = trace_info.signed("K1", TRACE, "1c089ea8-28fe-4f3d-8c00-f6daa2bc32f1")
        ask(tracer, {trace_info.INFO: info, trace_info.SIGNATURE: signature})
        assert {span.trace for span in stored(tracer, url)} == {TRACE}

    def test_a_failure_is_an_error(self, ask: Any, tracer: Tracer, url: str) -> None:  # noqa: ANN401 either
        ask(tracer, {}, "503 Away")
        failed = [span for span in stored(tracer, url) if span.failed]
        assert [(span.name, span.message) for span in failed] == [("GET list_tables", "503")]

    def test_what_is_left_out_of_metrics_is_left_out_here(self, ask: Any, tracer: Tracer, url: str) -> None:  # noqa: ANN401 either
        assert not ask(tracer, {}, exclude={"list_tables"}).lines
        assert [span.name for span in stored(tracer, url)] == ["within"]
