"""OTLP over HTTP: OpenTelemetry's SDK sends to us, we send to ourselves, and hostile peers send what they like."""

from __future__ import annotations

import gzip
import http.client
import json
import zlib
from typing import TYPE_CHECKING

import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

from nilometer.backends import registry
from nilometer.core import url as urls
from nilometer.core.errors import Rejected, Unavailable
from nilometer.core.traces.span import merge
from nilometer.core.wire import otlp
from nilometer.ingest._reference import ReferenceKernel
from nilometer.testing.control import control
from nilometer.testing.ports import free_port
from nilometer.testing.trace_examples import ODD, TRACE, number, request
from nilometer.web.access import Access
from nilometer.web.app import application
from nilometer.web.otlp import INFLATED
from nilometer.web.parts import Parts
from nilometer.web.server import WebServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opentelemetry.trace import Tracer

    from nilometer.core.traces.span import Span


class Taking:
    """A server that takes spans; it is full while `full`."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.full = False
        parts = Parts(control(ReferenceKernel()), take_spans=self.take)
        self._server = WebServer(lambda: application(parts, Access()))
        self.address = self._server.listen(urls.parse("http://127.0.0.1:0"))[0]
        self._server.start()

    def take(self, spans: Sequence[Span]) -> None:
        if self.full:
            message = "no room"
            raise Unavailable(message)
        self.spans.extend(spans)

    def post(self, body: bytes, kind: str = otlp.PROTOBUF, **headers: str) -> tuple[int, bytes]:
        link = http.client.HTTPConnection(self.address, timeout=10)
        sent = {"Content-Type": kind} | {name.replace("_", "-"): value for name, value in headers.items()}
        link.request("POST", "/v1/traces", body, sent)
        answer = link.getresponse()
        found = answer.status, answer.read()
        link.close()
        return found

    def stop(self) -> None:
        self._server.stop()


@pytest.fixture
def server() -> Iterator[Taking]:
    made = Taking()
    yield made
    made.stop()


def fail(tracer: Tracer) -> None:
    with pytest.raises(LookupError), tracer.start_as_current_span("query"):
        raise LookupError("gone")  # noqa: EM101 an application's


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_opentelemetrys_sdk_sends_to_us(server: Taking, compression: Compression) -> None:
    provider = TracerProvider(resource=Resource.create({"service.name": "shop", "host.name": "node1", "own": 5}))
    exporter = OTLPSpanExporter(f"http://{server.address}/v1/traces", compression=compression)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("library")
    with tracer.start_as_current_span("request", kind=SpanKind.SERVER, attributes={"http.request.method": "GET", "n": [1, 2]}):
        fail(tracer)
    provider.shutdown()
    root, query = merge(server.spans)
    assert (root.name, root.kind, root.service, root.host, root.scope) == ("request", "server", "shop", "node1", "library")
    assert root.attributes == {"http.request.method": "GET", "n": [1, 2]}
    assert root.resource["own"] == 5
    assert query.parent == root.id
    assert (query.status, query.message) == ("error", "LookupError: gone")
    assert query.events[0].name == "exception"
    assert query.events[0].attributes["exception.type"] == "LookupError"


def test_what_we_send_arrives(server: Taking) -> None:
    sink = registry.open(f"otlp://{server.address}?size=20KiB", registry.SPANS)
    assert registry.open(f"otlp://{server.address}", registry.HEALTH).check().startswith("takes spans at /v1/traces")
    spans = [*request(error=False), *ODD]
    sink.write_spans(spans)
    sink.write_spans([])
    sink.close()
    found = {(span.trace, span.id): span._replace(attributes={}) for span in server.spans}
    assert found == {(span.trace, span.id): span._replace(attributes={}) for span in spans}


def test_a_receiver_without_room_is_asked_again(server: Taking) -> None:
    server.full = True
    sink = registry.open(f"otlp://{server.address}", registry.SPANS)
    with pytest.raises(Unavailable, match="status 503"):
        sink.write_spans(request())
    sink.close()
    assert server.spans == []


def test_a_receiver_that_is_none_is_told_apart_from_one_that_is_away(server: Taking) -> None:
    for url, error in ((f"otlp://{server.address}/no/such/path", Rejected), (f"otlp://127.0.0.1:{free_port()}", Unavailable)):
        sink = registry.open(url, registry.SPANS)
        with pytest.raises(error):
            sink.write_spans(request())
        sink.close()


def test_the_good_spans_of_a_request_are_taken_and_the_others_told(server: Taking) -> None:
    good = {"traceId": TRACE, "spanId": number(0), "name": "x", "startTimeUnixNano": "5"}
    told = {"resourceSpans": [{"scopeSpans": [{"spans": [good, good | {"spanId": "no"}]}]}]}
    status, body = server.post(json.dumps(told).encode(), otlp.JSON)
    assert status == 200
    partial = json.loads(body)["partialSuccess"]
    assert partial["rejectedSpans"] == 1
    assert "spanId" in partial["errorMessage"]
    assert len(server.spans) == 1
    assert server.post(otlp.encode(request())) == (200, b"")


@pytest.mark.parametrize(
    ("body", "kind", "coding", "status"),
    [
        (b"{", otlp.JSON, "", 400),
        (b"\xff\xff", otlp.PROTOBUF, "", 400),
        (b"", "text/plain", "", 415),
        (b"", otlp.PROTOBUF, "br", 415),
        (b"no gzip", otlp.PROTOBUF, "gzip", 400),
        (gzip.compress(otlp.encode(request()))[:-9], otlp.PROTOBUF, "gzip", 400),
        (gzip.compress(b"\x00" * (INFLATED + 10)), otlp.PROTOBUF, "gzip", 413),
        (b"\x00" * (9 << 20), otlp.PROTOBUF, "", 413),
        (zlib.compress(b""), otlp.PROTOBUF, "deflate", 415),
    ],
)
def test_what_is_wrong_is_refused_and_the_server_goes_on(
    server: Taking, body: bytes, kind: str, coding: str, status: int
) -> None:
    assert server.post(body, kind, **({"Content_Encoding": coding} if coding else {}))[0] == status
    assert server.spans == []
    assert server.post(otlp.encode(request()))[0] == 200
    assert len(server.spans) == 3


def test_large_requests_of_sdks_are_taken(server: Taking) -> None:
    spans = [span._replace(attributes={"text": "x" * 500_000}) for span in request() * 3]
    assert server.post(otlp.encode(spans))[0] == 200
    assert len(server.spans) == 9
