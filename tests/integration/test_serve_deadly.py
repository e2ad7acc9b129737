"""What ends statsd/statsd 0.10 leaves ours alive: each as it is done to a real process in statsd's place, on both kernels.

Hostile clients of every kind of listener are in ``test_serve_listeners.py``.
"""

from __future__ import annotations

import json
import socket
import struct
from typing import TYPE_CHECKING

import pytest

from nilometer.testing.kernels import IN_SERVERS
from nilometer.testing.serving import Serving
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Start = Callable[..., Serving]

INHERITED = ("constructor", "hasOwnProperty", "toString", "valueOf", "__proto__", "__defineGetter__", "isPrototypeOf")
"""Names that every object of JavaScript has from its prototype."""
RATES = (b"@+0.5", b"@ 0.5", b"@Infinity", b"@\t1")
"""Rates that are numbers to JavaScript, and that statsd's expression for them does not match."""
LISTEN = (
    "--listen=udp://127.0.0.1:0?dialect=statsd",
    "--listen=tcp://127.0.0.1:0?dialect=statsd",
    "--admin-listen=tcp://127.0.0.1:0",
    "--log-to=stderr",
)
REFUSED = "the old ones go on"


@pytest.fixture(params=IN_SERVERS)
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Start]:
    started: list[Serving] = []

    def begin(**keys: object) -> Serving:
        file = tmp_path / "config.js"
        file.write_text(json.dumps({"backends": [], "flushInterval": 300, **keys}))
        arguments = ("--statsd-config", str(file), *LISTEN)
        started.append(Serving(*arguments, state=tmp_path / "state", kernel=request.param, default=("admin",)))
        return started[-1].ready()

    yield begin
    for server in started:
        server.kill()


def alive(server: Serving) -> None:
    """Show that it still counts, flushes, and ends well."""
    server.feed(b"alive:1|c\n")
    until(lambda: server.total("alive") == 1, "a line that follows is counted")
    assert server.stop() == 0


def reset(address: tuple[str, int], data: bytes) -> None:
    """Send something, then end the connection with RST."""
    client = socket.create_connection(address)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.sendall(data)
    client.close()


def test_names_of_object_prototype_are_names_like_others(start: Start) -> None:
    server = start()
    for name in INHERITED:
        server.feed("".join(f"{name}:{value}\n" for value in ("1|c", "2|ms", "3|g", "x|s")).encode())
    server.feed(b"members:__proto__|s\nmembers:constructor|s\n")

    until(lambda: server.total("members") == 2, "the members are counted")
    for name in INHERITED:
        kinds = {series["kind"] for series in server.series(name)}
        assert kinds == {"counter", "timer", "gauge", "set"}
        assert max(float(series["value"]) for series in server.series(name) if "value" in series) == 3
    alive(server)


def test_rates_that_statsd_cannot_read_are_bad_lines(start: Start) -> None:
    server = start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for rate in RATES:
            client.sendto(b"a:1|c|" + rate, server.address("udp"))

    until(lambda: server.total("statsd.bad_lines_seen") == len(RATES), "every one is a bad line")
    assert server.series("a") == []
    alive(server)


def test_datagrams_that_nobody_would_send_are_bad_lines(start: Start) -> None:
    server = start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for data in (
            b"",
            b"\0",
            b"x" * 65_507,
            b"\xff\xfe:\xff|\xff",
            b":::|||@@@",
            b"a:NaN|c",
            b"a:Infinity|ms",
            b"a:1e999|g",
            b"\n" * 9000,
        ):
            client.sendto(data, server.address("udp"))

    until(lambda: server.total("statsd.bad_lines_seen") > 0, "bad lines are counted")
    alive(server)


def test_thousands_of_commands_in_one_write_are_answered_or_refused(start: Start) -> None:
    server = start()
    with socket.create_connection(server.interface("admin interface"), timeout=30) as client:
        client.sendall(b"counters\n" * 5000 + b"quit\n")
        assert client.recv(1000)
    alive(server)


def test_a_reset_harms_neither_lines_nor_commands(start: Start) -> None:
    server = start()
    for _ in range(20):
        reset(server.address("tcp"), b"a:1|c\nhalf")
        reset(server.interface("admin interface"), b"counters\n")
    alive(server)


def test_commands_that_spoil_statsd_leave_whole_numbers(start: Start) -> None:
    server = start()
    with socket.create_connection(server.interface("admin interface")) as client:
        client.sendall(b"delcounters statsd.*\n")
        client.recv(1000)
    server.feed(b"a:1|c\n")
    until(lambda: server.total("a") == 1, "the line is counted")
    seen = [series["count"] for series in server.series("statsd.packets_received")]
    assert all(isinstance(count, int | float) and count >= 0 for count in seen)
    alive(server)


@pytest.mark.parametrize("text", ["", "{", "({ port: 8125,, })", "process.exit(1)", "\x00"])
def test_a_broken_file_is_refused_while_the_server_runs(start: Start, tmp_path: Path, text: str) -> None:
    server = start()
    (tmp_path / "config.js").write_text(text)
    until(lambda: server.said(REFUSED), "the file is refused")
    alive(server)
