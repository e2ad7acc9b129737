"""``nilometer serve`` as a process: starts that are refused, reloads, sinks that go and come, restarts."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from nilometer.backends import registry
from nilometer.testing.carbon import Carbon
from nilometer.testing.ports import free_port
from nilometer.testing.serving import CONSOLE, PROGRAM, Serving
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Start = Callable[..., Serving]

UDP, LONG, SHORT = "--listen=udp://127.0.0.1:0", "--flush-interval=1h", "--flush-interval=200ms"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Serving] = []

    def begin(*arguments: str, state: str = "state", **options: object) -> Serving:
        started.append(Serving(*arguments, state=tmp_path / state, **options))  # type: ignore[arg-type]  # passed through
        return started[-1].ready()

    yield begin
    for server in started:
        server.kill()


def send(server: Serving, *lines: bytes, scheme: str = "udp") -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM if scheme == "udp" else socket.SOCK_STREAM) as client:
        client.connect(server.address(scheme))
        for line in lines:
            client.sendall(line + b"\n")


def refused(*arguments: str, state: Path) -> str:
    """Return what a server that must not start says, on one line."""
    environment = {**os.environ, "NILOMETER_SERVER_STATE": str(state)}
    ended = subprocess.run(
        [*PROGRAM, "serve", *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2, ended
    assert "Traceback" not in ended.stderr
    return ended.stderr.strip()


def test_two_servers_never_share_a_state_directory(start: Start, tmp_path: Path) -> None:
    server = start(UDP, LONG)

    said = refused(UDP, "null://", state=tmp_path / "state")
    assert f"another server (process {server.process.pid})" in said
    assert "set server.state (--server-state, $NILOMETER_SERVER_STATE)" in said

    server.stop()
    assert start(UDP, LONG).stop() == 0


def test_the_state_is_for_nobody_elses_eyes(start: Start, tmp_path: Path) -> None:
    start(UDP, LONG)

    assert (tmp_path / "state").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["graphit://localhost"], "did you mean 'graphite'?"),
        (["graphite://localhost?conections=2"], "did you mean 'connections'?"),
        (["null://", "--listen=upd://:8125"], "did you mean 'udp'?"),
        (["null://", "--listen=unix:///nonexistent/x.sock"], "the directory does not exist"),
        (["null://", "--flush-interval=soon"], "'soon'"),
        (["null://", "--server-state=/proc/nowhere"], "state cannot be kept there"),
    ],
)
def test_what_is_wrong_is_said_on_one_line_and_nothing_is_left_behind(
    arguments: list[str], reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "left.sock"

    said = refused(f"--listen=unix://{path}", *arguments, state=tmp_path / "state")

    assert reason in said
    assert not path.exists()


def test_a_taken_port_is_named_with_the_cure(start: Start, tmp_path: Path) -> None:
    host, port = start(UDP, LONG).address("udp")

    said = refused(f"--listen=udp://{host}:{port}", "null://", state=tmp_path / "other")
    assert f"udp://{host}:{port}: cannot listen: Address already in use; something listens there already" in said


def test_a_second_signal_ends_the_process_at_once(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sink = f"graphite://127.0.0.1:{silent.getsockname()[1]}?tls=true&timeout=1h"
        server = start(UDP, LONG, "--stop-deadline=1h", sinks=[sink])
        server.process.send_signal(signal.SIGTERM)
        with silent.accept()[0] as connection:
            connection.recv(1)  # the server has begun to write, and waits for an answer

            assert server.stop(signal.SIGTERM) == 128 + signal.SIGTERM


class Settings:
    """A settings file that a server is told to read again."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, text: str) -> str:
        self.path.write_text(text)
        return f"--config={self.path}"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "nilometer.toml")


def reload(server: Serving, answer: str) -> None:
    server.process.send_signal(signal.SIGHUP)
    until(lambda: server.said(answer), f"the log says {answer!r}")


def test_a_reload_changes_rules_interval_listeners_and_sinks(start: Start, settings: Settings) -> None:
    carbon = Carbon()
    listen = '[server]\nlisten = ["udp://127.0.0.1:0"'
    server = start(settings.write(f'{listen}]\nsinks = ["{CONSOLE}"]\n[flush]\ninterval = 3600'), sinks=[])
    send(server, b"t:1|ms")

    settings.write(
        f'{listen}, "tcp://127.0.0.1:0"]\nsinks = ["{CONSOLE}", "graphite://127.0.0.1:{carbon.port}"]\n'
        "[flush]\ninterval = 0.2\n[timers]\npercentiles = [50]"
    )
    reload(server, "settings reloaded")
    send(server, b"t:2|ms", scheme="tcp")

    until(lambda: server.total("t") == 2, "both lines are flushed")
    until(lambda: any("upper_50" in series for series in server.series("t")), "the new percentile is computed")
    until(lambda: "stats.timers.t.upper_50" in (row.path for row in carbon.rows()), "the new sink gets it too")
    carbon.close()
    server.stop()


def test_a_sink_that_was_removed_got_everything_before(start: Start, settings: Settings) -> None:
    carbon = Carbon()
    common = '[server]\nlisten = ["udp://127.0.0.1:0"]\n'
    config = settings.write(f'{common}sinks = ["{CONSOLE}", "graphite://127.0.0.1:{carbon.port}"]\n[flush]\ninterval = 0.2')
    server = start(config, sinks=[])
    send(server, b"a:1|c")
    until(lambda: server.total("a") == 1, "the line is flushed")

    settings.write(f'{common}sinks = ["{CONSOLE}"]\n[flush]\ninterval = 0.2')
    reload(server, "settings reloaded")

    assert server.said(f"graphite://127.0.0.1:{carbon.port} is no longer a sink")
    received = carbon.rows()
    assert ("stats.counters.a.count", "1") in (row[:2] for row in received)
    seen = len(server.flushes)
    until(lambda: len(server.flushes) > seen + 2, "flushes go on")
    assert carbon.rows() == received
    carbon.close()
    server.stop()


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("[flush]\nintervall = 1", "did you mean 'flush.interval'"),
        ("not toml", "not TOML"),
        ('[server]\nsinks = ["graphit://x"]', "did you mean 'graphite'?"),
        (
            '[server]\nsinks = ["null://"]\nlisten = ["udp://127.0.0.1:0", "udp://192.0.2.1:0"]',
            "this machine has no such address",
        ),
    ],
)
def test_a_bad_file_is_refused_with_its_reason_and_the_old_settings_go_on(
    start: Start, settings: Settings, wrong: str, reason: str
) -> None:
    right = f'[server]\nlisten = ["udp://127.0.0.1:0"]\nsinks = ["{CONSOLE}"]\n[flush]\ninterval = 0.2'
    server = start(settings.write(right), sinks=[])
    settings.write(wrong)

    reload(server, "settings not reloaded, the old ones go on: ")
    assert server.said(reason)
    send(server, b"a:1|c")
    until(lambda: server.total("a") == 1, "the old settings go on")
    assert server.stop() == 0


def test_what_takes_a_restart_is_named(start: Start, settings: Settings) -> None:
    server = start(settings.write('[server]\nlisten = ["udp://127.0.0.1:0"]'), LONG)
    settings.write('[server]\nlisten = ["udp://127.0.0.1:0"]\n[self]\nprefix = "other"')

    reload(server, "self.prefix cannot change while the server runs; restart it for other")
    server.stop()


def uptimes(carbon: Carbon) -> list[float]:
    return [float(row.value) for row in carbon.rows() if row.path.endswith("nilometer.process.uptime")]


def test_a_sink_that_was_away_gets_every_flush_in_order(start: Start) -> None:
    port = free_port()
    server = start(UDP, SHORT, "--retry-first=50ms", "--retry-most=100ms", sinks=[CONSOLE, f"graphite://127.0.0.1:{port}"])
    until(lambda: len(server.flushes) >= 5, "some flushes pass while the sink is away")
    assert server.said("is away; flushes go to its spool")

    carbon = Carbon(port=port)
    until(lambda: server.said("takes flushes again"), "the sink takes flushes again")
    until(lambda: len(server.flushes) >= 10, "some more flushes pass")
    assert server.stop() == 0

    printed = [series["value"] for series in server.series("nilometer.process.uptime")]
    until(lambda: uptimes(carbon)[-1:] == printed[-1:], "the last flush arrives")
    assert uptimes(carbon) == printed
    carbon.close()


def test_flushes_for_a_sink_that_is_away_wait_for_the_next_start(start: Start) -> None:
    port = free_port()
    sinks = [CONSOLE, f"graphite://127.0.0.1:{port}"]
    server = start(UDP, SHORT, sinks=sinks)
    send(server, b"a:7|c")
    until(lambda: server.total("a") == 7, "the line is flushed")
    server.stop()

    carbon = Carbon(port=port)
    second = start(UDP, LONG, sinks=sinks)
    assert second.said("flushes wait in its spool since the last run")
    until(lambda: ("stats.counters.a.count", "7") in (row[:2] for row in carbon.rows()), "the spooled flush arrives")
    second.stop()
    carbon.close()


def test_a_spool_whose_sink_is_gone_is_named(start: Start) -> None:
    server = start(UDP, SHORT, sinks=[CONSOLE, f"graphite://127.0.0.1:{free_port()}"])
    until(lambda: server.said("is away"), "the sink is away")
    server.stop()

    assert start(UDP, LONG).said("holds flushes for a sink that is not configured")


@pytest.mark.parametrize(("keep", "value"), [("true", 12.5), ("false", 2.5)])
def test_gauges_survive_a_restart_by_setting(start: Start, keep: str, value: float) -> None:
    first = start(UDP, LONG, f"--gauges-keep={keep}")
    send(first, b"g:10|g")
    first.stop()

    second = start(UDP, LONG, f"--gauges-keep={keep}")
    send(second, b"g:+2.5|g")
    second.stop()

    assert [series["value"] for series in second.series("g")] == [value]


def test_a_restart_within_a_window_writes_no_window_twice(start: Start) -> None:
    ends = []
    for _ in range(2):
        server = start(UDP, LONG)
        server.stop()
        ends.append(server.flushes[0]["timestamp"])

    assert ends[1] == ends[0] + 3600


def test_a_broken_file_of_gauges_does_not_prevent_a_start(start: Start, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state/carryover.json").write_text("{broken")

    assert start(UDP, LONG).said("gauges are not restored")


def test_without_a_sink_the_embedded_store_holds_what_was_received(start: Start, tmp_path: Path) -> None:
    server = start(UDP, "--flush-interval=1s", sinks=[])
    send(server, b"a:3|c", b"a:4|c")
    assert server.stop() == 0

    with contextlib.closing(registry.open(f"sqlite:///{tmp_path}/state/nilometer.db", "series")) as store:
        (series,) = store.read(["stats.counters.a.count"], 0, time.time() + 10)
    assert sum(series.values) == 7


def test_a_connection_is_a_file_and_there_may_be_many(start: Start) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    try:
        server = start("--listen=tcp://127.0.0.1:0", LONG)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with contextlib.ExitStack() as clients:
        for _ in range(100):
            client = clients.enter_context(socket.create_connection(server.address("tcp")))
            client.sendall(b"a:1|c\n")
        assert server.stop() == 0

    assert server.total("a") == 100
