"""A real server that takes events in: from a real NATS, HTTP and DogStatsD's clients; killed, and with its store away."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sqlite3
import threading
from signal import SIGKILL
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from nilometer.backends import registry
from nilometer.core.event_query import EventQuery
from nilometer.core.record import Event
from nilometer.core.wire import cloudevents
from nilometer.testing import nats as module
from nilometer.testing.asking import Answer, ask
from nilometer.testing.bus_contract import write_until_taken
from nilometer.testing.event_examples import several
from nilometer.testing.postgresql import USER, postgresql
from nilometer.testing.proxy import Proxy
from nilometer.testing.rabbitmq import rabbitmq
from nilometer.testing.serving import Serving
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from nilometer.testing.nats import Nats

    Start = Callable[..., Serving]

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[Nats]:
    (tmp_path / "nats").mkdir()
    with module.nats(tmp_path / "nats") as server:
        yield server


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Serving] = []

    def begin(*arguments: str) -> Serving:
        always = ("--listen=udp://127.0.0.1:0", "--web-listen=http://127.0.0.1:0", "--events-retention=0")  # these are old
        started.append(Serving(*always, *arguments, state=tmp_path / "state"))
        return started[-1].ready()

    yield begin
    for server in started:
        server.kill()


def url(bus: Nats) -> str:
    return f"nats://127.0.0.1:{bus.port}?stream=EVENTS&create=true&timeout=2s&ack_wait=1s"


def write(bus: Nats, events: list[Event]) -> None:
    """Write events to the bus, and return when it has confirmed them."""
    with contextlib.closing(registry.open(url(bus), registry.EVENTS)) as sink:
        sink.write_events(events)


def publish(bus: Nats, *bodies: bytes) -> None:
    """Publish messages as they are, by NATS's own client."""
    import nats  # noqa: PLC0415 the other tests need none

    async def send() -> None:
        client = await nats.connect(f"nats://127.0.0.1:{bus.port}")
        for body in bodies:
            await client.jetstream().publish("nilometer.raw", body)
        await client.close()

    asyncio.run(send())


def stored(tmp_path: Path, file: str = "state/events.db") -> list[Event]:
    """Return all events of the store, newest first."""
    found: list[Event] = []
    with contextlib.closing(registry.open(f"sqlite:///{tmp_path / file}", registry.EVENT_STORE)) as store:
        cursor = ""
        while True:
            page = store.find_events(EventQuery(), 1000, cursor)
            found += page.events
            cursor = page.cursor
            if not cursor:
                return found


def post(server: Serving, body: bytes, content: str = "application/json") -> Answer:
    return ask(server.interface("HTTP interface"), "/events", "POST", headers={"content-type": content}, body=body)


def status(server: Serving) -> dict[str, Any]:
    found: dict[str, Any] = ask(server.interface("HTTP interface"), "/status").json
    return found


def way(server: Serving, name: str) -> dict[str, Any]:
    """Return how a way in fares, nothing while it is not there."""
    return next((each for each in status(server)["events"]["ways"] if each["name"].startswith(name)), {})


def test_events_of_every_way_are_stored_once_counted_shown_and_sent_on(start: Start, bus: Nats, tmp_path: Path) -> None:
    server = start(f"--events-sources={url(bus)}", "--flush-interval=500ms")
    written = several(20)
    write(bus, written)
    publish(bus, b"\xff no event", cloudevents.encode(written[0]))
    until(lambda: way(server, "nats").get("duplicates") == 1, "what came twice over the bus is known")
    assert post(server, json.dumps([{"id": "h1", "type": "shop.paid", "tenant": "acme"}] * 2).encode()).json == {"accepted": 2}
    assert post(server, cloudevents.encode(written[1]), cloudevents.STRUCTURED).status == 202
    assert post(server, b'[{"type": "a"}, {"typo": "b"}]').status == 400
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"_e{5,4}:title|text\n_sc|db|2", server.address("udp"))

    until(lambda: way(server, "http").get("stored", 0) + way(server, "http").get("duplicates", 0) == 3, "HTTP's are stored")
    until(lambda: way(server, "dogstatsd").get("stored") == 2, "DogStatsD's are stored")
    found = {event.id: event for event in stored(tmp_path)}
    assert len(found) == len(stored(tmp_path)) == 20 + 1 + 2
    assert all(found[event.id] == event for event in written)
    assert {event.type for event in found.values()} >= {"shop.paid", "dogstatsd.event", "dogstatsd.service_check"}

    told = way(server, "nats")
    assert (told["received"], told["stored"], told["bad"], told["error"]) == (21, 20, 1, "")
    assert server.said("a message on nilometer.raw is no event: ")
    assert (way(server, "http")["stored"], way(server, "http")["duplicates"]) == (1, 2)
    until(lambda: len(server.events) == 23, "the console has each of them once")
    name = f"nilometer.events.nats_127_0_0_1_{bus.port}"
    until(lambda: server.total(f"{name}.stored") == 20, "the server's figures tell")
    until(lambda: server.total("nilometer.lost.event.bad_message") == 1, "and what was lost")
    until(lambda: server.total("events.shop.paid;tenant=acme") == 1, "the event moved its metric, once")
    assert server.stop() == 0
    assert (
        sum(series["count"] for flush in server.flushes for series in flush["series"] if series["key"].startswith("events."))
        == 23
    )


class Load:
    """Writes events to a bus, as fast as it confirms them but for a pause, until it is stopped; `confirmed` are their ids."""

    def __init__(self, address: str) -> None:
        self.confirmed: list[str] = []
        self._address, self._done = address, threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        with contextlib.closing(registry.open(self._address, registry.EVENTS)) as sink:
            while not self._done.wait(0.02):
                batch = [Event(f"{len(self.confirmed) + number}", 1e9, "load.test", "p") for number in range(10)]
                write_until_taken(sink, batch)
                self.confirmed.extend(event.id for event in batch)

    def stop(self) -> None:
        self._done.set()
        self._thread.join()


def bind(server: Serving, address: str) -> None:
    """Write events of another kind until one is stored: from then on the bus keeps what comes for the server."""
    with contextlib.closing(registry.open(address, registry.EVENTS)) as sink:

        def arrived() -> bool:
            write_until_taken(sink, [Event(uuid4().hex, 1e9, "first", "p")])
            return bool(way(server, address.partition("?")[0]).get("stored"))

        until(arrived, "one is stored")


def survive(start: Start, tmp_path: Path, address: str, kills: int, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Kill a server under load, so many times. Raise AssertionError unless all that was confirmed is stored, each once."""
    flags, counted = (f"--events-sources={address}", "--flush-interval=100ms"), 0.0
    server = start(*flags)
    bind(server, address)
    load = Load(address)
    try:
        for _ in range(kills):
            stored_before = way(server, address[:4])["stored"]
            until(lambda: way(server, address[:4]).get("stored", 0) >= stored_before + 50, "it stores")  # noqa: B023 it is waited for here
            server.stop(SIGKILL)
            counted += server.total("events.load.test")
            server = start(*flags)
            until(lambda: way(server, address[:4]), "it has its sources")  # noqa: B023 see above
        meanwhile()
    finally:
        load.stop()
    with contextlib.closing(registry.open(f"sqlite:///{tmp_path}/state/events.db", registry.EVENT_STORE)) as store:
        for begin in range(0, len(load.confirmed), 100):
            some = load.confirmed[begin : begin + 100]
            until(lambda: len(store.known_events(some)) == len(some), "what was confirmed is stored")  # noqa: B023 see above
    assert server.stop() == 0
    assert sorted(event.id for event in stored(tmp_path) if event.type == "load.test") == sorted(load.confirmed)
    assert counted + server.total("events.load.test") <= len(load.confirmed)


@pytest.mark.slow
def test_a_server_that_is_killed_under_load_has_every_event_exactly_once(start: Start, bus: Nats, tmp_path: Path) -> None:
    survive(start, tmp_path, url(bus), 8)


@pytest.mark.slow
def test_over_rabbitmq_too_which_is_restarted_meanwhile(start: Start, tmp_path: Path) -> None:
    (tmp_path / "rabbitmq").mkdir()
    with rabbitmq(tmp_path / "rabbitmq") as broker:

        def restart() -> None:
            broker.stop()
            broker.start()

        survive(start, tmp_path, f"{broker.url}?durable=true&timeout=2s", 4, restart)


@pytest.mark.slow
def test_while_the_store_is_away_events_wait_on_the_bus_and_on_disk_even_for_the_next_server(
    start: Start, bus: Nats, tmp_path: Path
) -> None:
    flags = (f"--events-sources={url(bus)}", f"--events-store=sqlite:///{tmp_path}/events.db?timeout=200ms", "--events-queue=5")
    server = start(*flags, "--flush-interval=1h")
    assert post(server, b'{"type": "a", "id": "first"}').status == 202
    until(lambda: way(server, "http").get("stored") == 1, "the first is stored")
    with contextlib.closing(sqlite3.connect(tmp_path / "events.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert post(server, b'[{"type": "a", "id": "h1"}, {"type": "a", "id": "h2"}]').status == 202
        write(bus, [Event("n1", 1e9, "b")])
        until(lambda: status(server)["events"]["store"]["error"], "the store is away")
        assert any("keeps no events for" in problem for problem in status(server)["problems"])
        full = post(server, json.dumps([{"type": "a"}] * 4).encode())
        assert (full.status, full.headers["retry-after"]) == (503, "1")
        spool = tmp_path / "state/spool-events/http"
        until(lambda: list(spool.glob("*.events")), "what waits lies on disk")
        server.stop(SIGKILL)
        assert {event.id for event in stored(tmp_path, "events.db")} == {"first"}

    server = start(*flags, "--flush-interval=1h")
    until(lambda: len(stored(tmp_path, "events.db")) == 4, "all is stored")
    assert {event.id for event in stored(tmp_path, "events.db")} == {"first", "h1", "h2", "n1"}
    assert status(server)["problems"] == [] or not any("events" in problem for problem in status(server)["problems"])
    assert server.stop() == 0


@pytest.mark.slow
def test_a_bus_that_goes_away_is_told_of_and_taken_from_when_it_is_back(start: Start, bus: Nats, tmp_path: Path) -> None:
    server = start(f"--events-sources={url(bus)}", "--flush-interval=1h")
    write(bus, several(5))
    until(lambda: way(server, "nats").get("stored") == 5, "they are stored")
    bus.stop()
    until(lambda: way(server, "nats")["error"], "it is told that the bus is away")
    assert any("no events from there for" in problem for problem in status(server)["problems"])
    assert post(server, b'{"type": "a"}').status == 202
    bus.start()
    until(lambda: not way(server, "nats")["error"], "the bus is back")
    write(bus, [Event("after", 1e9, "b")])
    until(lambda: "after" in {event.id for event in stored(tmp_path)}, "events come again")

    bus.freeze()
    until(lambda: way(server, "nats")["error"], "a frozen bus is away, too")
    assert server.stop() == 0


@pytest.mark.slow
def test_a_database_that_hangs_holds_up_nobody_and_loses_nothing(start: Start, bus: Nats) -> None:
    with postgresql() as address, contextlib.ExitStack() as cleanup:
        between = Proxy(int(address.rpartition(":")[2].partition("/")[0]))
        cleanup.callback(between.leave)
        store = f"postgresql://{USER}@127.0.0.1:{between.port}/postgres"
        server = start(f"--events-sources={url(bus)}", f"--events-store={store}?timeout=1s", "--flush-interval=1h")
        assert post(server, b'{"type": "a", "id": "first"}').status == 202
        until(lambda: way(server, "http").get("stored") == 1, "the first is stored")
        between.stall()
        write(bus, [Event("n1", 1e9, "b")])
        assert post(server, b'{"type": "a", "id": "h1"}').status == 202
        until(lambda: status(server)["events"]["store"]["error"], "it is told")
        assert way(server, "http")["waiting"] == 1
        between.resume()
        until(lambda: way(server, "nats").get("stored") == 1 and way(server, "http")["stored"] == 2, "all is stored")
        between.stall()
        assert post(server, b'{"type": "a", "id": "h2"}').status == 202
        assert server.stop() == 0
        between.resume()
        server = start(f"--events-store={store}")
        until(lambda: way(server, "http").get("stored") == 1, "what waited on disk is stored")
        with contextlib.closing(registry.open(store, registry.EVENT_STORE)) as opened:
            assert opened.known_events(["first", "n1", "h1", "h2", "x"]) == {"first", "n1", "h1", "h2"}
