"""NATS: the contract of buses over a real server with JetStream, and what is NATS' own."""

from __future__ import annotations

import asyncio
import itertools
import math
from typing import TYPE_CHECKING, Any

import pytest
from nats.aio.client import Client

from nilometer.backends import registry
from nilometer.core.errors import Rejected, Unavailable
from nilometer.core.record import Event
from nilometer.core.wire import cloudevents
from nilometer.core.wire import event as events
from nilometer.testing.bus_contract import (
    AwayContract,
    EventSinkContract,
    MessageSourceContract,
    received,
    sink_of,
    source_of,
)
from nilometer.testing.certificates import certificate
from nilometer.testing.event_examples import several
from nilometer.testing.nats import Nats, nats
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from pathlib import Path

    from nats.js import JetStreamContext

NUMBERS = itertools.count()


class Stream:
    """A stream of a real server, as the contract sees it."""

    def __init__(self, server: Nats, options: str = "") -> None:
        self._server = server
        self.name = f"STREAM{next(NUMBERS)}"
        self.url = (
            f"nats://127.0.0.1:{server.port}?timeout=2s&ack_wait=1s&prefix={self.name}&stream={self.name}&create=true{options}"
        )

    def ask(self, work: Callable[[JetStreamContext], Coroutine[Any, Any, Any]]) -> Any:  # noqa: ANN401 what the work returns
        """Return what the work with a client that is not ours returns."""

        async def asked() -> Any:  # noqa: ANN401 see above
            client = Client()
            await client.connect(f"nats://127.0.0.1:{self._server.port}")
            try:
                return await work(client.jetstream())
            finally:
                await client.close()

        return asyncio.run(asked())

    def messages(self) -> list[Any]:
        async def all_of(stream: JetStreamContext) -> list[Any]:
            state = (await stream.stream_info(self.name)).state
            return [await stream.get_msg(self.name, number) for number in range(1, state.messages + 1)]

        found: list[Any] = self.ask(all_of)
        return found

    def arrived(self, count: int) -> list[Event]:
        until(lambda: len(self.messages()) >= count, f"{count} messages arrive")
        return [events.decode(message.data, time=0, id="") for message in self.messages()]

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        self._server.start()

    def freeze(self) -> None:
        self._server.freeze()

    def thaw(self) -> None:
        self._server.thaw()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nats]:
    with nats(tmp_path_factory.mktemp("nats")) as found:
        yield found


@pytest.fixture
def bus(server: Nats) -> Iterator[Stream]:
    yield Stream(server)
    server.thaw()


class TestNats(EventSinkContract, MessageSourceContract, AwayContract):
    """The contract."""


def test_a_retry_is_stored_once(bus: Stream) -> None:
    with sink_of(bus.url) as sink:
        sink.write_events(several(3))
        sink.write_events(several(4))
    assert bus.arrived(4) == several(4)
    assert len(bus.messages()) == 4


def test_subject_and_headers_tell_what_is_inside(bus: Stream) -> None:
    with sink_of(bus.url) as sink:
        sink.write_events([Event("1", 1e9, "table.create"), Event("2", 1e9, "a b..*>"), Event("3", 1e9, "größe")])
    found = bus.messages()
    assert [message.subject for message in found] == [f"{bus.name}.{end}" for end in ("table.create", "a_b._.__", "größe")]
    assert found[0].headers == {"Nats-Msg-Id": "1", "Content-Type": "application/json"}


def test_a_subject_is_made_by_its_template(server: Nats) -> None:
    bus = Stream(server, "&subject={prefix}.v1.{tenant}.{priority}.{publisher}")
    with sink_of(bus.url) as sink:
        sink.write_events([Event("1", 1e9, "a", publisher="host.1", priority="audit")])
    assert [message.subject for message in bus.messages()] == [f"{bus.name}.v1._.audit.host.1"]


def test_events_go_as_cloudevents(server: Nats) -> None:
    bus = Stream(server, "&format=cloudevents")
    with sink_of(bus.url) as sink, source_of(bus.url) as source:
        sink.write_events(several(2))
        found = received(source, 2)
    assert [cloudevents.decode(message.body, time=0) for message in found] == several(2)
    assert {message.content_type for message in found} == {"application/cloudevents+json"}


def test_what_others_publish_is_received_as_it_came(bus: Stream) -> None:
    async def publish(stream: JetStreamContext) -> None:
        await stream.publish(f"{bus.name}.other", b"\xff")

    with source_of(bus.url) as source:
        assert source.receive(1, 0.01) == []
        bus.ask(publish)
        (message,) = received(source, 1)
        assert (message.topic, message.body, message.id) == (f"{bus.name}.other", b"\xff", f"{bus.name}:1")
        assert not message.redelivered
        (message,) = received(source, 1)
        assert (message.id, message.redelivered) == (f"{bus.name}:1", True)


def test_an_event_that_is_too_large_is_refused_alone(bus: Stream) -> None:
    large = Event("large", 1e9, "a", payload={"text": "x" * (2 << 20)})
    sink = registry.open(bus.url, registry.EVENTS)
    sink.write_events([*several(2), large])
    assert bus.arrived(2) == several(2)
    assert sink.left_out() == {("sink", "refused"): 1}  # type: ignore[attr-defined] # it is Selective, too
    assert not sink.left_out()  # type: ignore[attr-defined] # see above
    with pytest.raises(Rejected, match="1 events were refused"):
        sink.write_events([large])
    sink.close()


@pytest.mark.parametrize(
    "odd",
    [
        Event("", 1e9, "a"),
        Event("a\nb: c", 1e9, "a"),
        Event("1", 1e9, "q" * 70_000),
        Event("1", 1e9, "\ud800"),
        Event("1", math.nan, "a"),
        Event("1", 1e9, "a", priority="odd"),
    ],
)
def test_an_event_that_nobody_could_read_holds_up_no_other(bus: Stream, odd: Event) -> None:
    with sink_of(bus.url) as sink:
        sink.write_events([odd, *several(1)])
        assert sink.left_out() == {("sink", "refused"): 1}  # type: ignore[attr-defined] # it is Selective, too
    assert bus.arrived(1) == several(1)


def test_without_a_stream_the_cure_is_said(server: Nats) -> None:
    url = f"nats://127.0.0.1:{server.port}?prefix=nobody&timeout=1s"
    with sink_of(url) as sink, pytest.raises(Unavailable, match="create=true"):
        sink.write_events(several(1))
    with source_of(url) as source, pytest.raises(Unavailable, match="create=true"):
        source.receive(1, 0.1)


def test_a_consumer_that_is_deleted_is_made_again(bus: Stream) -> None:
    with sink_of(bus.url) as sink, source_of(bus.url) as source:
        sink.write_events(several(1))
        source.settle(received(source, 1))
        bus.ask(lambda stream: stream.delete_consumer(bus.name, "nilometer"))
        with pytest.raises(Unavailable):
            source.receive(1, 0.1)
        assert len(received(source, 1)) == 1


def test_the_first_address_that_answers_is_taken(bus: Stream) -> None:
    with sink_of(bus.url.replace("127.0.0.1", "127.0.0.1:1,127.0.0.1", 1)) as sink:
        sink.write_events(several(1))
    assert bus.arrived(1) == several(1)


def test_a_login_is_sent_over_tls_and_never_without(server: Nats, tmp_path: Path) -> None:
    secure = certificate(tmp_path)
    options = ("--tls", "--tlscert", str(secure.certificate), "--tlskey", str(secure.key), "--user", "me", "--pass", "s3cr3t")
    with nats(tmp_path, *options) as locked:
        place = f"nats+tls://me:s3cr3t@localhost:{locked.port}?timeout=2s&ca={secure.certificate}"
        assert registry.open(place, registry.HEALTH).check().startswith("NATS 2.")
        for wrong, said in ((place.replace("s3cr3t", "other"), "uthorization"), (place.partition("&ca")[0], "certificate")):
            health = registry.open(wrong, registry.HEALTH)
            with pytest.raises(Unavailable, match=said) as caught:
                health.check()
            assert "s3cr3t" not in str(caught.value)
            health.close()
    health = registry.open(f"nats+tls://me:s3cr3t@127.0.0.1:{server.port}?timeout=1s", registry.HEALTH)
    with pytest.raises(Unavailable, match="does not speak TLS"):
        health.check()
    health.close()
