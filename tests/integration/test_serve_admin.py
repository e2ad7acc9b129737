"""``nilometer serve`` as a process, asked through its interfaces."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest

from nilometer.core.settings import load
from nilometer.testing.asking import ask as http
from nilometer.testing.kernels import IN_SERVERS
from nilometer.testing.serving import CONSOLE, PROGRAM, Serving
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Start = Callable[..., Serving]

UDP, LONG = "--listen=udp://127.0.0.1:0", "--flush-interval=1h"
ADMIN = "--admin-listen=tcp://127.0.0.1:0"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Serving] = []

    def begin(*arguments: str, **options: object) -> Serving:
        state = tmp_path / f"state{len(started)}"
        started.append(Serving(UDP, LONG, *arguments, state=state, **options))  # type: ignore[arg-type]  # passed through
        return started[-1]

    yield begin
    for server in started:
        server.kill()


def ask(address: tuple[str, int], command: str) -> str:
    """Return all that is answered to a command."""
    with socket.create_connection(address, timeout=10) as client:
        client.sendall(command.encode())
        client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(1 << 16), b"")).decode()


@pytest.mark.parametrize("kernel", IN_SERVERS)
def test_series_are_seen_and_deleted_while_the_server_runs(start: Start, kernel: str) -> None:
    server = start(ADMIN, "--listen=tcp://127.0.0.1:0", kernel=kernel).ready()
    with socket.create_connection(server.address("tcp")) as client:
        client.sendall(b"a.b:1|c\na.c:2|c\nd:3|c\ng:1|g\n")
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""

    assert (
        ask(server.interface("admin interface"), "delcounters a.* e\n")
        == "deleted: a.b\ndeleted: a.c\nmetric e not found\nEND\n\n"
    )
    dump = json.loads(ask(server.interface("admin interface"), "counters").removesuffix("END\n\n"))
    assert dump == {"kind": "counter", "count": 1, "looked_at": 1, "series": [{"key": "d", "value": 3}]}
    assert server.stop() == 0
    assert server.total("a.b") == 0
    assert server.total("d") == 3


def test_a_second_server_goes_on_without_the_default_port(start: Start) -> None:
    default = load(None, {}).admin.listen[0]
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if taken.connect_ex((default.host, default.port)):
            taken.close()
            holder = socket.create_server((default.host, default.port or 0))
        else:
            holder = taken
        with holder:
            server = start(default=("admin",)).ready()
            assert server.said(f"WARNING {default}: no admin interface: something listens there already")


def test_a_port_that_was_asked_for_must_be_free(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = start(f"--admin-listen=tcp://127.0.0.1:{taken.getsockname()[1]}")
        assert server.wait() == 2
    assert server.said("cannot listen: Address already in use; something listens there already; stop it, or name another port")


def test_an_interface_that_others_reach_is_warned_of(start: Start) -> None:
    server = start("--admin-listen=tcp://0.0.0.0:0").ready()
    assert server.said("the admin interface answers everyone who reaches 0.0.0.0:")


@pytest.mark.parametrize("kernel", IN_SERVERS)
def test_http_tells_what_goes_on_and_top_shows_it(start: Start, kernel: str) -> None:
    away = "graphite://127.0.0.1:1"
    server = start("--web-listen=http://127.0.0.1:0", "--flush-interval=200ms", kernel=kernel, sinks=[CONSOLE, away]).ready()
    address = server.interface("HTTP interface")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"a.b:1|g\nbad\x1b[31m", server.address("udp"))
    until(lambda: kept(address), "the sink that is away has its flushes kept")
    assert [each["key"] for each in http(address, "/gauges?match=a.*").json["series"]] == ["a.b"]

    done = top(f"http://{address[0]}:{address[1]}", "--once")
    assert done.returncode == 0
    assert "2 lines · 1 bad" in done.stdout
    assert "kernel.bad_line" in done.stdout
    assert "in spool" in done.stdout
    assert "\x1b" not in done.stdout
    told = json.loads(top(f"http://{address[0]}:{address[1]}", "--once", "--json").stdout)
    assert sorted(told) == ["rate", "stats", "time", "top", "url"]
    assert server.stop() == 0


def kept(address: tuple[str, int]) -> int:
    """Return how many flushes wait in spools."""
    return sum(sink["spool_items"] for sink in http(address, "/stats").json["sinks"])


def top(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [*PROGRAM, "top", *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_top_says_why_there_is_nothing_to_see() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    done = top(f"http://127.0.0.1:{port}", "--once")
    assert done.returncode == 1
    assert "is a server running there, with web.listen set?" in done.stderr
    assert top("udp://127.0.0.1:1").returncode == 2


@pytest.mark.parametrize("url", ["udp://127.0.0.1:1", "tcp://a,b:1", "tcp://127.0.0.1:1?idle=1s", "tcp://u:p@127.0.0.1:1"])
def test_a_url_that_cannot_be_is_refused(start: Start, url: str) -> None:
    server = start(f"--admin-listen={url}")
    assert server.wait() == 2
    assert server.said("the admin interface has one host and no options; write tcp://127.0.0.1:8126")
