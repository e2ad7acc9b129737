"""Datagram receivers over real sockets. Each test runs over both kernels."""

from __future__ import annotations

import socket
import stat
from typing import TYPE_CHECKING

import pytest

from nilometer.core.errors import ConfigError
from nilometer.core.losses import Losses
from nilometer.core.url import parse
from nilometer.ingest.listeners import Listeners
from nilometer.testing.kernels import text_of

if TYPE_CHECKING:
    from pathlib import Path

    from nilometer.ingest.kernel import Kernel, Receiver


SO_SNDBUFFORCE = 32  # asm-generic/socket.h; the socket module has no name for it


def send(family: int, host: str, receiver: Receiver, *datagrams: bytes) -> str:
    """Send the datagrams and return the sender's port."""
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        sender.connect((host, int(receiver.address.rpartition(":")[2])))
        for data in datagrams:
            sender.send(data)
        return str(sender.getsockname()[1])


def udp(
    kernel: Kernel, host: str = "127.0.0.1", *, buffer: int = 1 << 18, threads: int = 1, dialect: str = "statsd"
) -> Receiver:
    return kernel.receive_udp(host, 0, buffer_bytes=buffer, threads=threads, dialect=dialect)


@pytest.mark.parametrize("threads", [1, 2])
def test_stop_reads_what_the_socket_still_holds(kernel: Kernel, threads: int) -> None:
    receiver = udp(kernel, threads=threads)
    assert receiver.address.startswith("127.0.0.1:")
    for _ in range(4):
        send(socket.AF_INET, "127.0.0.1", receiver, *[b"a:1|c\nt:2|ms"] * 25, b"")
    receiver.stop()
    receiver.stop()
    aggregates = kernel.flush(1)
    tally = aggregates.tally
    assert (tally.packets, tally.lines, tally.bytes, tally.kernel_drops) == (104, 200, 1200, 0)
    seen = text_of(aggregates)
    assert (seen["counters.a.count"], seen["timers.t.sum"]) == ("100", "200")


def test_a_bad_line_names_its_sender(kernel: Kernel) -> None:
    receiver = udp(kernel)
    port = send(socket.AF_INET, "127.0.0.1", receiver, b"bad")
    receiver.stop()
    assert [(bad.source, bad.line) for bad in kernel.bad_lines()] == [(f"127.0.0.1:{port}", "bad")]


def test_ipv6(kernel: Kernel) -> None:
    receiver = udp(kernel, "::1")
    assert receiver.address.startswith("[::1]:")
    port = send(socket.AF_INET6, "::1", receiver, b"bad")
    receiver.stop()
    assert [bad.source for bad in kernel.bad_lines()] == [f"[::1]:{port}"]


def test_no_host_is_ipv6_and_ipv4_which_is_shown_as_such(kernel: Kernel) -> None:
    receiver = udp(kernel, "")
    four = send(socket.AF_INET, "127.0.0.1", receiver, b"bad")
    six = send(socket.AF_INET6, "::1", receiver, b"bad")
    receiver.stop()
    assert {bad.source for bad in kernel.bad_lines()} == {f"127.0.0.1:{four}", f"[::1]:{six}"}


def test_a_name_is_looked_up(kernel: Kernel) -> None:
    receiver = udp(kernel, "localhost")
    receiver.stop()
    assert receiver.address.rpartition(":")[0] in {"127.0.0.1", "[::1]"}


def test_the_dialect_is_the_receivers_own(kernel: Kernel) -> None:
    ours, theirs = udp(kernel, dialect="auto"), udp(kernel)
    send(socket.AF_INET, "127.0.0.1", ours, b"a:1|h")
    send(socket.AF_INET, "127.0.0.1", theirs, b"a:1|h")
    ours.stop()
    theirs.stop()
    assert [block.kind for block in kernel.flush(1).blocks] == ["counter", "timer"]


def test_the_buffer_granted_is_told(kernel: Kernel) -> None:
    small, large = udp(kernel, buffer=8192), udp(kernel, buffer=65536)
    assert 8192 <= small.buffer_bytes < large.buffer_bytes
    small.stop()
    large.stop()


def test_what_the_system_drops_is_counted(kernel: Kernel) -> None:
    receiver = udp(kernel, buffer=2304)
    sent = 0
    dropped = received = 0
    while not dropped:
        send(socket.AF_INET, "127.0.0.1", receiver, *[b"a:1|c" + b" " * 1000] * 500)
        sent += 500
        assert sent < 500_000, "the system never dropped a datagram"
        tally = kernel.flush(1).tally
        dropped, received = dropped + tally.kernel_drops, received + tally.packets
    receiver.stop()
    tally = kernel.flush(1).tally
    assert dropped + tally.kernel_drops + received + tally.packets <= sent


def test_a_taken_port_is_an_error(kernel: Kernel) -> None:
    receiver = udp(kernel)
    port = int(receiver.address.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"):
        kernel.receive_udp("127.0.0.1", port, buffer_bytes=0, threads=1, dialect="statsd")
    receiver.stop()


def test_an_unknown_host_is_an_error(kernel: Kernel) -> None:
    with pytest.raises(OSError, match=r".+"):
        udp(kernel, "no-such-host.invalid")


def test_an_unknown_dialect_is_an_error(kernel: Kernel, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="carbon"):
        udp(kernel, dialect="carbon")
    with pytest.raises(ValueError, match="carbon"):
        kernel.receive_unix(str(tmp_path / "in.sock"), buffer_bytes=0, dialect="carbon")


def unix(kernel: Kernel, path: Path) -> Receiver:
    return kernel.receive_unix(str(path), buffer_bytes=0, dialect="statsd")


def test_a_unix_socket(kernel: Kernel, tmp_path: Path) -> None:
    path = tmp_path / "in.sock"
    receiver = unix(kernel, path)
    assert receiver.address == str(path)
    assert stat.S_ISSOCK(path.stat().st_mode)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.bind(str(tmp_path / "out.sock"))
        sender.sendto(b"bad", str(path))
        sender.sendto(b"a:1|c\n" * 12_000, str(path))
    receiver.stop()
    assert [bad.source for bad in kernel.bad_lines()] == [str(tmp_path / "out.sock")]
    assert text_of(kernel.flush(1))["counters.a.count"] == "12000"
    assert not path.exists()


def allow(sender: socket.socket, size: int) -> None:
    """Let a Unix socket send datagrams of `size` bytes; where the system does not, leave the test out."""
    try:
        sender.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, size)
    except PermissionError:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)
    if sender.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) < size:
        pytest.skip(
            f"so long a Unix datagram may not be sent; cure: sysctl -w net.core.wmem_max={size}, or run the tests as root"
        )


def test_the_line_that_a_datagrams_end_was_cut_off_from_is_a_bad_line(kernel: Kernel, tmp_path: Path) -> None:
    path = str(tmp_path / "in.sock")
    receiver = kernel.receive_unix(path, buffer_bytes=4 << 20, dialect="statsd")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        allow(sender, 4 << 20)
        sender.sendto(b"a:1|c\n" + b"b:22222|c" * (1 << 17), path)
    receiver.stop()
    aggregates = kernel.flush(1)
    assert text_of(aggregates) == {"counters.a.rate": "1", "counters.a.count": "1"}
    assert (aggregates.tally.lines, aggregates.tally.bad_lines) == (2, 1)
    [bad] = kernel.bad_lines()
    assert (bad.source, bad.line[:9], len(bad.line)) == (path, "b:22222|c", 512)
    assert "cut off" in bad.reason


def test_a_dead_unix_socket_is_replaced_and_a_living_one_is_not(kernel: Kernel, tmp_path: Path) -> None:
    path = tmp_path / "in.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as dead:
        dead.bind(str(path))
    receiver = unix(kernel, path)
    with pytest.raises(OSError, match="in use"):
        unix(kernel, path)
    receiver.stop()


def test_a_missing_directory_is_told_in_the_systems_words_alone(kernel: Kernel, tmp_path: Path) -> None:
    url = f"unixgram://{tmp_path}/no/in.sock"
    listeners = Listeners(kernel, Losses(), max_line=1000, connections=1)
    with pytest.raises(ConfigError) as caught:
        listeners.open(parse(url))
    said = "cannot listen: No such file or directory; the directory does not exist; create it"
    assert str(caught.value) == f"{url}: {said}"


def test_a_file_in_the_way_of_a_unix_socket_is_an_error(kernel: Kernel, tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("data")
    with pytest.raises(OSError, match="in use"):
        unix(kernel, path)
    assert path.read_text() == "data"
