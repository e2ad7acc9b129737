"""``nilometer serve`` as a process: every listener is heard, a stop loses nothing, a hostile client harms only itself."""

from __future__ import annotations

import signal
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

UDP, TCP = "--listen=udp://127.0.0.1:0", "--listen=tcp://127.0.0.1:0"
LONG = "--flush-interval=1h"
LINES = b"a:1|c\n" * 20
DATAGRAMS = 80
"""As many datagrams as the smallest usual receive buffer holds, and few enough for a busy machine to count at a stop."""


@pytest.fixture(params=IN_SERVERS)
def kernel(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def start(kernel: str, tmp_path: Path) -> Iterator[Start]:
    started: list[Serving] = []

    def begin(*arguments: str, state: str = "state", **options: object) -> Serving:
        started.append(Serving(*arguments, state=tmp_path / state, kernel=kernel, **options))  # type: ignore[arg-type]  # passed through
        return started[-1].ready()

    yield begin
    for server in started:
        server.kill()


def send_datagrams(family: socket.AddressFamily, address: tuple[str, int] | str) -> int:
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.connect(address)
        for _ in range(DATAGRAMS):
            client.send(LINES)
    return DATAGRAMS * 20


def send_stream(family: socket.AddressFamily, address: tuple[str, int] | str) -> int:
    with socket.socket(family) as client:
        client.connect(address)
        client.sendall(LINES * 100)
    return 2000


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_loses_nothing_that_any_listener_received(start: Start, tmp_path: Path, number: signal.Signals) -> None:
    stream, datagram = f"{tmp_path}/stream.sock", f"{tmp_path}/datagram.sock"
    server = start(UDP, TCP, f"--listen=unix://{stream}", f"--listen=unixgram://{datagram}", LONG)

    sent = send_datagrams(socket.AF_INET, server.address("udp"))
    sent += send_stream(socket.AF_INET, server.address("tcp"))
    sent += send_datagrams(socket.AF_UNIX, datagram)
    sent += send_stream(socket.AF_UNIX, stream)
    code = server.stop(number)

    assert code == 0
    assert len(server.flushes) == 1
    assert server.total("a") == sent
    assert server.total("nilometer.lines") == sent


@pytest.mark.parametrize(("scheme", "send"), [("udp", send_datagrams), ("tcp", send_stream)])
def test_ipv6_is_heard(start: Start, scheme: str, send: Callable[[socket.AddressFamily, tuple[str, int]], int]) -> None:
    server = start(f"--listen={scheme}://[::1]:0", LONG)
    sent = send(socket.AF_INET6, server.address(scheme))

    assert server.stop() == 0
    assert server.total("a") == sent


def test_a_listener_without_host_hears_both_internet_protocols(start: Start) -> None:
    server = start("--listen=udp://:0", LONG)
    port = server.address("udp")[1]
    sent = send_datagrams(socket.AF_INET, ("127.0.0.1", port)) + send_datagrams(socket.AF_INET6, ("::1", port))

    assert server.stop() == 0
    assert server.total("a") == sent


def test_flushes_come_by_themselves_and_hold_what_was_sent(start: Start) -> None:
    server = start(UDP, "--flush-interval=200ms")
    sent = send_datagrams(socket.AF_INET, server.address("udp"))

    until(lambda: server.total("a") == sent, "the flushes hold what was sent")
    server.stop()
    assert server.total("a") == sent


def test_a_reset_harms_only_its_own_connection(start: Start) -> None:
    server = start(TCP, "--flush-interval=200ms")
    with socket.create_connection(server.address("tcp")) as other:
        client = socket.create_connection(server.address("tcp"))
        client.sendall(b"a:1|c\n")
        until(lambda: server.total("a") == 1, "the first client is heard")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        other.sendall(b"b:1|c\n")
        until(lambda: server.total("b") == 1, "the other client is heard")

    assert server.stop() == 0


def test_endless_bytes_without_a_newline_take_no_memory_and_count_as_one_bad_line(start: Start) -> None:
    server = start(TCP, "--flush-interval=200ms")
    before = server.memory()
    with socket.create_connection(server.address("tcp")) as client:
        for _ in range(200):
            client.sendall(b"x" * (1 << 20))
        client.sendall(b"\na:1|c\n")
        until(lambda: server.total("a") == 1, "the line after the endless one is heard")
    grown = server.memory() - before

    assert server.stop() == 0
    assert grown < 24 << 20
    assert server.total("a") == 1
    assert server.total("nilometer.bad_lines") == 1


def test_a_client_that_never_reads_or_ends_does_not_hold_up_the_stop(start: Start) -> None:
    server = start(TCP, LONG)
    with socket.create_connection(server.address("tcp")) as client:
        client.sendall(b"a:1|c\nb:1")
        code = server.stop()

    assert code == 0
    assert server.total("a") == 1
    assert server.series("b") == []
    assert server.total("nilometer.lost.stream.unfinished_line") == 1


def test_datagrams_that_the_system_dropped_are_reported(start: Start) -> None:
    server = start("--listen=udp://127.0.0.1:0?buffer=4KiB", "--flush-interval=200ms")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(server.address("udp"))
        server.process.send_signal(signal.SIGSTOP)
        for _ in range(500):
            client.send(b"a:1|c")
        server.process.send_signal(signal.SIGCONT)
        until(lambda: server.total("a") > 0, "the datagrams that fitted are read")
        client.send(b"last:1|c")  # the system tells of drops with the datagram that follows
        until(lambda: server.total("last") == 1, "the last datagram is read")

    server.stop()
    assert server.total("nilometer.kernel_drops") > 0
    assert server.total("nilometer.kernel_drops") + server.total("a") == 500
    assert server.total("nilometer.lost.socket.kernel_drop") == server.total("nilometer.kernel_drops")


def test_a_small_receive_buffer_is_named_with_the_cure(start: Start) -> None:
    server = start("--listen=udp://127.0.0.1:0?buffer=4KiB", LONG)

    assert server.said("sysctl -w net.core.rmem_max=")


def test_bad_lines_are_shown_with_their_source_and_without_control_characters(start: Start) -> None:
    server = start(UDP, LONG)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(server.address("udp"))
        client.send(b"evil\x1b[2J:x|c")
        source = "{}:{}".format(*client.getsockname())

    until(lambda: server.said(source), "the bad line is shown")
    server.stop()
    shown = next(line for line in server.log if source in line)
    assert "evil\\x1b[2J:x|c" in shown
    assert shown.isprintable()
