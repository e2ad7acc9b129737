"""Table usage and health checks of real processes: the example service, node's statsd, our server."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from nilometer.cli.collecting import running
from nilometer.cli.main import main
from nilometer.testing import tableservice
from nilometer.testing.answering import Answering, Asked, Reply
from nilometer.testing.asking import ask
from nilometer.testing.carbon import Carbon
from nilometer.testing.daemon import Command, Daemon
from nilometer.testing.javascript import statsd
from nilometer.testing.magnetodb import ROOT
from nilometer.testing.ports import free_port
from nilometer.testing.serving import PROGRAM, Serving
from nilometer.testing.waiting import settled, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nilometer.testing.tableservice import TableService

TABLES = {("acme", "orders"): 3, ("acme", "a.b"): 0, ("globex", "orders"): 1}
NAMES = {("acme", "a.b"): "acme.a_b"}
BYTES = 18
"""What one item of these tables takes."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TableService]:
    with tableservice.running(tmp_path_factory.mktemp("tableservice")) as found:
        for (project, table), items in TABLES.items():
            found.create(project, table, items)
        yield found


@pytest.fixture(scope="module")
def node() -> Iterator[Daemon]:
    """A real statsd that never flushes: it is asked what it holds."""
    carbon = Carbon()
    line = " ".join([*statsd(), "{config}"])
    daemon = Daemon({"flushInterval": 3_600_000}, Command(line), carbon)
    assert daemon.up.wait(30)
    yield daemon
    daemon.stop()
    carbon.close()


def gauges(node: Daemon) -> dict[str, float]:
    """Return the gauges that statsd holds, and that it refused nothing."""
    assert "bad_lines_seen: 0" in node.admin("stats\n")
    return _parsed(node.admin("gauges\n").partition("END")[0])


def _parsed(text: str) -> dict[str, float]:
    """Read what node's util.inspect prints."""
    rows = (row.strip(" ,{}\n").rpartition(": ") for row in text.replace("{", "\n").replace(", ", "\n").splitlines())
    return {name.strip("'"): float(value) for name, _, value in rows if name}


def expected(prefix: str = "") -> dict[str, float]:
    found: dict[str, float] = {}
    for key, items in TABLES.items():
        name = f"{prefix}tables.{NAMES.get(key, '.'.join(key))}"
        found |= {f"{name}.size_bytes": items * BYTES, f"{name}.item_count": items, f"{name}.active": 1, f"{name}.stale": 0}
    return found


def test_every_figure_of_a_real_service_is_a_gauge_in_a_real_statsd(
    service: TableService, node: Daemon, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"magnetodb+http://{service.address}?limit=2"
    assert main(["tables", url, "--once", "--to", f"statsd://127.0.0.1:{node.udp}", "--prefix", "one"]) == 0
    wanted = expected("one.")
    found = settled(lambda: gauges(node), lambda held: held.items() >= wanted.items())
    assert found.items() >= wanted.items()
    source = f"one.collect.magnetodb_http_{service.address.replace('.', '_').replace(':', '_')}"
    assert (found[f"{source}.up"], found[f"{source}.tables"], found[f"{source}.faults"]) == (1, 3, 0)
    assert f"{len(wanted) + 4} gauges sent to statsd://127.0.0.1:{node.udp}" in capsys.readouterr().out


def test_health_checks_are_gauges_in_a_real_statsd(service: TableService, node: Daemon) -> None:
    to = f"statsd://127.0.0.1:{node.udp}?prefix=two"
    assert main(["health", f"magnetodb+http://{service.address}", "away=http://127.0.0.1:9/health", "--once", "--to", to]) == 1
    wanted = {"two.magnetodb.health.all": 1, "two.magnetodb.health.api": 1, "two.magnetodb.health.storage": 1}
    wanted["two.health.away.all"] = 0
    found = settled(lambda: gauges(node), lambda held: held.items() >= wanted.items())
    assert {name: value for name, value in found.items() if name.startswith("two.")} == wanted


HOSTILE = ["a b:1|c", "@#|,;=", "..", "x" * 255, "ä", "%s{}", "__proto__", "constructor", "$&", "-5", "+5", "NaN"]
SIZES = [0, 1, 2**53 + 1, 2**62, 0.5, 1e-9, 1.5e18]


def test_whatever_tables_are_called_and_hold_a_real_statsd_takes_every_line(node: Daemon) -> None:
    rows = [
        {"tenant": f"t{number}", "name": name, "status": "ACTIVE", "usage_detailes": {"size": size, "item_count": number}}
        for number, name in enumerate(HOSTILE)
        for size in [SIZES[number % len(SIZES)]]
    ]
    with Answering(lambda _: Reply(200, rows)) as server:
        to = f"statsd://127.0.0.1:{node.udp}?prefix=three"
        assert main(["tables", f"magnetodb+http://{server.address}", "--once", "--to", to]) == 0
    wanted = {f"t{number}": float(SIZES[number % len(SIZES)]) for number in range(len(HOSTILE))}

    def held() -> dict[str, float]:
        found = gauges(node)
        return {name.split(".")[2]: value for name, value in found.items() if name.startswith("three.t") and "size_" in name}

    assert settled(held, lambda found: found == wanted) == wanted


def test_tables_are_shown_as_json_and_csv(service: TableService, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"magnetodb+http://{service.address}"
    assert main(["tables", url, "--json"]) == 0
    (source,) = json.loads(capsys.readouterr().out)["sources"]
    assert {(each["project"], each["name"]): each["figures"]["item_count"] for each in source["tables"]} == {
        key: {"value": items, "quality": "estimate"} for key, items in TABLES.items()
    }
    assert main(["tables", url, "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == 2 * len(TABLES)
    assert rows[0]["quality"] == "estimate"
    assert main(["tables", url]) == 0
    shown = capsys.readouterr().out
    assert "size_bytes" in shown
    assert "~54" in shown


def test_a_source_that_is_away_is_told_and_the_others_are_read(
    service: TableService, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tables", "magnetodb+http://127.0.0.1:9", f"magnetodb+http://{service.address}", "--json"]) == 1
    told = capsys.readouterr()
    away, there = json.loads(told.out)["sources"]
    assert (away["up"], away["tables"], there["up"], len(there["tables"])) == (False, [], True, len(TABLES))
    assert "nilometer: magnetodb_http_127_0_0_1_9: magnetodb+http://127.0.0.1:9: " in told.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["tables", "magnetodb+htp://h"], "did you mean 'magnetodb+http'"),
        (["tables", "graphite://h"], "graphite:// has no tables"),
        (["tables", "magnetodb+http://h", "--name", "{tabel}"], "asks for 'tabel'"),
        (["tables", "magnetodb+http://h", "--once", "--every", "5s"], "--once and --every do not go together"),
        (["tables", "magnetodb+http://h", "--to", "graphite://h"], "graphite"),
        (["health", "ftp://h"], "a health check asks over HTTP"),
        (["health", "http://me:pa55@h"], "neither user nor password"),
        (["health", "a=http://h/x", "a=http://h/y"], "two health checks would have the name health.a"),
        (["health", "nothing at all"], "is not a URL"),
    ],
)
def test_wrong_use_is_answered_with_what_is_right(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert words in told
    assert "pa55" not in told


@pytest.mark.parametrize("scheme", ["statsd", "statsd+tcp"])
def test_a_statsd_that_is_away_is_told(
    scheme: str, service: TableService, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "STOP", 0.2)
    kind = socket.SOCK_DGRAM if scheme == "statsd" else socket.SOCK_STREAM
    to = f"{scheme}://127.0.0.1:{free_port(kind)}"
    assert main(["tables", f"magnetodb+http://{service.address}", "--to", to, "--once"]) == 1
    assert f"nilometer: lines lost on the way to {to}: " in capsys.readouterr().err


def test_it_goes_on_until_a_signal_and_tells_what_was_lost(service: TableService, node: Daemon) -> None:
    to = f"statsd://127.0.0.1:{node.udp}?prefix=four"
    program = subprocess.Popen(
        [*PROGRAM, "tables", f"magnetodb+http://{service.address}", "--to", to, "--every", "1s", "--jitter", "100ms"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert program.stdout is not None
    lines = [program.stdout.readline() for _ in range(2)]
    program.send_signal(signal.SIGTERM)
    rest, errors = program.communicate(timeout=30)
    assert (program.returncode, errors) == (0, "")
    told = f"16 gauges sent to statsd://127.0.0.1:{node.udp}, again every 1s\n"
    assert {*lines, *rest.splitlines(keepends=True)} == {told}
    assert gauges(node).items() >= expected("four.").items()


# -- in the server -----------------------------------------------------------------------------------------------------------


class Flaky:
    """A MagnetoDB that can be told to fail, and a health check that can be told to be down."""

    def __init__(self) -> None:
        self.away, self.sick = False, False

    def answer(self, asked: Asked) -> Reply:
        if self.away:
            return Reply(500, b"<html>broken</html>")
        if asked.path == ROOT:
            figures = {"size": 7, "item_count": 2}
            return Reply(200, [{"tenant": "a", "name": "t", "status": "ACTIVE", "usage_detailes": figures}, 5])
        return Reply(200, {"status": "DOWN" if self.sick else "UP"})


def value(server: Serving, key: str) -> float | None:
    """Return a gauge's last value."""
    found = server.series(key)
    return float(found[-1]["value"]) if found else None


def test_a_server_collects_and_says_what_is_wrong_and_when_it_is_well_again(service: TableService, tmp_path: Path) -> None:
    flaky = Flaky()
    with Answering(flaky.answer) as other:
        settings = [
            *("--tables-sources", f"magnetodb+http://{service.address} magnetodb+http://{other.address}?token=s3cr3t"),
            *("--tables-health", f"magnetodb+http://{service.address} shop=http://{other.address}/health"),
            *("--tables-every", "1s", "--flush-interval", "500ms", "--tables-prefix", "p"),
        ]
        server = Serving(
            *settings, "--web-listen", "http://127.0.0.1:0", "--server-listen", "tcp://127.0.0.1:0", state=tmp_path
        )
        try:
            server.ready()
            web = server.interface("HTTP interface")
            wanted = {**expected("p."), "p.tables.a.t.size_bytes": 7, "p.magnetodb.health.all": 1, "p.health.shop.all": 1}
            until(
                lambda: all(value(server, key) == number for key, number in wanted.items()),
                "all gauges",
                30,
                lambda: str(server.log),
            )
            _is_told(server, web, "tables of magnetodb_http_127", "a table's row is no object but int")
            flaky.away = True
            _is_told(server, web, "health.shop: it answers 500", "500: <html>broken</html>")
            until(lambda: value(server, "p.health.shop.all") == 0, "the check is down")
            assert value(server, "p.magnetodb.health.all") == 1
            flaky.away, flaky.sick = False, True
            _is_told(server, web, "health.shop: down: status", "no object but int")
            flaky.sick = False
            assert server.said(f"every 1s the tables of magnetodb+http://{service.address}")
            until(lambda: server.said("health.shop: well again"), "the log says so", 30, lambda: str(server.log))
            assert server.total("nilometer.lost.collect.table") > 0
            assert server.total("nilometer.lost.collect.source") > 0
            assert server.stop() == 0
            assert "s3cr3t" not in "".join(server.log)
        finally:
            server.kill()


def _is_told(server: Serving, web: tuple[str, int], *words: str) -> None:
    def problems() -> str:
        return "\n".join(ask(web, "/status").json["problems"])

    until(
        lambda: all(word in problems() for word in words), f"the status says {words}", 30, lambda: f"{problems()}\n{server.log}"
    )


@pytest.mark.slow
def test_a_service_that_is_frozen_delays_nothing(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with tableservice.running(tmp_path_factory.mktemp("frozen")) as frozen:
        frozen.create("a", "t", 1)
        settings = [
            *("--tables-sources", f"magnetodb+http://{frozen.address}?timeout=60s", "--tables-every", "1s"),
            *("--flush-interval", "500ms", "--server-listen", "tcp://127.0.0.1:0", "--stop-deadline", "1s"),
        ]
        server = Serving(*settings, state=tmp_path)
        try:
            server.ready()
            until(lambda: value(server, "tables.a.t.item_count") == 1, "it is read")
            frozen.signal(signal.SIGSTOP)
            until(
                lambda: server.said("it was not at its end when the time was up"), "that is told", 30, lambda: str(server.log)
            )
            server.feed(b"other:1|c\n")
            until(lambda: server.total("other") == 1, "others go on")
            began = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - began < 20
        finally:
            frozen.signal(signal.SIGCONT)
            server.kill()
