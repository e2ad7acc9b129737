"""``nilometer serve --statsd-config``: in place of statsd, with its file, its lines on standard output, its names."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from nilometer.testing.carbon import Carbon, parse
from nilometer.testing.daemon import Command, Daemon
from nilometer.testing.serving import PROGRAM
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Start = Callable[..., Daemon]

SERVE = " ".join([PROGRAM[0], "-c", f"'{PROGRAM[2]}'", "serve", "--statsd-config", "{config}"])
HOUR = 3_600_000
VOLATILE = re.compile(r"processing_time|calculationtime|graphiteStats\.(last_|flush_)")


@pytest.fixture
def carbon() -> Iterator[Carbon]:
    made = Carbon()
    yield made
    made.close()


@pytest.fixture
def start(carbon: Carbon) -> Iterator[Start]:
    started: list[Daemon] = []

    def begin(config: dict[str, Any], *arguments: str, line: str = SERVE) -> Daemon:
        daemon = Daemon(config, Command(" ".join([line, *arguments])), carbon)
        started.append(daemon)
        assert daemon.up.wait(30)
        assert not daemon.ended.is_set(), daemon.output
        return daemon

    yield begin
    for daemon in started:
        daemon.stop()
        if daemon.process.stdout is not None:
            daemon.process.stdout.close()


def send(daemon: Daemon, data: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(data, ("127.0.0.1", daemon.udp))


def received(carbon: Carbon) -> dict[str, str]:
    return {row.path: row.value for row in carbon.rows()}


def test_a_stop_flushes_to_graphite_and_ends_with_zero(start: Start, carbon: Carbon) -> None:
    daemon = start({"flushInterval": HOUR})
    send(daemon, b"a:3|c\nb:1|g\nbad")
    daemon.process.send_signal(signal.SIGTERM)

    assert daemon.process.wait(30) == 0
    until(lambda: "statsd.numStats" in received(carbon), "the last flush arrives")
    lines = received(carbon)
    assert lines["stats_counts.a"] == "3"
    assert lines["stats.gauges.b"] == "1"
    assert lines["stats_counts.statsd.bad_lines_seen"] == "1"
    assert list(lines)[:6:2] == [
        "stats.statsd.bad_lines_seen",
        "stats.statsd.packets_received",
        "stats.statsd.metrics_received",
    ]
    assert not any("nilometer" in path for path in lines)


def test_gauges_of_the_run_before_are_forgotten_unless_asked_for(start: Start, carbon: Carbon, tmp_path: Path) -> None:
    arguments = [{"flushInterval": HOUR}, "--server-state", str(tmp_path / "state")]
    for number, more in enumerate([["--gauges-keep=true"], [], ["--gauges-keep=true"]]):
        daemon = start(*arguments, *more)
        if number == 0:
            send(daemon, b"g:1|g")
        daemon.process.terminate()
        assert daemon.process.wait(30) == 0
        carbon.wait(number + 1)

    assert [b"stats.gauges.g 1 " in flush for flush in carbon.flushes()] == [True, False, False]


def test_flags_win_over_the_file(start: Start, carbon: Carbon) -> None:
    daemon = start({"flushInterval": HOUR, "percentThreshold": 75}, "--timers-percentiles", "50")
    send(daemon, b"t:1|ms")
    daemon.process.terminate()

    until(lambda: "stats.timers.t.upper_50" in received(carbon), "the flag's percentile is sent")
    assert "stats.timers.t.upper_75" not in received(carbon)


def test_a_file_is_read_again_on_sighup_and_a_broken_one_is_refused(start: Start, carbon: Carbon) -> None:
    daemon = start({"flushInterval": 300})
    daemon.config.write_text("{")
    daemon.process.send_signal(signal.SIGHUP)
    until(lambda: any("the old ones go on" in line for line in daemon.output), "the broken file is refused")

    daemon.write({"flushInterval": 300, "percentThreshold": 50})
    daemon.process.send_signal(signal.SIGHUP)
    until(lambda: any("settings reloaded" in line for line in daemon.output), "the settings are reloaded")
    send(daemon, b"t:1|ms")
    until(lambda: "stats.timers.t.upper_50" in received(carbon), "the new percentile is sent")


def test_keys_without_effect_are_named_at_the_start(start: Start) -> None:
    daemon = start({"flushInterval": HOUR, "prot": 1})

    assert any("prot has no effect: neither" in line for line in daemon.output)


def test_a_changed_file_is_read_again_once(start: Start, carbon: Carbon) -> None:
    daemon = start({"flushInterval": 300})
    daemon.config.write_text("")
    until(lambda: any("an object of keys and values" in line for line in daemon.output), "the empty file is refused")
    daemon.write({"flushInterval": 300, "percentThreshold": 50})
    until(lambda: any("settings reloaded" in line for line in daemon.output), "the file is read again")
    send(daemon, b"t:1|ms")
    until(lambda: "stats.timers.t.upper_50" in received(carbon), "the new percentile is sent")

    assert sum("settings reloaded" in line for line in daemon.output) == 1
    assert sum("the old ones go on" in line for line in daemon.output) == 1


def test_a_file_that_says_so_is_not_watched(start: Start, carbon: Carbon) -> None:
    daemon = start({"flushInterval": 300, "automaticConfigReload": False})
    daemon.write({"flushInterval": 300, "percentThreshold": 50})
    before = len(carbon.flushes())
    carbon.wait(before + 3)
    assert not any("reload" in line for line in daemon.output)


def test_the_process_has_the_title_that_the_file_gives(start: Start) -> None:
    daemon = start({"flushInterval": HOUR, "title": "our metrics"})
    proc = Path(f"/proc/{daemon.process.pid}")

    assert (proc / "comm").read_text() == "our metrics\n"
    assert (proc / "cmdline").read_bytes().rstrip(b"\0") == b"our metrics"


def test_without_graphite_host_nothing_is_sent_or_stored(start: Start, carbon: Carbon) -> None:
    daemon = start({"flushInterval": HOUR, "_nographite": True})
    send(daemon, b"a:1|c")
    daemon.process.terminate()

    assert daemon.process.wait(30) == 0
    assert carbon.flushes(complete=False) == []
    assert sorted(path.name for path in (daemon.folder / "nilometer").iterdir()) == ["carryover.json", "lock"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", ":1:2: expected a key, or }"),
        ('{"port": "x"}', 'port = "x": expected a number'),
        ('{"backends": ["./x"]}', "expected one of"),
    ],
)
def test_a_wrong_file_is_refused_on_one_line(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "config.json"
    file.write_text(text)
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path)}

    ended = subprocess.run(
        [*PROGRAM, "serve", "--statsd-config", str(file)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert str(file) in ended.stderr
    assert reason in ended.stderr


CONVERTED = "sh -c '{0} config convert {{config}} -o {{config}}.toml && exec {0} serve -c {{config}}.toml'"
FULL: dict[str, Any] = {
    "flushInterval": HOUR,
    "percentThreshold": [90, -10],
    "histogram": [{"metric": "t", "bins": [1.5, "inf"]}],
    "calculatedTimerMetrics": ["count", "upper_percent", "histogram"],
    "deleteIdleStats": True,
    "keyNameSanitize": False,
    "prefixStats": "me",
    "graphite": {"legacyNamespace": False, "globalPrefix": "p", "globalSuffix": "s"},
    "graphiteProtocol": "text",
    "flush_counts": False,
}
LINES = b"a b:3|c|@0.1\nt:1|ms\nt:2|ms\nh:1|h\ng:-5|g\ng:+2|g\ns:x|s\nbad\nconstructor:1|x"


@pytest.mark.parametrize("config", [{"flushInterval": HOUR}, FULL], ids=["plain", "full"])
def test_converted_settings_flush_the_same(start: Start, carbon: Carbon, config: dict[str, Any]) -> None:
    flushed: list[list[tuple[str, str]]] = []
    for line in (SERVE, CONVERTED.format(f"{sys.executable} -m nilometer")):
        daemon = start(config, line=line)
        send(daemon, LINES)
        daemon.process.send_signal(signal.SIGTERM)
        assert daemon.process.wait(30) == 0
        carbon.wait(len(flushed) + 1)
        rows = parse(carbon.flushes()[-1])
        flushed.append([(row.path, "" if VOLATILE.search(row.path) else row.value) for row in rows])

    assert len(flushed[0]) > 20 - len(config)
    assert flushed[0] == flushed[1]


def test_every_line_is_logged_as_statsd_does_and_none_reaches_a_terminal_raw(start: Start) -> None:
    servers = [{"server": f"./servers/{kind}"} for kind in ("udp", "tcp")] + [{"server": "./servers/tcp", "socket": "@UDS"}]
    daemon = start({"dumpMessages": True, "flushInterval": HOUR, "servers": servers})
    send(daemon, b"a:1|c\n\nbad \x1b[2J\r")
    with socket.create_connection(("127.0.0.1", daemon.tcp)) as client:
        client.sendall(b"b:1|c\n")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(daemon.uds))
        client.sendall(b"c:1|c\n")

    def logged() -> list[str]:
        found = [re.fullmatch(r"\d+ \w{3} \d\d:\d\d:\d\d - DEBUG: (?!Bad)(.*)\n", line) for line in list(daemon.output)]
        return sorted(match[1] for match in found if match)

    until(lambda: len(logged()) == 4, "all lines are logged", told=lambda: str(daemon.output))
    assert logged() == ["a:1|c", "b:1|c", "bad \\x1b[2J\\r", "c:1|c"]
