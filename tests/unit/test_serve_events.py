"""Events in a server of this process: which store keeps them, who hears of them, what a reload changes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from nilometer.backends import memory, registry
from nilometer.cli import logs
from nilometer.cli.eventing import store_url
from nilometer.cli.plan import Plan
from nilometer.cli.server import Server
from nilometer.core.errors import CapabilityError, MissingDriver, UrlError
from nilometer.core.record import Event, Kind
from nilometer.core.settings import load
from nilometer.events.queued import Full
from nilometer.ingest._reference import ReferenceKernel
from nilometer.ingest.statsd.mode import StatsdMode
from nilometer.testing.event_bus import SourceInMemory, StoreInMemory, event
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nilometer.core.url import Url

SINK = "memory://serve-events"


def plan(state: Path, statsd: StatsdMode | None = None, **flags: object) -> Plan:
    named = {name.replace("__", "."): value for name, value in flags.items()}
    quiet = {"server.listen": [], "admin.listen": [], "web.listen": [], "flush.interval": "1h"}
    return Plan(load(None, {}, {"server.state": str(state), "server.sinks": [SINK], **quiet, **named}), statsd)


class Around:
    """The stores and buses that the registry opens here, by scheme and by the text of the URL."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store, self.sources = StoreInMemory(), dict[str, SourceInMemory]()
        self._open = registry.open
        monkeypatch.setattr(registry, "open", self.open)

    def open(self, url: Url, capability: str) -> object:
        if capability == registry.EVENT_STORE and url.scheme in ("sqlite", "postgresql"):
            return self.store
        if capability == registry.MESSAGES and url.scheme == "nats":
            return self.sources.setdefault(url.reveal(), SourceInMemory())
        return self._open(url, capability)


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Around:
    monkeypatch.setattr(logs, "configure", lambda *_, **__: None)
    caplog.set_level(logging.INFO)
    memory.forget("serve-events")
    return Around(monkeypatch)


@pytest.fixture
def running(around: Around, tmp_path: Path) -> Iterator[tuple[Server, Around, ReferenceKernel]]:
    kernel = ReferenceKernel()
    server = Server(plan(tmp_path), kernel)
    server.start()
    yield server, around, kernel
    server.stop()


def heard() -> list[str]:
    """Return the ids of the events that the sink was given."""
    return [each.id for each in memory.open(registry.check(SINK, registry.EVENTS)).events()]


@pytest.mark.parametrize(
    ("flags", "statsd", "found"),
    [
        ({}, False, "sqlite:///STATE/events.db"),
        ({}, True, None),
        ({"events.store": "none"}, False, None),
        ({"events.store": "sqlite:///var/events.db"}, False, "sqlite:///var/events.db"),
        ({"events.store": "sqlite"}, True, "sqlite:///STATE/events.db"),
        ({"events.store": "postgresql://u:p@db/events"}, True, "postgresql://u:***@db/events"),
    ],
)
def test_which_store_keeps_events(tmp_path: Path, flags: dict[str, str], found: str | None, *, statsd: bool) -> None:
    asked = Plan(load(None, {}, flags), StatsdMode() if statsd else None)
    url = store_url(asked, tmp_path)
    assert (url and str(url)) == (found and found.replace("STATE", str(tmp_path)))


def test_events_over_http_are_stored_counted_watched_and_go_on_to_sinks(
    running: tuple[Server, Around, ReferenceKernel],
) -> None:
    server, around, kernel = running
    seen: list[str] = []
    server._events.watchers.watch(lambda events: seen.extend(each.id for each in events))
    server._events.offer([event(1), event(2)])
    server._events.offer([event(2), event(3)])
    until(lambda: len(around.store.events) == 3 and len(seen) == 3, "they are stored")
    until(lambda: heard() == ["1", "2", "3"], "the sink has them")

    assert seen == ["1", "2", "3"]
    assert counted(kernel) == {"events.magnetodb.table.create.end;tenant=acme": 3.0}
    (way,) = server._events.status().ways
    assert (way.name, way.received, way.stored, way.duplicates) == ("http", 4, 3, 1)


def counted(kernel: ReferenceKernel) -> dict[str, float]:
    found = kernel.peek(Kind.COUNTER, 10)
    return {key: value for key, value in zip(found.keys, found.values, strict=True) if key.startswith("events.")}


def test_dogstatsds_events_are_stored_and_sinks_do_not_wait_for_that(running: tuple[Server, Around, ReferenceKernel]) -> None:
    server, around, kernel = running
    around.store.away = "away"
    kernel.feed(b"_e{5,4}:title|text")
    server.tend()
    until(lambda: len(heard()) == 1, "the sink has it")
    assert around.store.events == {}

    around.store.away = ""
    until(lambda: len(around.store.events) == 1, "it is stored")
    (found,) = around.store.events.values()
    assert (found.id, found.type) == (heard()[0], "dogstatsd.event")
    assert server._losses.totals()["event", "no_sink"] == 0


def test_a_reload_changes_sources_and_says_what_takes_a_restart(
    running: tuple[Server, Around, ReferenceKernel], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server, around, kernel = running
    server.reload(plan(tmp_path, events__sources=["nats://a", "nats://b"], events__metrics="false", events__unknown="refuse"))
    around.sources["nats://a"].send(b'{"type": "magnetodb.table.create.end", "id": "1"}', b'{"type": "x", "id": "2"}')
    until(lambda: len(around.sources["nats://a"].settled) == 2, "both are settled")
    assert list(around.store.events) == ["1"]
    assert counted(kernel) == {}
    assert server._losses.totals()["event", "unknown_type"] == 1

    server.reload(plan(tmp_path, events__sources=["nats://b"], events__store="none"))
    assert around.sources["nats://a"].closed
    assert not around.sources["nats://b"].closed
    assert "nats://a is no longer a source of events" in caplog.text
    assert "events.store cannot change while the server runs; restart it for none://" in caplog.text


def test_a_reload_with_a_wrong_source_changes_nothing(running: tuple[Server, Around, ReferenceKernel], tmp_path: Path) -> None:
    server, around, _ = running
    server.reload(plan(tmp_path, events__sources=["nats://a"]))
    with pytest.raises(CapabilityError, match="null:// has no messages"):
        server.reload(plan(tmp_path, events__sources=["null://"]))
    assert not around.sources["nats://a"].closed
    assert [status.name for status in server._events.status().ways] == ["nats://a"]


def test_what_came_in_before_the_stop_is_in_the_last_flush(around: Around, tmp_path: Path) -> None:
    kernel = ReferenceKernel()
    server = Server(plan(tmp_path), kernel)
    server.start()
    server._events.offer([event(number) for number in range(100)])
    kernel.feed(b"_e{5,4}:title|text")
    server.stop()

    assert len(around.store.events) == 101
    assert around.store.closed
    paths = registry.open(SINK, registry.SERIES).find("*events.magnetodb*count*")
    assert len(paths) == 1
    with pytest.raises(Full):
        server._events.offer([event(1)])


def test_a_store_that_is_named_is_opened_at_the_start_the_other_one_with_its_first_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def refuse(url: Url, capability: str) -> object:
        if capability == registry.EVENT_STORE:
            asked.append(str(url))
            message = f"{url}: No module named 'x'"
            raise MissingDriver(message)
        return opened(url, capability)

    opened = registry.open
    monkeypatch.setattr(registry, "open", refuse)
    with pytest.raises(UrlError, match="No module named"):
        Server(plan(tmp_path, events__store="postgresql://db/events"), ReferenceKernel()).start()

    asked.clear()
    server = Server(plan(tmp_path, stop__deadline="0.1s"), ReferenceKernel())
    server.start()
    assert asked == []
    server._events.offer([event(1)])
    until(lambda: asked, "the store is opened")
    until(lambda: (found := server._events.status().store) and "No module named" in found.error, "it is told")
    server.stop()


def test_events_that_go_nowhere_are_counted(tmp_path: Path) -> None:
    server = Server(plan(tmp_path, events__store="none", server__sinks=["graphite://127.0.0.1:1"]), ReferenceKernel())
    server.start()
    server._events.notice([Event("1", 1.0, "dogstatsd.event")])
    server.stop()
    assert server._losses.totals()["event", "no_sink"] == 1
