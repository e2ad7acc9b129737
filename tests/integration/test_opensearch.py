"""A real OpenSearch: the contract suite over it, what its index template makes of documents, and what it refuses."""

from __future__ import annotations

import time
from itertools import count
from typing import TYPE_CHECKING

import pytest

from nilometer.backends import registry
from nilometer.core.errors import Rejected, Unavailable
from nilometer.core.record import Event, Flush, Kind, block
from nilometer.testing import contract, flushes
from nilometer.testing.opensearch import OpenSearch, RealPeer, opensearch
from nilometer.testing.serving import Serving
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow
END = 1_700_000_010.0
NUMBERS = count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenSearch]:
    with opensearch(tmp_path_factory.mktemp("opensearch")) as started:
        yield started


@pytest.fixture
def peer(server: OpenSearch) -> RealPeer:
    return RealPeer(server, f"test{next(NUMBERS)}")


def stream(peer: RealPeer) -> str:
    return peer.url.partition("?")[0].rpartition("/")[2] + "-metrics"


class TestSink(contract.MetricSinkContract):
    pass


class TestSketches(contract.SketchContract):
    pass


class TestSinkWithFlatTags(contract.MetricSinkContract):
    @pytest.fixture
    def peer(self, server: OpenSearch) -> RealPeer:
        return RealPeer(server, f"flat{next(NUMBERS)}", "&tags=flat&gzip=false&bulk_documents=1000")


def test_two_that_write_the_same_flush_store_it_once(peer: RealPeer) -> None:
    for _ in range(2):
        with contract.opened(peer.url) as sink:
            sink.write(flushes.many(END))
    assert peer.lacks(flushes.many(END)) == []


def test_two_sources_store_the_same_series_each(server: OpenSearch, peer: RealPeer) -> None:
    for source in ("a", "b"):
        with contract.opened(peer.url.replace("source=test", f"source={source}")) as sink:
            sink.write(flushes.marked(END))
    assert sorted(each["source"] for each in server.documents(stream(peer))) == ["a", "b"]


def test_numbers_are_doubles_and_texts_are_keywords(server: OpenSearch, peer: RealPeer) -> None:
    with contract.opened(peer.url) as sink:
        sink.write(flushes.every_kind(END))
    assert len(server.documents(stream(peer))) == 8
    (index,) = server.ask("GET", f"/{stream(peer)}/_mapping").values()
    types = {name: field.get("type") for name, field in index["mappings"]["properties"].items()}
    assert types == dict.fromkeys(
        ("rate", "count", "upper_90", "count_ps", "mean", "value", "interval"), "double"
    ) | dict.fromkeys(("name", "kind", "source"), "keyword") | {"@timestamp": "date", "tags": None, "sketch": "object"}
    assert index["mappings"]["properties"]["tags"]["properties"]["zone"]["type"] == "keyword"
    query = {"size": 0, "aggs": {"zones": {"terms": {"field": "tags.zone"}}}}
    buckets = server.ask("POST", f"/{stream(peer)}/_search", query)["aggregations"]["zones"]["buckets"]
    assert [(each["key"], each["doc_count"]) for each in buckets] == [("a", 1), ("b", 1)]


def test_a_tag_beyond_the_limit_of_fields_is_refused_alone(server: OpenSearch, peer: RealPeer) -> None:
    with contract.opened(peer.url) as sink:
        sink.write(flushes.marked(END))
        server.ask("PUT", f"/{stream(peer)}/_settings", {"index.mapping.total_fields.limit": 12})
        tagged = Flush(flushes.window(END), (block(Kind.GAUGE, {"value": range(30)}, [f"g;tag{n}={n}" for n in range(30)]),))
        sink.write(tagged)
        refused = sink.left_out()[("sink", "refused")]  # type: ignore[attr-defined]  # a Selective sink
        assert 20 <= refused < 30
        assert len(peer.lacks(tagged)) == refused
        with pytest.raises(Rejected, match=r"all 1 documents were refused: .*total fields"):
            sink.write(Flush(flushes.window(END), (block(Kind.GAUGE, {"value": [1.0]}, ["g;other=1"]),)))


def test_a_blocked_index_makes_flushes_wait(server: OpenSearch, peer: RealPeer) -> None:
    with contract.opened(peer.url) as sink:
        sink.write(flushes.marked(END))
        server.ask("PUT", f"/{stream(peer)}/_settings", {"index.blocks.write": True})
        with pytest.raises(Unavailable, match="cluster_block_exception"):
            sink.write(flushes.every_kind(END))
        server.ask("PUT", f"/{stream(peer)}/_settings", {"index.blocks.write": False})
        sink.write(flushes.every_kind(END))
        assert peer.lacks(flushes.every_kind(END)) == []


def test_the_check_names_version_and_the_flush_is_confirmed(peer: RealPeer) -> None:
    with contract.opened(peer.url) as sink:
        sink.write(flushes.every_kind(END))
    assert registry.open(peer.url, registry.HEALTH).check().startswith("OpenSearch 2.")
    assert registry.open(peer.url, registry.CONFIRM).confirm(flushes.every_kind(END)).endswith("-metrics: 8")


def test_events_count_once_whatever_their_payload(server: OpenSearch, peer: RealPeer) -> None:
    sink = registry.open(peer.url, registry.EVENTS)
    events = [Event("1", END, "deploy", payload={"a": {"b": 1}}), Event("2", END, "deploy", payload={"a": "text"})]
    sink.write_events(events)
    sink.write_events(events)
    sink.close()
    found = server.documents(stream(peer).replace("-metrics", "-events"))
    assert sorted((each["id"], str(each["payload"])) for each in found) == [("1", "{'a': {'b': 1}}"), ("2", "{'a': 'text'}")]


def test_a_server_writes_over_its_restart(server: OpenSearch, tmp_path: Path) -> None:
    """The last test: it stops the node. Flushes wait in the spool and arrive once it is back."""
    peer = RealPeer(server, "served")
    (tmp_path / "state").mkdir()
    serving = Serving("--listen", "udp://127.0.0.1:0", "--flush-interval", "500ms", state=tmp_path / "state", sinks=[peer.url])
    try:
        serving.ready()
        until(lambda: received(server) > 0, "the first flush arrives")
        server.stop()
        until(lambda: serving.said("goes to its spool") or serving.said("go to its spool"), "the server misses the node")
        server.start()
        before = time.time()
        until(lambda: latest(server) > before, "flushes arrive again", 120)
    finally:
        serving.kill()
    times = [each["@timestamp"] for each in server.documents("served-metrics") if each["name"] == "nilometer.packets"]
    assert sorted(times) == list(range(min(times), max(times) + 1, 500))


def received(server: OpenSearch) -> int:
    """Return how many documents the server's stream holds."""
    try:
        return len(server.documents("served-metrics"))
    except OSError:
        return 0


def latest(server: OpenSearch) -> float:
    """Return the newest document's time in seconds since the epoch."""
    return max((each["@timestamp"] for each in server.documents("served-metrics")), default=0) / 1000
