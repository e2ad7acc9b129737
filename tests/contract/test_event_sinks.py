"""The contract of sinks of events over those that need no server: memory, the log, StatsD."""

from __future__ import annotations

import json
import logging
import socket
from typing import TYPE_CHECKING, Protocol

import pytest

from nilometer.backends import registry
from nilometer.core.capability import EventSink, InstantSink, TypedSink
from nilometer.core.errors import Unavailable
from nilometer.core.event_types import EVERY, EventType, Lines, Registry
from nilometer.core.wire.notification import six
from nilometer.testing._server import Server
from nilometer.testing.bus_contract import PATIENCE, EventSinkContract, sink_of, write_until_taken
from nilometer.testing.event_examples import several
from nilometer.testing.events import Recorded
from nilometer.testing.waiting import settled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from nilometer.core.record import Event

LOOPBACK = ("127.0.0.1", 0)
LEVELS = {"warn": "WARNING", "error": "ERROR", "critical": "CRITICAL", "debug": "DEBUG"}
STATSD: dict[str, Callable[[Path], Counted]] = {
    "statsd": lambda _: Counted("statsd", LOOPBACK, socket.SOCK_DGRAM),
    "statsd+tcp": lambda _: Counted("statsd+tcp", LOOPBACK, socket.SOCK_STREAM),
    "statsd+unix": lambda folder: Counted("statsd+unix", f"{folder}/socket", socket.SOCK_STREAM),
    "statsd+unixgram": lambda folder: Counted("statsd+unixgram", f"{folder}/socket", socket.SOCK_DGRAM),
}


class Closing(Protocol):
    """A bus that ends."""

    url: str

    def arrived(self, count: int) -> list[Event]: ...

    def close(self) -> None: ...


class Kept:
    """Memory: what was written is read back as it is."""

    def __init__(self) -> None:
        self._recorded = Recorded()
        self.url = f"{self._recorded.url}?points=1"

    def arrived(self, count: int) -> list[Event]:
        return settled(lambda: self._recorded.events, lambda found: len(found) >= count, PATIENCE)

    def close(self) -> None:
        with self._recorded:
            pass


class Logged(logging.Handler):
    """The log, as oslo.messaging writes it: known again are events whose six fields, logger and level are right."""

    url = "log:?level=debug"

    def __init__(self) -> None:
        super().__init__()
        self._records: list[logging.LogRecord] = []
        self._logger = logging.getLogger("oslo.messaging.notification")
        self._level = self._logger.level
        self._logger.setLevel(logging.DEBUG)
        self._logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(record)

    def arrived(self, count: int) -> list[Event]:
        return [event for event, record in zip(several(count), self._records, strict=True) if self._is(event, record)]

    def _is(self, event: Event, record: logging.LogRecord) -> bool:
        told = (record.name, record.levelname, json.loads(record.getMessage()))
        level = LEVELS.get(event.priority, "INFO")
        return told == (f"oslo.messaging.notification.{event.type}", level, json.loads(json.dumps(six(event))))

    def close(self) -> None:
        self._logger.removeHandler(self)
        self._logger.setLevel(self._level)
        super().close()


class Counted:
    """A StatsD server: known again are events whose lines came, each once and in order."""

    def __init__(self, scheme: str, address: tuple[str, int] | str, kind: socket.SocketKind) -> None:
        self.server = Server(address, kind)
        place = self.server.address if isinstance(self.server.address, str) else f"127.0.0.1:{self.server.port}"
        self.url = f"{scheme}://{place}?timeout=1s"

    def lines(self, count: int) -> list[str]:
        def found() -> list[str]:
            return [line for part in self.server.inbox.parts() for line in part.decode().split("\n") if line]

        return settled(found, lambda lines: len(lines) >= count, PATIENCE)

    def arrived(self, count: int) -> list[Event]:
        wanted = [line for event in several(count) for line in Lines(Registry(EVERY))(event)]
        return several(count) if self.lines(len(wanted)) == wanted else []

    def close(self) -> None:
        self.server.leave()


SINKS: dict[str, Callable[[Path], Closing]] = {"memory": lambda _: Kept(), "log": lambda _: Logged(), **STATSD}


class TestSinksWithoutServers(EventSinkContract):
    @pytest.fixture(params=SINKS)
    def bus(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Closing]:
        bus = SINKS[request.param](tmp_path)
        yield bus
        bus.close()


@pytest.fixture(params=STATSD)
def counted(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Counted]:
    bus = STATSD[request.param](tmp_path)
    yield bus
    bus.close()


def write_again_and_again(sink: EventSink) -> None:
    """Write until the system has noticed that nobody is there."""
    for number in range(20):
        sink.write_events(several(1, f"lost.with.the.server.{number}"))


def test_a_statsd_server_that_was_away_counts_each_event_once(counted: Counted) -> None:
    url = counted.url
    with sink_of(url) as sink:
        sink.write_events(several(3))
        assert counted.arrived(3)
        counted.server.leave()
        with pytest.raises(Unavailable):
            write_again_and_again(sink)
        counted.server.come_back()
        counted.server.inbox.clear()
        write_until_taken(sink, several(300, "after"))
        sink.write_events(several(300, "after"))
        sink.write_events(several(1, "last"))
    found = [line for line in counted.lines(301) if "after" in line]
    assert len(found) == 300


def test_statsd_goes_by_the_registry_that_it_is_told(counted: Counted) -> None:
    with sink_of(f"{counted.url}&prefix=edge.&tags=graphite") as sink:
        assert isinstance(sink, TypedSink)
        sink.use(Registry("shop", [EventType("order.*", metric="orders.{type}")]))
        sink.write_events(several(1, "shop.order.paid"))
    assert counted.lines(1) == ["edge.orders.shop.order.paid;tenant=tenant0:1|c"]


def test_memory_and_null_never_wait() -> None:
    for url in ("memory://", "null:"):
        with sink_of(url) as sink:
            assert isinstance(sink, InstantSink)
            assert sink.instant
    with sink_of("log:") as log:
        assert not isinstance(log, InstantSink)


def test_null_takes_everything() -> None:
    with sink_of("null:") as sink:
        sink.write_events(several(3))
    health = registry.open("null:", registry.HEALTH)
    assert health.check()
    health.close()


def test_the_log_has_no_more_loggers_than_types_it_knows(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "oslo.messaging.notification")
    with sink_of("log:") as sink:
        for number in range(1005):
            sink.write_events(several(1, f"type{number}"))
    names = [record.name for record in caplog.records]
    assert (
        names[998:1002]
        == [f"oslo.messaging.notification.type{number}" for number in (998, 999)] + ["oslo.messaging.notification"] * 2
    )
    assert "oslo.messaging.notification.type1004" not in logging.root.manager.loggerDict
