"""Elasticsearch's backend beside its contract: documents, bulk requests, partial failures, the template, login."""

from __future__ import annotations

import base64
import json
import logging
import math
from array import array
from typing import TYPE_CHECKING, Any

import pytest

from nilometer.backends import registry
from nilometer.backends._parts.documents import Document, documents, event_documents, ids
from nilometer.backends.elasticsearch import Limits, parts
from nilometer.core.errors import Rejected, Unavailable, UrlError
from nilometer.core.record import Block, Column, Event, Flush, Kind, block
from nilometer.core.sketch import ERROR, Sketch
from nilometer.testing import contract, flushes
from nilometer.testing.elasticsearch import FakeElasticsearch, Reply
from nilometer.testing.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.core.capability import MetricSink

END = 1_700_000_010.0
REFUSED, NOT_FINITE = ("sink", "refused"), ("sink", "not_finite")


@pytest.fixture
def fake() -> Iterator[FakeElasticsearch]:
    server = FakeElasticsearch()
    yield server
    server.close()


@pytest.fixture
def sink(fake: FakeElasticsearch) -> Iterator[MetricSink]:
    with contract.opened(fake.url) as opened:
        yield opened


def bulks(fake: FakeElasticsearch) -> list[int]:
    """Return how many documents each bulk request held."""
    return [request.body.count(b"\n") // 2 for request in fake.requests if "/_bulk" in request.path]


def left_out(sink: MetricSink) -> dict[tuple[str, str], int]:
    return dict(sink.left_out())  # type: ignore[attr-defined]  # a Selective sink


# -- documents -----------------------------------------------------------------------------------------------------------


def bodies(flush: Flush) -> list[Any]:
    return [json.loads(each.body) if each.body else None for each in documents(flush, "edge1")]


def test_a_series_is_a_document_with_its_statistics_and_tags() -> None:
    assert bodies(flushes.every_kind(END))[3] == {
        "@timestamp": 1_700_000_010_000,
        "interval": 10.0,
        "source": "edge1",
        "name": "contract.wait",
        "kind": "timer",
        "tags": {"zone": "b"},
        "upper_90": 8.25,
        "count": 2.0,
        "count_ps": 0.2,
        "mean": 7.5,
    }


def test_half_seconds_stay_in_the_timestamp() -> None:
    assert bodies(flushes.marked(END + 0.25))[0]["@timestamp"] == 1_700_000_010_250


def test_statistics_that_a_series_lacks_are_no_fields() -> None:
    assert "mean" not in bodies(flushes.gaps(END))[0]


def test_values_that_json_lacks_are_left_out_and_counted() -> None:
    made = list(documents(flushes.extreme(END), "edge1"))
    assert [each.not_finite for each in made] == [1, 1, 1, 0, 0, 0]
    assert [bool(each.body) for each in made] == [False, False, False, True, True, True]


def test_dots_in_tag_names_cannot_make_objects_of_fields() -> None:
    flush = Flush(flushes.window(END), (block(Kind.GAUGE, {"value": [1.0]}, ["g;a=1;a.b=2;;bare;=x=y"]),))
    assert bodies(flush)[0]["tags"] == {"a": "1", "a_b": "2", "_": "x=y", "bare": ""}


def test_ids_tell_source_kind_key_and_window_apart() -> None:
    other = Flush(flushes.window(END), (block(Kind.COUNTER, {"count": [1.0]}, ["contract.mark"]),))
    made = [
        *ids(flushes.marked(END), "a"),
        *ids(flushes.marked(END), "b"),
        *ids(flushes.marked(END + 10), "a"),
        *ids(other, "a"),
    ]
    assert len(set(made)) == 4
    assert [*ids(flushes.marked(END, 1.0), "a")] == [*ids(flushes.marked(END, 2.0), "a")]


def test_ids_are_those_of_the_documents() -> None:
    flush = flushes.every_kind(END)
    assert [each.id for each in documents(flush, "a")] == list(ids(flush, "a"))


def test_parts_keep_both_limits_and_a_large_document_goes_alone() -> None:
    made = [Document(number, "i", b"x" * size, 0) for number, size in enumerate([10, 10, 10, 500, 10])]
    assert [[each.number for each in part] for part in parts(made, Limits(2, 100))] == [[0, 1], [2], [3], [4]]
    assert [[each.number for each in part] for part in parts(made, Limits(9, 10_000))] == [[0, 1, 2, 3, 4]]


# -- partial failures ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 500, 503, 403, 404])
def test_documents_refused_for_now_go_again_they_alone(fake: FakeElasticsearch, sink: MetricSink, status: int) -> None:
    fake.refusal = lambda document: (status, "busy") if document["kind"] == "gauge" else None
    with pytest.raises(Unavailable, match=rf"3 documents are not taken yet: status {status}, busy: as the test wants"):
        sink.write(flushes.every_kind(END))
    fake.refusal = lambda _: None
    sink.write(flushes.every_kind(END))
    assert bulks(fake) == [8, 3]
    assert fake.lacks(flushes.every_kind(END)) == []
    assert left_out(sink) == {}


def test_documents_refused_for_good_are_counted_once_and_named(
    fake: FakeElasticsearch, sink: MetricSink, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    fake.refusal = lambda document: {"timer": (400, "mapper_parsing_exception"), "set": (429, "busy")}.get(document["kind"])
    with pytest.raises(Unavailable, match="1 documents are not taken yet"):
        sink.write(flushes.every_kind(END))
    fake.refusal = lambda _: None
    sink.write(flushes.every_kind(END))
    assert bulks(fake) == [8, 1]
    assert left_out(sink) == {REFUSED: 2}
    assert left_out(sink) == {}
    (message,) = caplog.messages
    assert message.endswith(
        "refused 2 documents, which are lost; the first: status 400, mapper_parsing_exception: as the test wants"
    )


def test_a_flush_that_is_refused_whole_is_rejected(fake: FakeElasticsearch, sink: MetricSink) -> None:
    fake.refusal = lambda _: (400, "mapper_parsing_exception")
    with pytest.raises(Rejected, match=r"all 8 documents were refused: status 400, mapper_parsing_exception"):
        sink.write(flushes.every_kind(END))
    assert left_out(sink) == {}


def test_what_another_process_wrote_is_written(fake: FakeElasticsearch, sink: MetricSink) -> None:
    sink.write(flushes.every_kind(END))
    with contract.opened(fake.url) as other:
        other.write(flushes.every_kind(END))
        assert left_out(other) == {}
    assert bulks(fake) == [8, 8]
    assert fake.lacks(flushes.every_kind(END)) == []


def test_not_finite_values_count_once_however_often_they_are_tried(fake: FakeElasticsearch, sink: MetricSink) -> None:
    fake.refusal = lambda _: (429, "busy")
    with pytest.raises(Unavailable):
        sink.write(flushes.extreme(END))
    fake.refusal = lambda _: None
    sink.write(flushes.extreme(END))
    assert left_out(sink) == {NOT_FINITE: 3}


def test_a_request_that_is_too_large_goes_in_halves(fake: FakeElasticsearch, sink: MetricSink) -> None:
    sink.write(flushes.marked(END))
    fake.answers = [Reply(413, {})]
    sink.write(flushes.every_kind(END))
    assert bulks(fake) == [1, 8, 4, 4]
    assert fake.lacks(flushes.every_kind(END)) == []


def test_a_document_that_is_too_large_alone_is_refused_for_good(fake: FakeElasticsearch, sink: MetricSink) -> None:
    sink.write(flushes.marked(END))
    fake.answers = [Reply(413, {})] * 4
    sink.write(flushes.every_kind(END))
    assert left_out(sink) == {REFUSED: 1}


@pytest.mark.parametrize("status", [401, 403, 404, 408, 429, 302, 500, 503])
def test_what_can_be_mended_is_unavailable(fake: FakeElasticsearch, sink: MetricSink, status: int) -> None:
    sink.write(flushes.marked(END))
    fake.answers = [Reply(status, {"error": "not now"})]
    with pytest.raises(Unavailable, match=rf"cannot write \(status {status}\)"):
        sink.write(flushes.marked(END + 10))


def test_a_request_that_no_try_mends_is_rejected(fake: FakeElasticsearch, sink: MetricSink) -> None:
    sink.write(flushes.marked(END))
    fake.answers = [Reply(400, {"error": "parse_exception"})]
    with pytest.raises(Rejected, match="parse_exception"):
        sink.write(flushes.marked(END + 10))


@pytest.mark.parametrize("body", [[], {}, {"errors": True}, {"errors": True, "items": []}, "text", None])
def test_an_answer_that_is_none_is_unavailable(fake: FakeElasticsearch, sink: MetricSink, body: object) -> None:
    sink.write(flushes.marked(END))
    fake.answers = [Reply(200, body)]
    with pytest.raises(Unavailable, match="does not answer as a bulk request is answered"):
        sink.write(flushes.marked(END + 10))


@pytest.mark.parametrize("item", [None, {}, {"create": 7}, {"create": {"status": "201"}}])
def test_an_item_that_says_nothing_is_tried_again(fake: FakeElasticsearch, sink: MetricSink, item: object) -> None:
    sink.write(flushes.marked(END))
    fake.answers = [Reply(200, {"errors": True, "items": [item]})]
    with pytest.raises(Unavailable, match="1 documents are not taken yet"):
        sink.write(flushes.marked(END + 10))


def test_what_the_other_side_says_stays_short_and_on_its_line(fake: FakeElasticsearch, sink: MetricSink) -> None:
    fake.refusal = lambda _: (400, "a\nb\x1b" + "x" * 10_000)
    with pytest.raises(Rejected) as caught:
        sink.write(flushes.marked(END))
    assert "a b x" in str(caught.value)
    assert len(str(caught.value)) < 600


# -- requests ------------------------------------------------------------------------------------------------------------


def test_requests_are_compressed_unless_the_option_says_no(fake: FakeElasticsearch) -> None:
    for option in ("true", "false"):
        with contract.opened(f"{fake.url}&gzip={option}") as sink:
            sink.write(flushes.marked(END + (option == "true")))
    encodings = [each.headers.get("content-encoding") for each in fake.requests if "/_bulk" in each.path]
    assert encodings == ["gzip", None]


def test_a_large_flush_goes_in_several_requests(fake: FakeElasticsearch) -> None:
    with contract.opened(f"{fake.url}&bulk_documents=400") as sink:
        sink.write(flushes.many(END, 1000))
    with contract.opened(f"{fake.url}&bulk_size=10KiB") as sink:
        sink.write(flushes.many(END + 10, 1000))
    assert bulks(fake)[:3] == [400, 400, 200]
    assert all(len(each.body) <= 10_240 for each in fake.requests[6:])
    assert sum(bulks(fake)[3:]) == 1000


@pytest.mark.parametrize(
    ("login", "option", "header"),
    [
        ("user:pass%40word@", "", "Basic " + base64.b64encode(b"user:pass@word").decode()),
        ("", "&api_key=abc%3D%3D", "ApiKey abc=="),
        ("", "", None),
    ],
)
def test_logins_are_headers(fake: FakeElasticsearch, login: str, option: str, header: str | None) -> None:
    with contract.opened(fake.url.replace("://", f"://{login}") + option) as sink:
        sink.write(flushes.marked(END))
    assert {request.headers.get("authorization") for request in fake.requests} == {header}


def test_the_next_host_answers_where_one_is_away(fake: FakeElasticsearch) -> None:
    with contract.opened(fake.url.replace("://", f"://127.0.0.1:{free_port()},")) as sink:
        sink.write(flushes.marked(END))
    assert fake.lacks(flushes.marked(END)) == []


def test_events_have_a_stream_of_their_own_and_count_once(fake: FakeElasticsearch) -> None:
    event = Event("7", END, "deploy", publisher="ci", tenant="t", payload={"commit": {"id": "abc"}})
    sink = registry.open(fake.url, registry.EVENTS)
    sink.write_events([event])
    sink.write_events([event])
    sink.close()
    (document,) = fake.documents("nilometer-events")
    assert document == json.loads(next(event_documents([event])).body)
    assert (document["@timestamp"], document["payload"]) == (1_700_000_010_000, {"commit": {"id": "abc"}})


# -- sketches ------------------------------------------------------------------------------------------------------------


def test_a_sketch_is_values_and_counts_ascending(fake: FakeElasticsearch, sink: MetricSink) -> None:
    sink.write(sketched(Sketch([9.0, 1.0, -4.0, 9.0]), None))
    first, second = fake.documents("nilometer-metrics")
    values, counts = first["sketch"]["values"], first["sketch"]["counts"]
    assert (values, counts) == ([-4.0, pytest.approx(1.0, rel=2 * ERROR), pytest.approx(9.0, rel=2 * ERROR), 9.0], [1, 1, 1, 1])
    assert "sketch" not in second
    assert first["count"] == second["count"] == 1.0


def test_infinite_values_of_a_sketch_are_left_out_and_counted(fake: FakeElasticsearch, sink: MetricSink) -> None:
    sink.write(sketched(Sketch([math.inf]), Sketch([math.inf, 2.0])))
    first, second = fake.documents("nilometer-metrics")
    assert ("sketch" in first, second["sketch"]) == (False, {"values": [2.0], "counts": [1]})
    assert left_out(sink) == {NOT_FINITE: 2}


@pytest.mark.parametrize(
    ("scheme", "kind"), [("elasticsearch", {"type": "histogram"}), ("opensearch", {"type": "object", "enabled": False})]
)
def test_the_templates_field_for_sketches(scheme: str, kind: dict[str, object]) -> None:
    fake = FakeElasticsearch(scheme)
    with contract.opened(fake.url) as sink:
        sink.write(sketched(None, None))
    fake.close()
    assert fake.templates["nilometer-metrics"]["template"]["mappings"]["properties"]["sketch"] == kind


def sketched(*sketches: Sketch | None) -> Flush:
    encoded = tuple(sketch.encode() if sketch else b"" for sketch in sketches)
    columns = (Column("count", array("d", [1.0] * len(sketches))),)
    names = "\n".join(f"t{number}" for number in range(len(sketches))).encode()
    return Flush(flushes.window(END), (Block(Kind.TIMER, names, len(sketches), columns, encoded),))


# -- the template and the check ------------------------------------------------------------------------------------------


def test_the_template_is_made_once_and_one_that_exists_is_left_alone(fake: FakeElasticsearch, sink: MetricSink) -> None:
    sink.write(flushes.marked(END))
    template = fake.templates["nilometer-metrics"]
    assert (template["index_patterns"], template["data_stream"]) == (["nilometer-metrics"], {})
    assert "tags" not in template["template"]["mappings"]["properties"]
    fake.templates["nilometer-metrics"] = "theirs"
    with contract.opened(fake.url) as other:
        other.write(flushes.marked(END + 10))
    assert fake.templates == {"nilometer-metrics": "theirs"}


def test_the_template_is_not_looked_at_where_it_is_not_wanted(fake: FakeElasticsearch) -> None:
    with contract.opened(f"{fake.url}&template=false") as sink:
        sink.write(flushes.marked(END))
    assert [request.path.partition("?")[0] for request in fake.requests] == ["/nilometer-metrics/_bulk"]


@pytest.mark.parametrize(("scheme", "kind"), [("elasticsearch", "flattened"), ("opensearch", "flat_object")])
def test_tags_in_one_field_have_the_type_that_the_product_knows(scheme: str, kind: str) -> None:
    fake = FakeElasticsearch(scheme, "&tags=flat")
    with contract.opened(fake.url) as sink:
        sink.write(flushes.marked(END))
    assert fake.templates["nilometer-metrics"]["template"]["mappings"]["properties"]["tags"] == {"type": kind}
    fake.close()


def test_a_template_that_cannot_be_made_keeps_the_flush_and_names_the_cure(fake: FakeElasticsearch, sink: MetricSink) -> None:
    fake.answers = [Reply(200, {"version": {"number": "8.0.0"}}), Reply(404, {}), Reply(403, {"error": "no right"})]
    with pytest.raises(Unavailable, match=r"cannot make the index template .*no right.*template=false"):
        sink.write(flushes.marked(END))


def test_a_template_that_another_made_meanwhile_is_fine(fake: FakeElasticsearch, sink: MetricSink) -> None:
    fake.answers = [Reply(200, {"version": {"number": "8.0.0"}}), Reply(404, {}), Reply(400, {"error": "x already exists"})]
    sink.write(flushes.marked(END))
    assert fake.lacks(flushes.marked(END)) == []


def test_the_check_names_product_version_and_stream(fake: FakeElasticsearch) -> None:
    health = registry.open(fake.url.replace("?", "/eu?"), registry.HEALTH)
    assert health.check() == "Elasticsearch 0.0-fake, data stream eu-metrics"
    fake.answers = [Reply(403, {})]
    assert health.check() == "Elasticsearch (may not read the version), data stream eu-metrics"
    fake.answers = [Reply(200, {"hello": "world"})]
    with pytest.raises(Unavailable, match="is neither Elasticsearch nor OpenSearch"):
        health.check()
    health.close()


def test_a_flush_is_confirmed_only_when_all_of_it_is_there(fake: FakeElasticsearch, sink: MetricSink) -> None:
    confirming = registry.open(fake.url, registry.CONFIRM)
    sink.write(flushes.marked(END))
    assert confirming.confirm(flushes.marked(END)) == "documents in nilometer-metrics: 1"
    with pytest.raises(Unavailable, match="of 8 documents 0 can be read back"):
        confirming.confirm(flushes.every_kind(END))
    confirming.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("elasticsearch://", "names no host; write elasticsearch://localhost:9200"),
        ("elasticsearch://h:0", "nobody listens on port 0"),
        ("elasticsearch://h/Upper", "cannot be a data stream's name"),
        ("elasticsearch://h/_x", "cannot be a data stream's name"),
        ("elasticsearch://h?tags=flatt", "did you mean 'flat'"),
        ("elasticsearch://h?bulk_documents=0", "option bulk_documents: 0 is below 1"),
        ("elasticsearch://h?bulk_size=0", "option bulk_size: 0 is below 1"),
        ("elasticsearch://h?ca=/x", r"is for TLS; write elasticsearch\+https://"),
        ("opensearch://h?verify=false", r"option verify is for TLS; write opensearch\+https://"),
        ("opensearch+https://h?ca=/no/such/file", "cannot use ca: No such file"),
        ("elasticsearch://u:p@h?api_key=k", "has both a user and an api_key"),
        ("elasticsearch://h?api_key=%C3%A4", "characters that a header cannot"),
    ],
)
def test_a_url_that_cannot_be_is_refused_with_the_cure(url: str, message: str) -> None:
    with pytest.raises(UrlError, match=message):
        registry.open(url, "metrics")
