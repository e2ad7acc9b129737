"""TLS on stream listeners, and networks: sessions, clients that are refused, sessions that do not come about, the end."""

from __future__ import annotations

import logging
import socket
import ssl
from typing import TYPE_CHECKING

import pytest

from nilometer.core.errors import ConfigError
from nilometer.core.losses import Losses
from nilometer.core.url import parse
from nilometer.ingest.listeners import Listeners
from nilometer.testing.certificates import certificate
from nilometer.testing.kernels import text_of
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nilometer.ingest.kernel import Kernel
    from nilometer.ingest.listeners import Listener
    from nilometer.testing.certificates import Certificate


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("server"))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("client"))


class Room:
    """Listeners over a kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.losses = kernel, Losses()
        self.listeners = Listeners(kernel, self.losses, max_line=1000, connections=4)
        self.opened: list[Listener] = []

    def open(self, query: str, scheme: str = "tcp+tls") -> tuple[str, int]:
        self.opened.append(self.listeners.open(parse(f"{scheme}://127.0.0.1:0?{query}")))
        return "127.0.0.1", int(self.opened[-1].addresses[0].rpartition(":")[2])

    def lost(self) -> dict[str, int]:
        return {".".join(loss): number for loss, number in self.losses.totals().items() if number}

    def close(self) -> None:
        for listener in self.opened:
            listener.stop()
        self.opened.clear()


@pytest.fixture
def room(kernel: Kernel) -> Iterator[Room]:
    made = Room(kernel)
    yield made
    made.close()
    made.listeners.close()


def dial(address: tuple[str, int], trusted: Certificate, own: Certificate | None = None) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(trusted.certificate))
    if own is not None:
        context.load_cert_chain(own.certificate, own.key)
    return context.wrap_socket(socket.create_connection(address, timeout=10), server_hostname="localhost")


def hung_up(link: socket.socket, data: bytes = b"") -> bool:
    """Send data and return whether the other side ends the connection, in whichever way."""
    try:
        link.sendall(data)
        while link.recv(100):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def options(made: Certificate, *more: str) -> str:
    return "&".join([f"cert={made.certificate}", f"key={made.key}", *more])


def test_lines_come_over_a_session_and_none_is_left_at_the_end(room: Room, server: Certificate) -> None:
    address = room.open(options(server))
    with dial(address, server) as orderly, dial(address, server) as busy:
        orderly.sendall(b"a:1|c\na:2|c\nta")
        orderly.sendall(b"il:4|c")
        orderly.unwrap().close()
        busy.sendall(b"b:1|c\n" * 5000)  # less than the system takes at once
        until(lambda: room.listeners.connections == 1, "the first has hung up")
        room.close()
    seen = text_of(room.kernel.flush(1))
    assert (seen["counters.a.count"], seen["counters.tail.count"], seen["counters.b.count"]) == ("3", "4", "5000")
    assert (room.lost(), room.listeners.connections) == ({}, 0)


def test_a_client_without_a_certificate_of_the_authority_is_refused(
    room: Room, server: Certificate, client: Certificate, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    address = room.open(options(server, f"client_ca={client.certificate}"))
    with dial(address, server, client) as known:
        known.sendall(b"a:1|c\n")
        known.unwrap().close()
    for own in (None, server):
        with dial(address, server, own) as unknown:
            assert hung_up(unknown, b"a:10|c\n")
    until(lambda: room.lost() == {"listener.tls": 2}, "both are counted", told=lambda: str(room.lost()))
    room.close()
    assert text_of(room.kernel.flush(1))["counters.a.count"] == "1"
    assert "PEER_DID_NOT_RETURN_A_CERTIFICATE" in caplog.text


def test_who_does_not_agree_on_a_session_in_time_is_closed(room: Room, server: Certificate) -> None:
    address = room.open(options(server, "handshake=100ms"))
    with socket.create_connection(address, timeout=10) as silent, socket.create_connection(address, timeout=10) as wrong:
        assert hung_up(wrong, b"a:1|c\n")
        assert hung_up(silent)
    until(lambda: room.lost() == {"listener.tls": 2}, "both are counted", told=lambda: str(room.lost()))
    assert room.listeners.connections == 0


def test_handshakes_count_towards_the_limit_of_connections(room: Room, server: Certificate) -> None:
    address = room.open(options(server))
    links = [socket.create_connection(address, timeout=10) for _ in range(5)]
    until(lambda: room.lost() == {"stream.connection_limit": 1}, "the fifth is refused")
    room.close()  # what has no session yet does not hold the end up
    for link in links:
        link.close()


def test_new_files_are_for_sessions_to_come(room: Room, server: Certificate, tmp_path: Path) -> None:
    for name in ("certificate.pem", "key.pem"):
        (tmp_path / name).write_bytes((server.certificate.parent / name).read_bytes())
    address = room.open(f"cert={tmp_path / 'certificate.pem'}&key={tmp_path / 'key.pem'}")
    with dial(address, server) as before:
        renewed = certificate(tmp_path)
        room.opened[0].renew()()
        with dial(address, renewed) as after:
            after.sendall(b"a:1|c\n")
            before.sendall(b"a:2|c\n")
            until(lambda: room.kernel.totals().lines == 2, "both have come")
        with pytest.raises(ssl.SSLCertVerificationError):
            dial(address, server)
    renewed.key.unlink()
    with pytest.raises(ConfigError, match="cannot use cert and key"):
        room.opened[0].renew()


@pytest.mark.parametrize("scheme", ["tcp", "tcp+tls"])
def test_who_is_outside_the_networks_is_closed_at_once(room: Room, server: Certificate, scheme: str) -> None:
    address = room.open("allow=10.0.0.0/8" + ("&" + options(server) if scheme == "tcp+tls" else ""), scheme)
    with socket.create_connection(address, timeout=10) as link:
        assert hung_up(link)
    until(lambda: room.lost() == {"listener.address": 1}, "it is counted")
    assert room.listeners.connections == 0


def test_files_that_cannot_be_used_are_refused(room: Room, server: Certificate, client: Certificate, tmp_path: Path) -> None:
    for query, says in (
        (f"cert={tmp_path}/none.pem", "No such file"),
        (f"cert={server.certificate}&key={client.key}", "mismatch"),
        (options(server, f"client_ca={tmp_path}/none.pem"), "cannot use client_ca"),
    ):
        with pytest.raises(ConfigError, match=says):
            room.open(query)
