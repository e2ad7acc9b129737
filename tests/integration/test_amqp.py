"""RabbitMQ: the contract of buses over a real broker, what lies in its queues, and a real oslo.messaging at the other end."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from nilometer.backends import registry
from nilometer.core.errors import Rejected, Unavailable, UrlError
from nilometer.core.events import EventWorker
from nilometer.core.losses import Losses
from nilometer.core.record import Event
from nilometer.core.wire import notification
from nilometer.core.wire.event import PRIORITIES
from nilometer.testing import oslo
from nilometer.testing.amqp_bus import Exchange, Pika
from nilometer.testing.bus_contract import EventSinkContract, MessageSourceContract, received, sink_of, source_of
from nilometer.testing.event_examples import several
from nilometer.testing.rabbitmq import LARGEST
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.core.capability import EventSink
    from nilometer.testing.rabbitmq import RabbitMQ

CAPTURED = Path(__file__).parents[1] / "data/oslo_notifications.json"


@pytest.fixture(scope="module")
def server(broker: RabbitMQ) -> RabbitMQ:
    return broker


class TestRabbitMQ(EventSinkContract, MessageSourceContract):
    @pytest.fixture
    def bus(self, server: RabbitMQ) -> Exchange:
        return Exchange(server)


def test_properties_and_topology_are_those_of_oslo(server: RabbitMQ) -> None:
    captured: dict[str, Any] = json.loads(CAPTURED.read_text("utf-8"))
    with sink_of(f"{server.url}?exchange=plain&topics=plain") as sink:
        sink.write_events(several(7))
    with Pika(server.port) as channel:
        for priority in PRIORITIES:
            about, properties, body = channel.basic_get(f"plain.{priority}")
            assert (about.exchange, about.routing_key) == ("plain", f"plain.{priority}")
            assert {name: getattr(properties, name) for name in captured["messages"][0]["properties"]} == {
                **captured["messages"][0]["properties"]
            }
            assert notification.decode(body, time=0).priority == priority
        for same in captured["topologies"]["default"]["exchanges"]:
            channel.exchange_declare("plain", same["type"], durable=same["durable"], auto_delete=same["auto_delete"])
        for same in captured["topologies"]["default"]["queues"]:
            channel.queue_declare("plain.info", durable=same["durable"], auto_delete=same["auto_delete"])


@pytest.mark.parametrize("wanted", ["", "&durable=true", "&quorum=true"])
@pytest.mark.parametrize("there", [False, True], ids=["transient", "durable"])
def test_what_exists_is_used_as_it_is(server: RabbitMQ, there: bool, wanted: str) -> None:  # noqa: FBT001 a parameter
    name = f"there-{there}-{wanted[1:4]}"
    with Pika(server.port) as channel:
        channel.exchange_declare(name, "topic", durable=there)
        channel.queue_declare(f"{name}.info", durable=there)
        channel.queue_bind(f"{name}.info", name, f"{name}.info")
    url = f"{server.url}?exchange={name}&topics={name}{wanted}"
    with sink_of(url) as sink, source_of(f"{url}&queues={name}.info,{name}.error&timeout=2s") as source:
        sink.write_events([Event("1", 1, "a", priority="info"), Event("2", 2, "a", priority="error")])
        found = received(source, 2)
        assert {message.topic for message in found} == {f"{name}.info", f"{name}.error"}
        source.settle(found)


def test_a_queue_that_was_deleted_is_declared_anew_and_nothing_is_lost(server: RabbitMQ) -> None:
    bus = Exchange(server)
    with sink_of(bus.url) as sink:
        sink.write_events([Event("1", 1, "a")])
        with Pika(server.port) as channel:
            channel.queue_delete(f"{bus.name}-all")
            channel.queue_delete(f"{bus.name}.info")
        with pytest.raises(Unavailable, match="no queue is bound"):
            sink.write_events([Event("2", 2, "a")])
        sink.write_events([Event("2", 2, "a")])
    with Pika(server.port) as channel:
        assert notification.decode(channel.basic_get(f"{bus.name}.info")[2], time=0).id == "2"


def test_a_queue_of_our_own_takes_nothing_away(server: RabbitMQ) -> None:
    bus = Exchange(server)
    with source_of(f"{server.url}?exchange={bus.name}&keys={bus.name}.*&queue={bus.name}-own") as source:
        assert source.receive(1, 0.1) == []
        with sink_of(bus.url) as sink:
            sink.write_events(several(2))
        source.settle(received(source, 2))
    with source_of(bus.url) as source:
        assert len(received(source, 2)) == 2


def test_an_event_that_cannot_go_out_is_refused_for_good_and_takes_no_other_with_it(server: RabbitMQ) -> None:
    bus = Exchange(server)
    losses = Losses()
    bad = [Event("never", float("nan"), "a"), Event("big", 1, "a", payload={"text": "x" * LARGEST}), Event("untyped", 1, "")]
    with sink_of(bus.url) as sink:
        for event, reason in zip(bad, ("no time", "message size", "needs type"), strict=True):
            with pytest.raises(Rejected, match=reason):
                sink.write_events([event])
    worker = EventWorker(bus.url, registry.open(bus.url, registry.EVENTS), losses)
    worker.put([Event("1", 1, "a"), *bad, Event("2", 2, "a", context={7: "a key that is no text"})])  # type: ignore[dict-item]
    until(lambda: worker.idle, "all are done with")
    worker.close(10)
    assert {event.id for event in bus.arrived(2)} == {"1", "2"}
    assert sum(losses.totals().values()) == len(bad)


def test_a_wrong_password_is_told_without_the_password(server: RabbitMQ) -> None:
    with sink_of(f"amqp://guest:hunter2@127.0.0.1:{server.port}") as sink:
        with pytest.raises(Unavailable, match="ACCESS_REFUSED") as caught:
            sink.write_events(several(1))
        assert "hunter2" not in str(caught.value)


def test_the_second_address_is_taken_when_the_first_is_away(server: RabbitMQ) -> None:
    with sink_of(f"amqp://127.0.0.1:1,127.0.0.1:{server.port}?exchange=second&topics=second") as sink:
        sink.write_events(several(1))


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        ("?envelope=3", "neither 1 nor 2"),
        ("?exchange=", "option exchange is empty"),
        ("?prefetch=0", "prefetch"),
        ("?prefetch=70000", "prefetch"),
        ("?ca=/tmp/x", "write amqps://"),
        (f"?queue={'q' * 250}", "more than 245 bytes"),
        (":0", "port 0"),
    ],
)
def test_a_wrong_url_is_refused(rest: str, reason: str) -> None:
    with pytest.raises(UrlError, match=reason):
        registry.open(f"amqp://localhost{rest}", registry.EVENTS)


def test_what_is_settled_in_any_order_comes_no_more_and_the_rest_does(server: RabbitMQ) -> None:
    bus = Exchange(server)
    with sink_of(bus.url) as sink:
        sink.write_events([Event(str(number), 1, "a") for number in range(10)])
    with source_of(bus.url) as source:
        found = received(source, 10)
        for some in ([5, 3], [0, 1], [2, 7]):
            source.settle([found[number] for number in some])
    with source_of(bus.url) as source:
        left = received(source, 4)
        assert [message.body for message in left] == [found[number].body for number in (4, 6, 8, 9)]
        source.settle([*left[2:], *left[:2]])
    with source_of(bus.url) as source:
        assert source.receive(10, 0.2) == []


# -- the real oslo.messaging -------------------------------------------------------------------------------------------


LISTENED = "listened"


@pytest.fixture(scope="module")
def listener(server: RabbitMQ) -> Iterator[oslo.Listener]:
    with oslo.listening(server.port, LISTENED, LISTENED) as found:
        yield found


@contextlib.contextmanager
def sink_that_is_heard(server: RabbitMQ, listener: oslo.Listener, envelope: int) -> Iterator[EventSink]:
    """Open a sink; leave when the listener has heard all that was written."""
    last = f"last-{len(listener.heard)}"
    with sink_of(f"{server.url}?exchange={LISTENED}&topics={LISTENED}&envelope={envelope}") as sink:
        yield sink
        sink.write_events([Event(last, 1, "end")])
        until(lambda: any(heard.metadata["message_id"] == last for heard in listener.heard), "the last one is heard")


def heard_of(listener: oslo.Listener, ids: str, *, ceilometer: bool = False) -> list[oslo.Heard]:
    """Return what was heard whose ids begin so, by the endpoint of Ceilometer or by the other."""
    own = [heard for heard in listener.heard if heard.metadata["message_id"].startswith(ids)]
    return [heard for heard in own if (heard.endpoint == "ceilometer") == ceilometer]


@pytest.mark.parametrize("envelope", [1, 2])
def test_a_listener_of_oslo_reads_what_we_send(server: RabbitMQ, listener: oslo.Listener, envelope: int) -> None:
    sent = [
        Event(
            f"{envelope}-{priority}",
            1795320012.25,
            "magnetodb.table.create.end",
            "magnetodb.host1",
            priority,
            "t-1",
            {"table_name": "Tĥread", "rows": [1, None, 2.5]},
            {"user": "u-1", "request_id": "req-1"},
        )
        for priority in PRIORITIES
    ]
    with sink_that_is_heard(server, listener, envelope) as sink:
        sink.write_events(sent)
        sink.write_events(sent[:1])  # again, as after a lost confirmation: a listener knows it by its unique id
        until(lambda: len(heard_of(listener, f"{envelope}-")) >= len(sent), "all are heard")
    all_heard = heard_of(listener, f"{envelope}-")
    assert sorted(heard.endpoint for heard in all_heard) == sorted(PRIORITIES)
    found = {heard.metadata["message_id"]: heard for heard in all_heard}
    for event in sent:
        heard = found[event.id]
        assert (heard.endpoint, heard.publisher, heard.type, heard.payload) == (
            *(event.priority, event.publisher, event.type, event.payload),
        )
        assert heard.metadata["timestamp"] == "2026-11-22 04:00:12.250000"
        assert heard.context.items() >= {"tenant": "t-1", "user": "u-1", "request_id": "req-1"}.items()


@pytest.mark.parametrize("envelope", [1, 2])
def test_ceilometer_makes_events_of_what_we_send(server: RabbitMQ, listener: oslo.Listener, envelope: int) -> None:
    payload = {"table_uuid": "3c1f", "index_count": 1, "table_name": "Thread"}
    context = {"user": "u", "request_id": "req-1"}
    kinds = ("table.create.start", "table.create.end", "data.putitem", "table.delete.end")
    ends = [kind for kind in kinds if kind.endswith(".end")]
    with sink_that_is_heard(server, listener, envelope) as sink:
        for kind in kinds:
            sink.write_events(
                [Event(f"c{envelope}-{kind}", 0.5, f"magnetodb.{kind}", "magnetodb.h", "info", "t", payload, context)]
            )
        until(lambda: len(heard_of(listener, f"c{envelope}-", ceilometer=True)) >= len(ends), "both are made")
    made = heard_of(listener, f"c{envelope}-", ceilometer=True)
    assert {one.metadata["message_id"] for one in made} == {f"c{envelope}-{kind}" for kind in ends}
    for one in made:
        assert one.metadata["generated"] == "1970-01-01 00:00:00.500000"
        assert one.payload == {
            "service": "magnetodb.h",
            "request_id": "req-1",
            "project_id": "t",
            "tenant_id": "t",
            "tenant": "t",
            "user": "u",
            "resource_id": "3c1f",
            "index_count": 1,
        }


def test_we_read_what_oslo_sends(server: RabbitMQ) -> None:
    context = {"user_id": "u-1", "project_id": "p-1", "request_id": "req-1", "auth_token": "SECRET"}
    said = [(priority, context, f"magnetodb.{priority}", {"rows": 1}) for priority in PRIORITIES]
    with source_of(f"{server.url}?exchange=sent&topics=one,two&queue=sent") as source:
        assert source.receive(1, 0.1) == []
        oslo.send(server.port, "sent", "messaging,messagingv2", said, "one,two")
        found = received(source, 4 * len(said))
        source.settle(found)
    events = [notification.decode(message.body, time=message.time) for message in found]
    assert {event.priority for event in events} == set(PRIORITIES)
    assert {(event.tenant, event.publisher, event.context["request_id"]) for event in events} == {
        *[("p-1", "magnetodb.host1", "req-1")],
    }
    assert len({event.id for event in events}) == 2 * len(said)
    assert b"SECRET" not in b"".join(message.body for message in found)


def test_we_read_what_the_command_of_oslo_sends(server: RabbitMQ) -> None:
    with source_of(f"{server.url}?queue=command") as source:
        assert source.receive(1, 0.1) == []
        about = {"priority": "info", "event_type": "magnetodb.table.usage", "publisher_id": "cli.host"}
        oslo.send_by_command(server.port, '{"a": 1}', **about)
        (message,) = received(source, 1)
    event = notification.decode(message.body, time=message.time)
    assert (event.type, event.publisher, event.priority) == ("magnetodb.table.usage", "cli.host", "info")
