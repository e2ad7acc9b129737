"""Listeners from URLs: what is refused and why, what is bound, what is cleaned up."""

from __future__ import annotations

import socket
import stat
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nilometer.core.errors import ConfigError, UnknownScheme, UrlError
from nilometer.core.losses import Losses
from nilometer.core.url import parse
from nilometer.ingest import sockets
from nilometer.ingest._reference import ReferenceKernel
from nilometer.ingest.listener_urls import check
from nilometer.ingest.listeners import Listeners

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.ingest.listeners import Listener


class Room:
    """Listeners over a reference kernel, stopped at the end of the test."""

    def __init__(self) -> None:
        self.kernel = ReferenceKernel()
        self.listeners = Listeners(self.kernel, Losses(), max_line=1000, connections=10)
        self.opened: list[Listener] = []

    def open(self, url: str) -> Listener:
        self.opened.append(self.listeners.open(parse(url)))
        return self.opened[-1]

    def counters(self) -> dict[str, float]:
        blocks = self.kernel.flush(1.0).blocks
        return {
            key: value
            for block in blocks
            for column in block.columns
            if column.name == "count"
            for key, value in zip(block.keys(), column.values, strict=True)
        }

    def stop(self) -> None:
        for listener in self.opened:
            listener.stop()


@pytest.fixture
def room() -> Iterator[Room]:
    made = Room()
    yield made
    made.stop()
    made.listeners.close()


def port_of(listener: Listener) -> int:
    return int(listener.addresses[0].rpartition(":")[2])


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("udp://:8125?dialect=statsdd", "'statsdd' is none of auto, statsd, dogstatsd, graphite, influx, librato, signalfx"),
        ("udp://:8125?gauges=down", "'down' is none of delta, absolute"),
        ("udp://:8125?thread=2", "did you mean 'threads'?"),
        ("udp://:8125?threads=0", "0 is not between 1 and 64"),
        ("udp://a,b:8125", "one host and no path"),
        ("tcp://:8125/x", "one host and no path"),
        ("tcp://:8125?idle=soon", "'soon' is not a duration"),
        ("unix://relative.sock", "names no absolute path; write unix:///run/nilometer.sock"),
        ("unixgram:///run/x?mode=888", "'888' is not octal digits"),
        ("unixgram:///" + "x" * 107, "its path is longer than 107 bytes"),
        ("tcp://me:secret@:8125", "a listener asks for neither user nor password"),
        ("udp://[fe80::1]:8125", "needs its zone; write udp://[fe80::1%25eth0]:8125"),
        ("tcp://[fe80::1]", "needs its zone"),
        ("unix:///run/x?mode=7777", "'7777' is not octal digits"),
    ],
)
def test_a_wrong_url_is_refused_with_the_reason(url: str, reason: str) -> None:
    with pytest.raises(UrlError) as refused:
        check(parse(url))
    assert reason in str(refused.value)


def test_an_unknown_scheme_names_the_nearest() -> None:
    with pytest.raises(UnknownScheme, match=r"did you mean 'udp'\?"):
        check(parse("upd://:8125"))


@pytest.mark.parametrize(
    ("url", "family", "address"),
    [
        ("udp://127.0.0.1:0", socket.AF_INET, "127.0.0.1"),
        ("udp://[::1]:0", socket.AF_INET6, "::1"),
        ("udp://:0", socket.AF_INET, "127.0.0.1"),
        ("udp://:0", socket.AF_INET6, "::1"),
        ("tcp://127.0.0.1:0", socket.AF_INET, "127.0.0.1"),
        ("tcp://[::1]:0", socket.AF_INET6, "::1"),
        ("tcp://:0", socket.AF_INET, "127.0.0.1"),
        ("tcp://:0", socket.AF_INET6, "::1"),
    ],
)
def test_both_internet_protocols_are_heard(room: Room, url: str, family: socket.AddressFamily, address: str) -> None:
    listener = room.open(url)
    kind = socket.SOCK_DGRAM if url.startswith("udp") else socket.SOCK_STREAM
    with socket.socket(family, kind) as client:
        client.connect((address, port_of(listener)))
        client.sendall(b"a:3|c\n")
    listener.stop()

    assert room.counters() == {"a": 3.0}


def link_local() -> tuple[str, str] | None:
    """Return an IPv6 address of one link of this machine, and the link's name."""
    file = Path("/proc/net/if_inet6")
    found = [line.split() for line in file.read_text("ascii").splitlines()] if file.exists() else []
    return next(((str(ip_address(bytes.fromhex(each[0]))), each[5]) for each in found if each[3] == "20"), None)


@pytest.mark.parametrize("scheme", ["udp", "tcp"])
@pytest.mark.parametrize("percent", ["%25", "%"])
def test_an_address_of_one_link_is_bound_with_its_zone(room: Room, scheme: str, percent: str) -> None:
    local = link_local()
    if local is None:
        pytest.skip("no link has an IPv6 address of its own; cure: ip -6 address add fe80::1/64 dev lo")
    address, link = local
    listener = room.open(f"{scheme}://[{address}{percent}{link}]:0")
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM if scheme == "udp" else socket.SOCK_STREAM) as client:
        client.connect((address, port_of(listener), 0, socket.if_nametoindex(link)))
        client.sendall(b"a:3|c\n")
    listener.stop()

    assert room.counters() == {"a": 3.0}


def test_a_zone_is_part_of_an_address() -> None:
    zoned = sockets.addresses(parse("udp://[fe80::1%25lo]:8125"))
    number = socket.if_nametoindex("lo")

    assert [(each.at(8125), each.text) for each in zoned] == [(("fe80::1", 8125, 0, number), f"fe80::1%{number}")]
    assert sockets.shown(("fe80::1", 8125, 0, number)) == f"[fe80::1%{number}]:8125"
    assert sockets.shown(("::ffff:127.0.0.1", 8125, 0, 0)) == "127.0.0.1:8125"


def test_a_host_name_is_bound_at_its_addresses(room: Room) -> None:
    found = socket.getaddrinfo("localhost", None, type=socket.SOCK_STREAM)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]

    listener = room.open(f"tcp://localhost:{port}")

    assert len(listener.addresses) == len({where[0] for *_, where in found})


@pytest.mark.parametrize("scheme", ["udp", "tcp"])
def test_a_taken_port_is_named_with_the_cure(room: Room, scheme: str) -> None:
    port = port_of(room.open(f"{scheme}://127.0.0.1:0"))

    with pytest.raises(ConfigError, match=rf"{scheme}://127.0.0.1:{port}: .*listens there already"):
        room.open(f"{scheme}://127.0.0.1:{port}")


def test_an_address_of_another_machine_is_named_with_the_cure(room: Room) -> None:
    with pytest.raises(ConfigError, match="this machine has no such address"):
        room.open("udp://192.0.2.1:8125")


def test_an_unknown_host_is_an_error_that_names_the_url(room: Room) -> None:
    with pytest.raises(ConfigError, match=r"tcp://nowhere\.invalid:8125: cannot listen: .*"):
        room.open("tcp://nowhere.invalid:8125")


def test_a_missing_directory_is_named_with_the_cure(room: Room, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the directory does not exist"):
        room.open(f"unix://{tmp_path}/missing/x.sock")


@pytest.mark.parametrize(("scheme", "kind"), [("unix", socket.SOCK_STREAM), ("unixgram", socket.SOCK_DGRAM)])
def test_unix_sockets_are_heard_with_their_mode_and_removed_at_stop(
    room: Room, tmp_path: Path, scheme: str, kind: socket.SocketKind
) -> None:
    path = tmp_path / "in.sock"
    listener = room.open(f"{scheme}://{path}?mode=620")
    assert stat.S_IMODE(path.stat().st_mode) == 0o620
    with socket.socket(socket.AF_UNIX, kind) as client:
        client.connect(str(path))
        client.sendall(b"a:2|c\n")

    listener.stop()

    assert room.counters() == {"a": 2.0}
    assert not path.exists()


@pytest.mark.parametrize(("scheme", "kind"), [("unix", socket.SOCK_STREAM), ("unixgram", socket.SOCK_DGRAM)])
def test_a_socket_left_behind_is_replaced_but_one_in_use_is_not(
    room: Room, tmp_path: Path, scheme: str, kind: socket.SocketKind
) -> None:
    path = tmp_path / "in.sock"
    with socket.socket(socket.AF_UNIX, kind) as dead:
        dead.bind(str(path))
    room.open(f"{scheme}://{path}")

    with pytest.raises(ConfigError, match="listens there already"):
        room.open(f"{scheme}://{path}")
    assert path.exists()


def test_a_file_that_is_no_socket_is_left_alone(room: Room, tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("data")

    with pytest.raises(ConfigError, match="exists and is no socket"):
        room.open(f"unixgram://{path}")
    assert path.read_text() == "data"


def test_a_socket_that_somebody_else_put_there_meanwhile_stays(room: Room, tmp_path: Path) -> None:
    path = tmp_path / "in.sock"
    listener = room.open(f"unix://{path}")
    path.unlink()
    path.write_text("another")

    listener.stop()

    assert path.read_text() == "another"


def test_the_buffer_that_was_granted_is_known(room: Room) -> None:
    listener = room.open("udp://127.0.0.1:0?buffer=64KiB")

    assert listener.buffers[0] >= 64 * 1024


def test_limits_of_open_listeners_can_change(room: Room) -> None:
    listener = room.open("tcp://127.0.0.1:0")
    room.listeners.limit(max_line=1000, connections=0)
    with socket.create_connection(("127.0.0.1", port_of(listener)), 10) as client:
        assert client.recv(1) == b""
    assert room.listeners.connections == 0
