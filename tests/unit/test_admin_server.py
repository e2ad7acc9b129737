"""The admin interface on TCP: what is a command, and what a peer cannot do to others."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
from typing import TYPE_CHECKING

import pytest

from nilometer.core import url as urls
from nilometer.core.record import Kind
from nilometer.ingest._reference import ReferenceKernel
from nilometer.ingest.admin import server as module
from nilometer.ingest.admin.commands import HELP, Commands
from nilometer.ingest.admin.server import LONGEST, AdminServer
from nilometer.testing.control import control
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Connect = Callable[[], socket.socket]


@pytest.fixture
def kernel() -> ReferenceKernel:
    return ReferenceKernel()


@pytest.fixture
def server(kernel: ReferenceKernel) -> Iterator[AdminServer]:
    made = AdminServer(Commands(control(kernel)))
    yield made
    made.stop()


@pytest.fixture
def connect(server: AdminServer) -> Iterator[Connect]:
    (name,) = server.listen(urls.parse("tcp://127.0.0.1:0"))
    opened: list[socket.socket] = []

    def begin() -> socket.socket:
        host, _, port = name.rpartition(":")
        opened.append(socket.create_connection((host, int(port)), timeout=10))
        return opened[-1]

    yield begin
    for each in opened:
        each.close()


def read(client: socket.socket, end: str) -> str:
    """Return what comes up to `end`, or all of it when the other side closes first."""
    text = b""
    while not text.endswith(end.encode()) and (data := client.recv(1 << 16)):
        text += data
    return text.decode()


def test_several_commands_in_one_write_are_answered_in_order(connect: Connect) -> None:
    client = connect()
    client.sendall(b"health down\n\nhealth\r\nnonsense\nhelp\n")
    assert read(client, HELP) == "health: down\nhealth: down\nERROR\n" + HELP


def test_a_command_needs_no_newline(connect: Connect) -> None:
    client = connect()
    client.sendall(b"help")
    assert read(client, HELP) == HELP
    client.sendall(b"health")
    assert read(client, "\n") == "health: up\n"


def test_a_command_that_comes_in_pieces_is_one(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 60.0)
    client = connect()
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for piece in (b"hea", b"lt", b"h\nhel", b"p\n"):
        client.sendall(piece)
    assert read(client, HELP) == "health: up\n" + HELP


def test_what_is_left_when_the_peer_closes_its_half_is_a_command(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 60.0)
    client = connect()
    client.sendall(b"health")
    client.shutdown(socket.SHUT_WR)
    assert read(client, "never") == "health: up\n"


def test_white_space_alone_is_an_unknown_command(connect: Connect) -> None:
    client = connect()
    client.sendall(b" \r\n")
    assert read(client, "\n") == "ERROR\n"


def test_quit_ends_the_connection_and_nothing_more_is_answered(connect: Connect) -> None:
    client = connect()
    client.sendall(b"health\nquit\nhelp\n")
    assert read(client, "never") == "health: up\n"


def test_a_line_without_an_end_closes_the_connection(connect: Connect) -> None:
    client = connect()
    client.sendall(b"x" * (LONGEST + 1))
    assert read(client, "never") == "ERROR\n"


def test_a_silent_peer_is_closed(kernel: ReferenceKernel) -> None:
    server = AdminServer(Commands(control(kernel)), idle=0.05)
    try:
        (name,) = server.listen(urls.parse("tcp://127.0.0.1:0"))
        with socket.create_connection(("127.0.0.1", int(name.rpartition(":")[2])), timeout=10) as client:
            assert client.recv(1) == b""
    finally:
        server.stop()


def test_too_many_peers_are_closed_at_once(connect: Connect, server: AdminServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_PEERS", 2)
    first = [connect(), connect()]
    until(lambda: len(server.peers) == 2, "two peers are in")
    with contextlib.suppress(ConnectionResetError):
        assert connect().recv(1) == b""
    first[0].close()
    until(lambda: len(server.peers) == 1, "one has left")
    client = connect()
    client.sendall(b"health\n")
    assert read(client, "\n") == "health: up\n"


def test_a_peer_that_never_reads_is_answered_no_further_and_holds_nobody_up(
    connect: Connect, server: AdminServer, kernel: ReferenceKernel
) -> None:
    kernel.feed(b"\n".join(b"counter.with.a.long.name.%d:1|c" % number for number in range(20_000)))
    answered: list[str] = []
    answer = server.commands.answer
    server.commands.answer = lambda line: answered.append(line) or answer(line)  # type: ignore[method-assign,func-returns-value]
    deaf = connect()
    deaf.sendall(b"counters\n" * 200)
    until(lambda: any(peer._full for peer in server.peers), "its answer waits")
    before = len(answered)
    other = connect()
    other.sendall(b"health\n")
    assert read(other, "\n") == "health: up\n"
    assert len(answered) == before + 1 < 200


def test_a_web_page_gets_no_command_in(connect: Connect, kernel: ReferenceKernel) -> None:
    kernel.feed(b"a:1|c")
    client = connect()
    client.sendall(b"POST / HTTP/1.1\r\nHost: 127.0.0.1:8126\r\n\r\ndelcounters a\r\n")
    assert read(client, "never") == ""
    assert kernel.keys(Kind.COUNTER, "", 9) == ["a"]


def test_a_reset_ends_one_connection_only(connect: Connect, server: AdminServer) -> None:
    client, other = connect(), connect()
    client.sendall(b"health")
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    until(lambda: len(server.peers) == 1, "it is forgotten")
    other.sendall(b"health\n")
    assert read(other, "\n") == "health: up\n"


def test_a_fault_of_ours_is_an_error_of_one_command(
    connect: Connect, server: AdminServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server.commands, "_known", {"stats": lambda _: 1 / 0})
    client = connect()
    client.sendall(b"stats\n")
    assert read(client, "\n") == "ERROR\n"
    assert "the admin command 'stats' failed" in caplog.text


def test_dumps_are_json(connect: Connect, kernel: ReferenceKernel) -> None:
    kernel.feed(b"a:1|c\nt:2|ms:1|ms\nu:x|s")
    client = connect()
    shown = {}
    for command in ("counters", "timers", "sets"):
        client.sendall(command.encode() + b"\n")
        shown[command] = json.loads(read(client, "END\n\n").removesuffix("END\n\n"))["series"]
    assert shown == {
        "counters": [{"key": "a", "value": 1.0}],
        "timers": [{"key": "t", "count": 2, "samples": [2.0, 1.0]}],
        "sets": [{"key": "u", "count": 1, "members": ["x"]}],
    }
