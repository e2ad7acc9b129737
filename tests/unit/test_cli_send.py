"""`nilometer send`: what is sent, what is refused, what is said about it."""

from __future__ import annotations

import errno
import io
import socket
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.cli import lines as outgoing
from nilometer.cli import peer
from nilometer.cli import send as sending
from nilometer.cli.main import main
from nilometer.core import url as urls
from nilometer.core.errors import InputError, Unavailable, UnknownScheme
from nilometer.testing.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def udp() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(5)
        yield sock


def url_of(sock: socket.socket) -> str:
    return f"udp://127.0.0.1:{sock.getsockname()[1]}"


def type_in(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))


class Lines(threading.Thread):
    """Accepts one stream connection and keeps what comes over it."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(daemon=True)
        self.sock, self.data = sock, b""
        self.start()

    def run(self) -> None:
        connection, _ = self.sock.accept()
        with connection:
            while chunk := connection.recv(65536):
                self.data += chunk


def test_arguments_travel_in_one_datagram(udp: socket.socket) -> None:
    assert main(["send", "--to", url_of(udp), "a:1|c", "b:2|g|#k:v"]) == 0
    assert udp.recv(2000) == b"a:1|c\nb:2|g|#k:v\n"


def test_the_default_is_the_usual_port_of_this_machine() -> None:
    assert sending.DEFAULT == "udp://127.0.0.1:8125"
    assert {option.name: option.default for option in sending.command.params}["to"] == sending.DEFAULT


@pytest.mark.parametrize("arguments", [[], ["-"]])
def test_standard_input_is_read_to_its_end(arguments: list[str], udp: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    type_in(monkeypatch, b"a:1|c\r\n\nb:2|g")
    assert main(["send", "--to", url_of(udp), *arguments]) == 0
    assert udp.recv(2000) + udp.recv(2000) == b"a:1|c\nb:2|g\n"


def test_a_bad_argument_keeps_all_from_being_sent(udp: socket.socket, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["send", "--to", url_of(udp), "a:1|c", "b:x|c", "c"]) == 2
    error = capsys.readouterr().err
    assert "'b:x|c': not a number" in error
    assert "'c': no value" in error
    assert "name:value|type" in error
    udp.settimeout(0)
    with pytest.raises(BlockingIOError):
        udp.recv(1)


def test_bad_lines_of_standard_input_are_named_and_left_out(
    udp: socket.socket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    type_in(monkeypatch, b"a:1|c\nb:x|c\nc:1|q\nd:1|c\n")
    assert main(["send", "--to", url_of(udp)]) == 1
    assert udp.recv(2000) == b"a:1|c\nd:1|c\n"
    first, second, last = capsys.readouterr().err.splitlines()
    assert first == "nilometer: line 2: 'b:x|c': not a number"
    assert second == "nilometer: line 3: 'c:1|q': unknown type"
    assert last.startswith("nilometer: 2 bad lines were not sent")


def test_only_the_first_bad_lines_are_named(
    udp: socket.socket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    type_in(monkeypatch, b"x\n" * 100)
    assert main(["send", "--to", url_of(udp)]) == 1
    assert len(capsys.readouterr().err.splitlines()) == sending.SHOWN + 1


def test_an_empty_argument_is_bad(udp: socket.socket, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["send", "--to", url_of(udp), "a:1|c", ""]) == 2
    assert "'': empty" in capsys.readouterr().err


def test_raw_sends_anything(udp: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["send", "--to", url_of(udp), "--raw", "nonsense"]) == 0
    assert udp.recv(2000) == b"nonsense\n"
    type_in(monkeypatch, b"\xff\r\n")
    assert main(["send", "--to", url_of(udp), "--raw"]) == 0
    assert udp.recv(2000) == b"\xff\r\n"


def test_lines_are_judged_by_the_listeners_dialect(udp: socket.socket) -> None:
    assert main(["send", "--to", url_of(udp), "a:1|unknown"]) == 2
    assert main(["send", "--to", url_of(udp) + "?dialect=statsd", "a:1|unknown"]) == 0


def test_a_closed_udp_port_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    url = f"udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
    assert main(["send", "--to", url, "a:1|c"]) == 1
    assert capsys.readouterr().err == (
        f"nilometer: {url}: nothing listens there; start a server with: nilometer serve (lines sent before: 0)\n"
    )


def test_the_first_address_that_takes_datagrams_is_used(udp: socket.socket) -> None:
    closed = ("127.0.0.1", free_port(socket.SOCK_DGRAM))
    way = peer.Datagrams([(socket.AF_INET, closed), (socket.AF_INET, udp.getsockname())])
    way.send(b"a:1|c\n")
    assert udp.recv(100) == b"a:1|c\n"
    assert not way.refused(0.0)
    way.close()


def test_a_refusal_that_comes_late_is_heard() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        way = peer.Datagrams([(socket.AF_INET, sock.getsockname())])
        assert not way.refused(0.0)
        way.send(b"\n")
        assert not way.refused(0.001)
    assert way._sock is not None
    way._sock.send(b"\n")
    assert way.refused(1.0)
    way.close()


def test_an_answer_is_no_refusal(udp: socket.socket) -> None:
    way = peer.Datagrams([(socket.AF_INET, udp.getsockname())])
    way.send(b"a:1|c\n")
    _, sender = udp.recvfrom(100)
    udp.sendto(b"thanks", sender)
    assert not way.refused(5.0)
    way.close()


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (TimeoutError(), "no answer within 5 s"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "Network is unreachable"),
        (OSError("odd"), "odd"),
    ],
)
def test_an_error_of_a_socket_is_said_with_the_url(error: OSError, says: str) -> None:
    with pytest.raises(Unavailable, match=f"udp://host: {says}"), peer.reaching(urls.parse("udp://host")):
        raise error


def test_tcp_carries_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    text = b"".join(b"series.%d:1|c\n" % number for number in range(20_000))
    type_in(monkeypatch, text)
    with socket.create_server(("127.0.0.1", 0)) as server:
        lines = Lines(server)
        assert main(["send", "--to", f"tcp://127.0.0.1:{server.getsockname()[1]}"]) == 0
        lines.join(5)
    assert lines.data == text


def test_unix_sockets_are_reached(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as stream, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagram:
        stream.bind(str(tmp_path / "stream"))
        stream.listen()
        lines = Lines(stream)
        datagram.bind(str(tmp_path / "datagram"))
        assert main(["send", "--to", f"unix://{tmp_path}/stream", "a:1|c"]) == 0
        assert main(["send", "--to", f"unixgram://{tmp_path}/datagram", "b:1|c"]) == 0
        lines.join(5)
        assert (lines.data, datagram.recv(100)) == (b"a:1|c\n", b"b:1|c\n")


@pytest.mark.parametrize(
    ("url", "code", "says"),
    [
        ("unix:///nowhere/at.all", 1, "there is no such socket"),
        ("unixgram:///nowhere/at.all", 1, "there is no such socket"),
        ("udp://no-such-host.invalid", 1, "host 'no-such-host.invalid' is not known"),
        ("upd://localhost", 2, "did you mean 'udp'?"),
        ("udp://localhost?thread=2", 2, "did you mean 'threads'?"),
        ("graphite://localhost", 2, "no listener answers"),
        ("nonsense", 2, "no listener answers"),
    ],
)
def test_a_wrong_target_is_named(url: str, code: int, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["send", "--to", url, "a:1|c"]) == code
    assert says in capsys.readouterr().err


def test_a_refused_connection_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["send", "--to", f"tcp://127.0.0.1:{free_port()}", "a:1|c"]) == 1
    assert "nothing listens there" in capsys.readouterr().err


def test_a_line_too_long_for_a_datagram_is_not_sent(udp: socket.socket, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["send", "--to", url_of(udp), "a" * 65_507 + ":1|c"]) == 1
    assert "too long for one datagram" in capsys.readouterr().err


def test_progress_is_shown_on_a_terminal_only(capsys: pytest.CaptureFixture[str]) -> None:
    way = peer.Datagrams([])
    for terminal in (False, True):
        run = sending.Sending(urls.parse("udp://:1"), way, raw=False, terminal=terminal, sent=1234)
        run.progress()
        run.progress()
        run.progress(final=True)
    shown = capsys.readouterr().err
    assert shown.count("1,234 lines sent to udp://:1") == 2
    assert shown.endswith("\n")


def test_a_server_on_every_address_is_reached_at_this_machine() -> None:
    assert [peer.target(urls.parse(url)) for url in ("udp://:1", "udp://0.0.0.0:1", "udp://[::]", "tcp://host")] == [
        ("127.0.0.1", 1),
        ("127.0.0.1", 1),
        ("127.0.0.1", 8125),
        ("host", 8125),
    ]


def test_only_listeners_can_be_connected_to() -> None:
    with pytest.raises(UnknownScheme):
        peer.connect(urls.parse("null://"))


class Trickle(io.BytesIO):
    """Gives a few bytes a read, as a slow pipe does."""

    def read1(self, size: int | None = -1, /) -> bytes:
        del size
        return super().read1(3)


@given(st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line)))
def test_batches_are_the_lines_of_the_input(lines: list[bytes]) -> None:
    text = b"\n".join(lines)
    got = [line for batch in outgoing.batches(Trickle(text)) for line in batch]
    assert got == (text.split(b"\n")[:-1] if text.endswith(b"\n") else text.split(b"\n") if text else [])


def test_lines_go_out_as_soon_as_they_are_whole() -> None:
    assert list(outgoing.batches(Trickle(b"a\nb\nc"))) == [[b"a"], [b"b"], [b"c"]]


def test_an_endless_line_is_refused_with_its_number() -> None:
    stream = io.BytesIO(b"a:1|c\n" + b"x" * (outgoing.LONGEST + 1))
    batches = outgoing.batches(stream)
    assert next(batches) == [b"a:1|c"]
    with pytest.raises(InputError, match="line 2 is longer than 65,535 bytes"):
        next(batches)


@given(st.lists(st.binary(min_size=1, max_size=60).filter(lambda line: b"\n" not in line)), st.integers(1, 80))
def test_packets_hold_the_lines_in_order_and_keep_the_limit(lines: list[bytes], limit: int) -> None:
    packets = list(outgoing.pack(lines, limit))
    assert b"".join(packet.data for packet in packets) == b"".join(line + b"\n" for line in lines)
    assert sum(packet.lines for packet in packets) == len(lines)
    assert all(len(packet.data) <= limit or packet.lines == 1 for packet in packets)


def test_packets_are_as_few_as_lines_in_order_allow() -> None:
    assert [packet.data for packet in outgoing.pack([b"aaa", b"bbb", b"c", b"d"], 8)] == [b"aaa\nbbb\n", b"c\nd\n"]


@pytest.mark.parametrize("scheme", ["udp", "tcp"])
def test_port_zero_cannot_be_sent_to(scheme: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["send", "--to", f"{scheme}://127.0.0.1:0", "a:1|c"]) == 2
    assert f"{scheme}://127.0.0.1:0: port 0 stands for any free port" in capsys.readouterr().err


def test_an_empty_input_that_nobody_asked_for_is_said(
    udp: socket.socket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    type_in(monkeypatch, b"")
    assert main(["send", "--to", url_of(udp)]) == 2
    assert "nothing to send: no LINE was given, and standard input is empty" in capsys.readouterr().err
    assert main(["send", "--to", url_of(udp), "-"]) == 0
    assert capsys.readouterr().err == ""
