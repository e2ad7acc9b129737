"""The server in this process: what it saves while it runs, and reloads that fail half-way."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import logging
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from nilometer.backends import registry
from nilometer.cli import logs, server
from nilometer.cli.plan import Plan
from nilometer.cli.server import Server
from nilometer.core.errors import ConfigError
from nilometer.core.settings import load
from nilometer.ingest._reference import ReferenceKernel
from nilometer.ingest.listeners import Listener
from nilometer.ingest.statsd.mode import StatsdMode
from nilometer.testing.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Start = Callable[..., Server]


def plan(state: Path, **flags: object) -> Plan:
    named = {name.replace("__", "."): value for name, value in flags.items()}
    defaults = {"server.state": str(state), "server.listen": [], "server.sinks": ["null://"], "flush.interval": "1h"}
    return Plan(load(None, {}, {**defaults, **named}))


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Path:
    monkeypatch.setattr(logs, "configure", lambda *_, **__: None)
    caplog.set_level(logging.INFO)
    return tmp_path / "state"


@pytest.fixture
def kernel() -> ReferenceKernel:
    return ReferenceKernel()


@pytest.fixture
def start(state: Path, kernel: ReferenceKernel) -> Iterator[Start]:
    started: list[Server] = []

    def begin(**flags: object) -> Server:
        started.append(Server(plan(state, **flags), kernel))
        started[-1].start()
        return started[-1]

    yield begin
    for each in started:
        each.stop()


def answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_gauges_are_saved_while_the_server_runs(
    start: Start, state: Path, kernel: ReferenceKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = start()
    kernel.feed(b"g:5|g\n")
    kernel.flush(1.0)
    running.tend()
    assert not (state / "carryover.json").exists()

    monkeypatch.setattr(server, "SAVE_EVERY", 0.0)
    running.tend()
    assert json.loads((state / "carryover.json").read_text())["gauges"] == {"g": 5.0}


def test_a_disk_that_does_not_take_the_gauges_is_named_and_the_server_goes_on(
    start: Start, state: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    running = start()
    (state / "carryover.tmp").mkdir()
    monkeypatch.setattr(server, "SAVE_EVERY", 0.0)
    running.tend()

    assert "carryover.json: gauges cannot be kept" in caplog.text


def test_a_server_without_listeners_says_so(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    start(server__listen=[])
    assert "nothing is listened to: the settings name no listener" in caplog.text


def test_statsds_file_without_a_sink_is_said_to_send_nothing(
    state: Path, kernel: ReferenceKernel, caplog: pytest.LogCaptureFixture
) -> None:
    running = Server(Plan(load(None, {}, {"server.state": str(state), "server.listen": []}), statsd=StatsdMode()), kernel)
    running.start()
    running.stop()
    assert "nothing is stored or sent" in caplog.text


def test_listeners_are_stopped_at_the_same_time(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    running = start(server__listen=[f"tcp://127.0.0.1:{free_port()}" for _ in range(5)])
    together, stop = threading.Barrier(5), Listener.stop

    def meet(listener: Listener) -> None:
        together.wait(10)
        stop(listener)

    monkeypatch.setattr(Listener, "stop", meet)
    running.stop()
    assert not together.broken


def test_listeners_come_back_when_a_reload_fails_after_they_were_closed(start: Start, state: Path) -> None:
    old, new = free_port(), free_port()
    running = start(server__listen=[f"tcp://127.0.0.1:{old}"])

    with pytest.raises(ConfigError, match="no such address"):
        running.reload(plan(state, server__listen=[f"tcp://127.0.0.1:{new}", "tcp://192.0.2.1:1"]))

    assert answers(old)
    assert not answers(new)


@pytest.mark.parametrize("align", ["clock", "start"])
def test_windows_are_aligned_as_the_settings_say(start: Start, align: str) -> None:
    before, sink = time.time(), f"memory://{align}"
    start(flush__align=align, server__sinks=[sink]).stop()

    reader = registry.open(sink, registry.SERIES)
    (found,) = reader.read(["stats.gauges.nilometer.connections"], 0, before + 7200)
    (end,) = found.times
    if align == "clock":
        assert end % 3600 == 0
    else:
        assert before + 3599 <= end <= time.time() + 3601


def test_the_servers_own_metrics_stand_below_the_prefix_of_the_settings(start: Start) -> None:
    start(self__prefix="own", server__sinks=["memory://prefix"]).stop()

    assert registry.open("memory://prefix", registry.SERIES).find("stats.gauges.*.connections") == [
        "stats.gauges.own.connections"
    ]


def test_a_reload_hands_the_settings_of_the_log_on(start: Start, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(logs, "configure", lambda log, statsd: seen.append((log.level, log.format, statsd)))
    start().reload(plan(state, log__level="debug", log__format="json"))

    assert seen == [("debug", "json", None)]


def test_a_listener_that_is_named_twice_is_one(start: Start) -> None:
    url = f"tcp://127.0.0.1:{free_port()}"

    assert len(start(server__listen=[url, url])._listening.listeners()) == 1


def test_a_listener_that_changed_is_bound_again(start: Start, state: Path) -> None:
    port = free_port()
    running = start(server__listen=[f"tcp://127.0.0.1:{port}"])

    running.reload(plan(state, server__listen=[f"tcp://127.0.0.1:{port}?idle=5m"]))

    assert answers(port)


def test_a_sink_whose_spool_is_taken_is_named_and_the_rest_of_the_reload_happens(
    start: Start, state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    running = start()
    running.reload(plan(state, server__sinks=["memory://x"]))
    running.reload(plan(state, server__sinks=["null://"]))
    (spool,) = (state / "spool").glob("memory_x-*")
    with (spool / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        running.reload(plan(state, server__sinks=["null://", "memory://x"], flush__interval="30m"))

    assert "a sink is not in use: " in caplog.text
    assert "settings reloaded" in caplog.text


def test_one_socket_that_cannot_be_stopped_does_not_prevent_the_rest_of_the_stop(
    state: Path, kernel: ReferenceKernel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    running = Server(plan(state, server__listen=["udp://127.0.0.1:0"]), kernel)
    running.start()
    (listener,) = running._listening.listeners()
    part = listener.parts[0]

    def fail() -> None:
        part.stop()
        message = "a fault"
        raise RuntimeError(message)

    monkeypatch.setattr(listener, "clean", fail)
    running.stop()

    assert "could not be stopped" in caplog.text
    assert (state / "carryover.json").exists()


def test_the_reference_kernel_is_announced(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    start()

    assert "THE REFERENCE KERNEL IS IN USE" in caplog.text
    assert "for the native one: make native" in caplog.text


def test_warnings_of_the_settings_are_said_at_start_and_reload(
    state: Path, kernel: ReferenceKernel, caplog: pytest.LogCaptureFixture
) -> None:
    warned = dataclasses.replace(plan(state), warnings=("mind this",))
    running = Server(warned, kernel)
    running.start()
    running.reload(warned)
    running.stop()

    assert caplog.messages.count("mind this") == 2


def test_a_reload_names_what_takes_a_restart(state: Path, kernel: ReferenceKernel, caplog: pytest.LogCaptureFixture) -> None:
    running = Server(plan(state, self__prefix="a"), kernel)
    running.start()
    running.reload(plan(state, self__prefix="b", keyflush__interval="1s"))
    running.stop()

    assert "self.prefix cannot change while the server runs; restart it for b" in caplog.text
    assert "keyflush.interval cannot change while the server runs" in caplog.text


def test_a_reload_logs_messages_or_no_longer(state: Path, kernel: ReferenceKernel, caplog: pytest.LogCaptureFixture) -> None:
    running = Server(plan(state), kernel)
    running.start()
    for number, wanted in enumerate((False, True, False)):
        running.reload(plan(state, log__messages=wanted))
        kernel.feed(b"line%d:1|c" % number)
    running.stop()

    assert [text for text in caplog.messages if "line" in text] == ["received: line1:1|c"]
