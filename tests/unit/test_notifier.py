"""The notifier over drivers in memory and in the log: what it emits, to whom, and what it leaves out."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import uuid
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

import nilometer
from nilometer import Notifier
from nilometer.backends import memory, registry
from nilometer.core.capability import TypedSink
from nilometer.core.errors import ConfigError, UrlError
from nilometer.core.event_types import TABLE_SERVICE, DataItemPayload, EventType, Registry, State, TablePayload
from nilometer.core.events import EventWorker
from nilometer.emit.notifier import driver
from nilometer.emit.notifier.losses import REASONS
from nilometer.emit.notifier.options import NAMES
from nilometer.testing._server import Server
from nilometer.testing.events import Recorded
from nilometer.testing.recorder import Recorder
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

NOW = 1_700_000_000.25
PRIORITIES = ("audit", "debug", "info", "warn", "error", "critical", "sample")


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    with Recorded() as found:
        yield found


def notifier(recorded: Recorded, **more: Any) -> Notifier:  # noqa: ANN401 options of a notifier
    return Notifier(recorded.url, **{"publisher": "magnetodb.host1", "clock": lambda: NOW, **more})


def test_an_event_has_every_field(recorded: Recorded) -> None:
    with notifier(recorded) as notify:
        found = notify.info(
            "table.create.end", {"table_name": "Thread"}, tenant="acme", user="ann", context={"request_id": "r1"}
        )
    (event,) = recorded.events
    assert uuid.UUID(event.id).version == 4
    assert found == event.id
    assert (event.time, event.type, event.publisher) == (NOW, "magnetodb.table.create.end", "magnetodb.host1")
    assert (event.priority, event.tenant, event.context) == ("info", "acme", {"request_id": "r1"})
    assert event.payload == {"tenant_id": "acme", "user_id": "ann", "table_name": "Thread"}


@pytest.mark.parametrize("priority", PRIORITIES)
def test_there_is_a_method_for_each_priority(recorded: Recorded, priority: str) -> None:
    notify = notifier(recorded)
    getattr(notify, priority)("x")
    notify.warning("y")
    assert [event.priority for event in recorded.events] == [priority, "warn"]


def test_without_a_priority_the_registry_says_it(recorded: Recorded) -> None:
    notify = notifier(recorded)
    for name in ("table.create.error", "table.create.end", "somewhere.else"):
        notify.emit(name)
    notify.emit("x", priority="WARNING")
    notify.emit("x", priority="loud")
    assert [event.priority for event in recorded.events] == ["error", "info", "info", "warn", "info"]


def test_a_typed_payload_goes_out_field_by_field(recorded: Recorded) -> None:
    notify = notifier(recorded)
    notify.info("table.create.start", TablePayload(tenant_id="acme", table_name="Thread", state=State.CREATING, disk_gb=0.5))
    notify.info("data.putitem", DataItemPayload(tenant_id="acme", rows_impacted=1, consistency_level="STRONG"))
    assert [event.payload for event in recorded.events] == [
        {"tenant_id": "acme", "table_name": "Thread", "state": "creating", "disk_gb": 0.5},
        {"tenant_id": "acme", "rows_impacted": 1, "consistency_level": "STRONG"},
    ]
    assert {event.tenant for event in recorded.events} == {"acme"}


@pytest.mark.parametrize(
    ("publisher", "service", "whole"),
    [("shop.web1", "shop", "shop.web1"), ("shop", "shop", None), ("", "magnetodb", None), ("shop.a.b", "shop", "shop.a.b")],
)
def test_the_publisher_names_the_service(recorded: Recorded, publisher: str, service: str, whole: str | None) -> None:
    Notifier(recorded.url, publisher=publisher).info("order.paid")
    (event,) = recorded.events
    assert event.type == f"{service}.order.paid"
    assert event.publisher == whole if whole else event.publisher.startswith(f"{service}.")


def test_what_is_no_mapping_is_a_value(recorded: Recorded) -> None:
    class Request:
        def to_dict(self) -> dict[str, object]:
            return {"user": "ann", "auth_token": "t0p"}

    notify = notifier(recorded)
    notify.info("x", "text", context=Request())
    notify.info("x", 7, context="odd")
    assert [event.payload for event in recorded.events] == [{"value": "text"}, {"value": 7}]
    assert [event.context for event in recorded.events] == [{"user": "ann", "auth_token": "***"}, {"value": "odd"}]


def test_nothing_raises_whatever_is_emitted(recorded: Recorded) -> None:
    class Bad:
        def __str__(self) -> str:
            raise RuntimeError

        to_dict = property(__str__)

    notify = notifier(recorded)
    notify.info("x", {"bad": Bad()})
    notify.info("x", Bad())
    notify.info(Bad())  # type: ignore[arg-type]  # no text
    notify.info("a\nb" + "c" * 1000, tenant="\ud800" * 1000)
    assert notify.losses()["error"] == 2
    assert [len(event.type) for event in recorded.events] == [len("magnetodb.x"), 255]
    assert all(event.type.isprintable() for event in recorded.events)


def test_the_application_s_objects_stay_as_they_are(recorded: Recorded) -> None:
    payload: dict[str, Any] = {"login": {"password": "s3cr3t"}, "rows": [1, 2]}
    before = json.dumps(payload)
    notifier(recorded).info("x", payload, tenant="acme")
    assert json.dumps(payload) == before
    payload["rows"].append(3)
    assert recorded.events[0].payload == {"tenant_id": "acme", "login": {"password": "***"}, "rows": [1, 2]}


def test_keys_to_mask_can_be_chosen(recorded: Recorded) -> None:
    notifier(recorded, secrets="^card").info("x", {"card_number": 1, "password": "shown"})
    assert recorded.events[0].payload == {"card_number": "***", "password": "shown"}
    with pytest.raises(ValueError, match="no regular expression"):
        notifier(recorded, secrets="(")


def test_unknown_types_may_be_refused(recorded: Recorded) -> None:
    notify = notifier(recorded, unknown="refuse")
    notify.info("table.create.end")
    notify.info("table.created")
    assert recorded.types == ["magnetodb.table.create.end"]
    assert notify.losses()["unknown"] == 1
    with pytest.raises(ValueError, match="neither allow nor refuse"):
        notifier(recorded, unknown="maybe")


def test_usage_is_off_until_it_is_switched_on(recorded: Recorded) -> None:
    notify = notifier(recorded)
    notify.info("table.usage", {"disk_gb": 1})
    notify.enable("*.table.usage")
    notify.info("table.usage", {"disk_gb": 2})
    assert [event.payload["disk_gb"] for event in recorded.events] == [2]


def test_switches_are_thrown_while_it_runs_and_the_last_counts(recorded: Recorded) -> None:
    notify = notifier(recorded, disable=["*.data.*"])

    def sent() -> list[str]:
        recorded.clear()
        for name in ("table.create.end", "data.putitem"):
            for priority in ("debug", "info"):
                notify.emit(name, priority=priority)
        return [f"{event.type.removeprefix('magnetodb.')} {event.priority}" for event in recorded.events]

    assert sent() == ["table.create.end debug", "table.create.end info"]
    notify.disable(priority="debug")
    assert sent() == ["table.create.end info"]
    notify.enable("*.data.putitem")
    assert sent() == ["table.create.end info", "data.putitem debug", "data.putitem info"]
    notify.disable(priority="debug")
    assert sent() == ["table.create.end info", "data.putitem info"]
    notify.enabled = False
    assert sent() == []
    notify.enabled = True
    assert len(sent()) == 2
    assert not any(notify.losses().values())


def test_several_drivers_each_with_what_it_accepts() -> None:
    with Recorded() as first, Recorded() as second:
        notify = Notifier(
            f"{first.url}?accept=*.table.*,*.error&driver=tables",
            f"{second.url}?priorities=error,audit",
            publisher="magnetodb.h",
        )
        notify.info("table.create.end")
        notify.error("data.putitem.error")
        notify.audit("data.putitem")
        notify.info("data.putitem")
    assert first.types == ["magnetodb.table.create.end", "magnetodb.data.putitem.error"]
    assert second.types == ["magnetodb.data.putitem.error", "magnetodb.data.putitem"]


ROUTING: dict[str, Any] = {
    "billing": {"a": {"accepted_events": ["*.table.*"], "accepted_priorities": ["AUDIT", "i*"]}},
    "alarms": {"a": {"accepted_events": ["*.table.*"]}, "b": {"accepted_priorities": ["error"]}, "c": None},
}


@pytest.mark.parametrize("kind", ["mapping", "json", "yaml"])
def test_routing_as_oslo_messaging_has_it(kind: str, tmp_path: Path) -> None:
    routing: Any = ROUTING
    if kind != "mapping":
        yaml = pytest.importorskip("yaml")
        routing = tmp_path / f"routing.{kind}"
        routing.write_text(json.dumps(ROUTING) if kind == "json" else yaml.safe_dump(ROUTING))
    with Recorded() as a, Recorded() as b, Recorded() as c, Recorded() as d:
        urls = [f"{each.url}?driver={name}" for each, name in ((a, "a"), (b, "b"), (c, "c"), (d, "d"))]
        notify = Notifier(*urls, publisher="magnetodb.h", routing=routing)
        notify.info("table.create.end")
        notify.warn("table.create.end")
        notify.error("data.x")
        assert a.types == ["magnetodb.table.create.end"] * 2
        assert b.types == ["magnetodb.data.x"]
        assert c.types == ["magnetodb.table.create.end", "magnetodb.table.create.end", "magnetodb.data.x"]
        assert d.types == []


@pytest.mark.parametrize(
    ("routing", "told"),
    [
        ({"g": {"memry": {}}}, "there is no driver 'memry'; did you mean 'memory'"),
        ({"g": {"memory": {"accepted_event": []}}}, "did you mean 'accepted_events'"),
        ({"g": {"memory": {"accepted_events": "x"}}}, "accepted_events is a list of texts"),
        ({"g": []}, "expected names"),
        ("/nowhere/routing.yaml", "/nowhere/routing.yaml: cannot be read"),
    ],
)
def test_a_wrong_routing_is_told(recorded: Recorded, routing: object, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        Notifier(recorded.url, routing=routing)  # type: ignore[arg-type]  # a mapping of what the test says


def test_the_registry_may_name_the_drivers_of_a_type() -> None:
    types = Registry("shop", [EventType("paid", drivers=("books",)), *TABLE_SERVICE])
    with Recorded() as books, Recorded() as all_:
        notify = Notifier(f"{books.url}?driver=books&accept=*.paid", all_.url, publisher="shop.h", types=types)
        notify.info("paid")
        notify.info("table.create.end")
        assert (books.types, all_.types) == (["shop.paid"], ["shop.table.create.end"])


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("memory://?accpt=x", "unknown option 'accpt'"),
        ("memory://?priorities=loud", "'loud' is none of audit"),
        ("memory://?hold=0", "below 1"),
        ("graphite://localhost", "has no events"),
        ("nonsense", "no backend answers to nonsense"),
    ],
)
def test_a_wrong_url_raises_when_the_notifier_is_made(url: str, told: str) -> None:
    with pytest.raises(UrlError, match=told):
        Notifier(url)


def test_options_of_drivers_and_of_backends_have_different_names() -> None:
    takers = [scheme for scheme in registry.TABLE if registry.EVENTS in registry.capabilities(scheme)]
    assert len(takers) > 10
    for scheme in takers:
        module = import_module(registry.find(scheme).factories[registry.EVENTS].partition(":")[0])
        assert NAMES.isdisjoint(module.Options.__dataclass_fields__), scheme


def test_without_a_url_the_environment_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    with Recorded() as first, Recorded() as second:
        monkeypatch.setenv("NILOMETER_EVENTS", f"{first.url} {second.url}?accept=none")
        Notifier().info("x")
        assert (first.types, second.types) == (["magnetodb.x"], [])


def test_without_any_url_events_are_logged_as_oslo_messaging_does(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("NILOMETER_EVENTS", raising=False)
    caplog.set_level(logging.DEBUG)
    notify = Notifier(publisher="magnetodb.host1", clock=lambda: NOW)
    for priority in PRIORITIES:
        notify.emit("table.create", {"password": "p"}, priority=priority)
    assert notify.flush(30)
    logged = [record for record in caplog.records if record.name.startswith("oslo.")]
    assert {record.name for record in logged} == {"oslo.messaging.notification.magnetodb.table.create"}
    assert [record.levelname for record in logged] == ["INFO", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "INFO"]
    message = json.loads(logged[0].getMessage())
    assert uuid.UUID(message.pop("message_id"))
    assert message == {
        "publisher_id": "magnetodb.host1",
        "event_type": "magnetodb.table.create",
        "priority": "AUDIT",
        "payload": {"password": "***"},
        "timestamp": "2023-11-14 22:13:20.250000",
    }
    notify.close()


def test_an_activity_begins_and_ends(recorded: Recorded) -> None:
    statsd = Recorder()
    notify = notifier(recorded, statsd=statsd)
    with notify.activity("table.create", {"table_name": "Thread", "state": "creating"}, tenant="acme") as activity:
        activity.update(state="active")
    assert [(event.type, event.payload["state"]) for event in recorded.events] == [
        ("magnetodb.table.create.start", "creating"),
        ("magnetodb.table.create.end", "active"),
    ]
    assert all(event.payload["table_name"] == "Thread" and event.tenant == "acme" for event in recorded.events)
    assert statsd.stats() == ["magnetodb.table.create.timing"]


def test_an_activity_that_raises_ends_with_an_error(recorded: Recorded) -> None:
    statsd = Recorder()
    notify = notifier(recorded, statsd=statsd)

    @notify.activity("table.create", {"table_name": "Thread"})
    def create() -> None:
        message = "no room, password=hunter2"
        raise ValueError(message)

    with pytest.raises(ValueError, match="no room"):
        create()
    start, error = recorded.events
    assert (start.type, start.priority, "message" in start.payload) == ("magnetodb.table.create.start", "info", False)
    assert (error.type, error.priority) == ("magnetodb.table.create.error", "error")
    assert error.payload == {"table_name": "Thread", "message": "no room, password=***"}
    assert statsd.stats() == ["magnetodb.table.create.timing", "magnetodb.table.create.timing.error"]


def test_a_short_activity_has_one_event(recorded: Recorded) -> None:
    notify = notifier(recorded)
    with notify.activity("data.putitem", short=True) as activity:
        activity.update(rows_impacted=1)
    with notify.activity("data.putitem", short=True) as activity:
        activity.fail("conflict")
    with pytest.raises(KeyError), notify.activity("data.putitem", short=True):
        raise KeyError
    assert [(event.type, dict(event.payload)) for event in recorded.events] == [
        ("magnetodb.data.putitem", {"rows_impacted": 1}),
        ("magnetodb.data.putitem.error", {"message": "conflict"}),
        ("magnetodb.data.putitem.error", {"message": "KeyError"}),
    ]


def test_fields_may_be_called_like_arguments(recorded: Recorded) -> None:
    notify = notifier(recorded)
    with notify.activity("x", short=True) as activity:
        activity.update(tenant="t", priority="p", payload="q", context="c")
    assert recorded.events[0].payload == {"tenant": "t", "priority": "p", "payload": "q", "context": "c"}


def test_an_activity_is_a_decorator_over_functions_of_every_kind(recorded: Recorded) -> None:
    notify = notifier(recorded)

    @notify.activity("plain")
    def plain(value: int) -> int:
        return value

    @notify.activity("coroutine")
    async def coroutine() -> int:
        async with notify.activity("inner"):
            return 2

    @notify.activity("each")
    async def each() -> AsyncIterator[int]:
        yield 3

    async def main() -> list[int]:
        return [await coroutine(), *[value async for value in each()]]

    assert [plain(1), *asyncio.run(main())] == [1, 2, 3]
    assert recorded.types == [
        f"magnetodb.{name}"
        for name in (
            *("plain.start", "plain.end", "coroutine.start", "inner.start", "inner.end", "coroutine.end"),
            *("each.start", "each.end"),
        )
    ]


def test_a_generator_that_is_closed_early_did_not_fail(recorded: Recorded) -> None:
    @notifier(recorded).activity("each")
    def each() -> Iterator[int]:
        yield 1
        yield 2

    running: Any = each()
    next(running)
    running.close()
    assert recorded.types == ["magnetodb.each.start", "magnetodb.each.end"]


def test_what_comes_after_the_end_is_counted(recorded: Recorded) -> None:
    notify = notifier(recorded)
    notify.close()
    notify.close()
    assert notify.info("x") == ""
    assert notify.losses()["closed"] == 1
    assert tuple(notify.losses()) == REASONS
    assert recorded.events == []


def test_a_driver_is_told_the_notifier_s_registry(monkeypatch: pytest.MonkeyPatch, recorded: Recorded) -> None:
    told: list[object] = []
    monkeypatch.setattr(memory.Memory, "use", lambda _, types: told.append(types), raising=False)
    types = Registry("shop", ())
    notify = notifier(recorded, types=types)
    assert told == [types]
    assert isinstance(memory.Memory("", memory.Ring(), 1), TypedSink)
    notify.close()


def test_events_wait_in_a_spool_for_the_next_run(tmp_path: Path) -> None:
    address = f"{tmp_path}/statsd.sock"
    url = f"statsd+unix://{address}?spool={tmp_path}/spool&timeout=1s&tags=graphite"
    with Notifier(url, publisher="magnetodb.h") as notify:
        for number in range(5):
            notify.info("data.putitem", {"rows_impacted": number}, tenant="acme")
    assert not any(notify.losses().values())
    files = (tmp_path / "spool").glob("statsd+unix-*/0/*.events")
    assert sum(int(file.stem.rpartition("-")[2]) for file in files) == 5
    server = Server(address, socket.SOCK_STREAM)
    with Notifier(url, publisher="magnetodb.h") as again:
        until(lambda: b"".join(server.inbox.parts()).count(b"usage.magnetodb.writes;tenant=acme:4|c"), "they were delivered")
        assert again.flush(30)
    assert b"".join(server.inbox.parts()).count(b"events.magnetodb.data.putitem;tenant=acme:1|c") == 5
    assert not list((tmp_path / "spool").glob("*/*/*.events"))
    server.leave()


def test_an_event_of_a_handler_that_interrupts_the_first_one_is_delivered_too(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    notify = Notifier("log:", publisher="magnetodb.host1")
    made: list[EventWorker] = []

    def worker(*args: Any, **options: Any) -> EventWorker:  # noqa: ANN401 those of a worker
        found = EventWorker(*args, **options)
        made.append(found)
        if found is made[0]:
            notify.info("inner")
        return found

    monkeypatch.setattr(driver, "EventWorker", worker)
    notify.info("outer")
    assert notify.flush(30)
    types = [record.name.rpartition(".")[2] for record in caplog.records if record.name.startswith("oslo.")]
    assert types == ["inner", "outer"]
    notify.close()
    assert [each._thread.is_alive() for each in made] == [False, False]


def test_the_notifier_is_loaded_when_it_is_asked_for() -> None:
    assert "Notifier" in dir(nilometer)
    assert nilometer.Notifier is Notifier


def test_a_queue_that_is_full_drops_and_counts(tmp_path: Path) -> None:
    notify = Notifier(f"statsd+unix://{tmp_path}/nobody?hold=10&timeout=1s", publisher="magnetodb.h")
    for _ in range(600):
        notify.info("x")
    until(lambda: notify.losses()["queue"] > 0, "there is no room")
    notify.close(0.1)
    assert notify.losses()["queue"] == 600
