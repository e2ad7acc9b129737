"""Kafka: the contract of buses over a real broker, and what is Kafka's own."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from nilometer.backends import registry
from nilometer.core.errors import Rejected, Unavailable
from nilometer.core.record import Event
from nilometer.core.wire import event as events
from nilometer.core.wire import messages
from nilometer.testing.bus_contract import (
    AwayContract,
    EventSinkContract,
    MessageSourceContract,
    received,
    sink_of,
    source_of,
    write_until_taken,
)
from nilometer.testing.certificates import certificate
from nilometer.testing.event_examples import several
from nilometer.testing.kafka import LOGIN, Kafka, kafka
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from confluent_kafka import Message as Received

pytestmark = pytest.mark.slow
NUMBERS = itertools.count()


class Topic:
    """A topic of a real broker, as the contract sees it."""

    def __init__(self, server: Kafka, options: str = "", partitions: int = 1) -> None:
        self._server = server
        self.name, self.place = f"topic{next(NUMBERS)}", f"127.0.0.1:{server.port}"
        self.url = f"kafka://{self.place}?timeout=4s&topic={self.name}&group={self.name}{options}"
        admin = AdminClient({"bootstrap.servers": self.place})
        for made in admin.create_topics([NewTopic(self.name, partitions)]).values():
            made.result(30)

    def messages(self, count: int) -> list[Received]:
        """Wait for so many messages, and read all that are there, in a group of our own."""
        group = f"reader{next(NUMBERS)}"
        reader = Consumer({"bootstrap.servers": self.place, "group.id": group, "auto.offset.reset": "earliest"})
        found: list[Received] = []
        try:
            reader.subscribe([self.name])
            while more := reader.consume(1 if len(found) < count else 1000, 20 if len(found) < count else 0.5):
                found += more
        finally:
            reader.close()
        assert len(found) >= count
        return found

    def arrived(self, count: int) -> list[Event]:
        return [events.decode(message.value() or b"", time=0, id="") for message in self.messages(count)]

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        self._server.start()

    def freeze(self) -> None:
        self._server.freeze()

    def thaw(self) -> None:
        self._server.thaw()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    with kafka(tmp_path_factory.mktemp("kafka")) as found:
        yield found


@pytest.fixture
def bus(server: Kafka) -> Iterator[Topic]:
    yield Topic(server)
    server.thaw()


class TestKafka(EventSinkContract, MessageSourceContract, AwayContract):
    """The contract."""


def test_keys_keep_tenants_together(bus: Topic) -> None:
    with sink_of(bus.url) as sink:
        sink.write_events([Event("1", 1e9, "a", "host", tenant="t"), Event("2", 1e9, "a", "host")])
    assert [message.key() for message in bus.messages(2)] == [b"t", b"host"]


def test_events_go_as_cloudevents(server: Kafka) -> None:
    bus = Topic(server, "&format=cloudevents&compression=zstd")
    with sink_of(bus.url) as sink, source_of(bus.url) as source:
        sink.write_events(several(2))
        found = received(source, 2)
    assert [messages.decode(message) for message in found] == several(2)
    assert {message.content_type for message in found} == {"application/cloudevents+json"}


def test_what_others_send_is_received_as_it_came(bus: Topic) -> None:
    producer = Producer({"bootstrap.servers": bus.place})
    headers = {"ce_specversion": "1.0", "ce_type": "t", "ce_source": "/s", "ce_id": "ü"}
    producer.produce(bus.name, b'{"a": 1}', headers=[(name, value.encode()) for name, value in headers.items()])
    producer.produce(bus.name, None, headers=[("empty", None)])
    producer.flush(30)
    with source_of(bus.url) as source:
        binary, empty = received(source, 2)
    event = messages.decode(binary)
    assert (event.id, event.payload, binary.id) == ("ü", {"a": 1}, f"{bus.name}:0:0")
    assert (empty.body, empty.headers) == (b"", {"empty": ""})


def test_what_is_settled_out_of_order_is_not_lost(server: Kafka) -> None:
    bus = Topic(server, partitions=3)
    with sink_of(bus.url) as sink:
        sink.write_events([Event(str(number), 1e9, "a", tenant=str(number)) for number in range(30)])
    with source_of(bus.url) as source:
        found = received(source, 30)
        held = found[0]
        source.settle(found[1:])
    with source_of(bus.url) as source:
        again = received(source, 1)
        assert held.id in {message.id for message in again}
        assert {message.id for message in again} <= {m.id for m in found if m.id.startswith(held.id.rpartition(":")[0])}


def test_an_event_that_is_too_large_is_refused_alone(bus: Topic) -> None:
    large = Event("large", 1e9, "a", payload={"text": "x" * (2 << 20)})
    with sink_of(bus.url) as sink:
        sink.write_events([*several(2), large])
        assert bus.arrived(2) == several(2)
        assert sink.left_out() == {("sink", "refused"): 1}  # type: ignore[attr-defined] # it is Selective, too
        with pytest.raises(Rejected, match="1 events were refused"):
            sink.write_events([large])


def test_over_tls_certificate_and_login_count(tmp_path: Path) -> None:
    secure, (user, password) = certificate(tmp_path), LOGIN
    with kafka(tmp_path, secure) as locked:
        place = f"localhost:{locked.port}?timeout=10s&topic=secure"
        url = f"kafka+tls://{user}:{password}@{place}&ca={secure.certificate}"
        with sink_of(url) as sink, source_of(url) as source:
            write_until_taken(sink, several(2))
            source.settle(received(source, 2))
        for wrong, said in (
            (url.replace(password, "wr0ng"), "uthentication failed"),
            (f"kafka+tls://{user}:{password}@{place}", "certificate"),
            (url.replace("localhost", "127.0.0.1"), "certificate"),
        ):
            health = registry.open(wrong.replace("10s", "3s"), registry.HEALTH)
            with pytest.raises(Unavailable, match=said) as caught:
                health.check()
            assert not any(word in str(caught.value) for word in (password, "wr0ng"))
            health.close()


def test_a_topic_that_is_not_there_is_said(server: Kafka) -> None:
    url = f"kafka://127.0.0.1:{server.port}?timeout=1s&topic=nowhere"
    health = registry.open(url, registry.HEALTH)
    assert health.check() == "Kafka, brokers: 1, topic nowhere: not there yet"
    health.close()
    with source_of(url) as source:
        until(lambda: refused(source), "the missing topic is told of")


def refused(source: object) -> bool:
    try:
        source.receive(1, 0.5)  # type: ignore[attr-defined] # a MessageSource
    except Unavailable as error:
        return "nknown topic" in str(error)
    return False
