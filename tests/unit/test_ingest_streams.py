"""Lines from stream sockets: cutting, bounds, connections that break, the end."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.core.losses import Losses
from nilometer.ingest.streams import LineBuffer, Streams
from nilometer.testing.waiting import PATIENCE, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.ingest.kernel import Kernel
    from nilometer.ingest.streams import StreamListener


def fed(chunks: list[bytes], limit: int = 64) -> tuple[bytes, bytes]:
    buffer = LineBuffer(limit)
    return b"".join(map(buffer.feed, chunks)), buffer.close()


def test_only_whole_lines_come_out() -> None:
    assert fed([b"a:1|c\nb:2", b"|c\nc:3|"]) == (b"a:1|c\nb:2|c\n", b"c:3|")


def test_a_line_over_the_limit_comes_cut_and_its_rest_is_skipped() -> None:
    whole, rest = fed([b"x" * 40, b"x" * 40, b"x" * 400, b"x\nb:1|c\n"])

    assert whole == b"x" * 65 + b"\nb:1|c\n"
    assert rest == b""


@given(st.lists(st.integers(0, 200), max_size=8), st.data())
def test_every_byte_comes_out_or_is_skipped_however_the_bytes_arrive(lengths: list[int], data: st.DataObject) -> None:
    text = b"".join(b"x" * length + b"\n" for length in lengths)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=10)))
    buffer = LineBuffer(64)
    out = sum(len(buffer.feed(text[begin:end])) for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True))

    assert out + buffer.skipped == len(text)


def test_a_line_of_exactly_the_limit_is_whole() -> None:
    assert fed([b"x" * 64, b"\n"]) == (b"x" * 64 + b"\n", b"")


def test_the_buffer_never_holds_more_than_the_limit() -> None:
    buffer = LineBuffer(64)
    for _ in range(100):
        buffer.feed(b"y" * 1000)
        assert len(buffer._rest) <= 64


@given(st.lists(st.binary(max_size=60).map(lambda line: line.replace(b"\n", b"")), max_size=20), st.data())
def test_lines_are_the_same_however_the_bytes_arrive(lines: list[bytes], data: st.DataObject) -> None:
    text = b"".join(line + b"\n" for line in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=10)))
    chunks = [text[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]

    assert fed(chunks) == (text, b"")


class Recorder:
    """Stands for a kernel: notes what it is fed."""

    name = "recorder"

    def __init__(self) -> None:
        self.data = b""
        self.packets = 0
        self.sources: set[str] = set()

    def feed(self, data: bytes, source: str = "", dialect: str = "auto", *, packets: int = 1) -> None:
        del dialect
        self.data += data if data.endswith(b"\n") else data + b"\n"
        self.packets += packets
        self.sources.add(source)


class Bench:
    """A stream listener on a free port, with what it fed and lost."""

    def __init__(self, *, most: int = 100, dialect: str = "auto", idle: float = 0.0, max_line: int = 1000) -> None:
        self.kernel, self.losses = Recorder(), Losses()
        kernel: Kernel = self.kernel  # type: ignore[assignment]  # of a kernel, streams use `feed` only
        self.streams = Streams(kernel, self.losses, max_line=max_line, most=most)
        sock = socket.create_server(("127.0.0.1", 0))
        self.address = sock.getsockname()
        self.listener: StreamListener = self.streams.serve(sock, "tcp", dialect, idle)

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, PATIENCE)

    def expect(self, data: bytes) -> None:
        """Wait until the kernel was fed that, and nothing else."""
        until(lambda: self.kernel.data == data, f"{data!r} is fed", told=lambda: f"fed so far: {self.kernel.data!r}")

    def lost(self, reason: str) -> int:
        return self.losses.totals()["stream", reason]

    def close(self) -> None:
        self.listener.stop()
        self.streams.stop()


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.close()


def test_lines_reach_the_kernel_with_their_source(bench: Bench) -> None:
    with bench.connect() as client:
        client.sendall(b"a:1|c\nb:2|c\n")
        bench.expect(b"a:1|c\nb:2|c\n")
        assert bench.kernel.sources == {f"127.0.0.1:{client.getsockname()[1]}"}


def test_the_bytes_of_a_line_over_the_limit_are_known(bench: Bench) -> None:
    with bench.connect() as client:
        client.sendall(b"x" * 100_000 + b"\na:1|c\n")
        until(lambda: bench.kernel.data.endswith(b"a:1|c\n"), "the line after the long one is fed")
        until(lambda: len(bench.kernel.data) + bench.streams.skipped == 100_007, "every byte is fed or skipped")


def test_a_last_line_without_newline_counts_when_the_peer_closes_in_order(bench: Bench) -> None:
    with bench.connect() as client:
        client.sendall(b"a:1|c\nb:2|c")

    bench.expect(b"a:1|c\nb:2|c\n")
    assert bench.lost("unfinished_line") == 0


def test_statsd_loses_a_last_line_without_newline_and_it_is_counted() -> None:
    bench = Bench(dialect="statsd")
    with bench.connect() as client:
        client.sendall(b"a:1|c\nb:2|c")

    until(lambda: bench.lost("unfinished_line") == 1, "the unfinished line is counted")
    assert bench.kernel.data == b"a:1|c\n"
    bench.close()


def test_a_reset_harms_only_its_own_connection(bench: Bench) -> None:
    with bench.connect() as other:
        client = bench.connect()
        client.sendall(b"a:1|c\nhalf:1")
        until(lambda: b"a:1|c\n" in bench.kernel.data, "the whole line is fed")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        until(lambda: bench.lost("unfinished_line") == 1, "the unfinished line is counted")
        other.sendall(b"b:1|c\n")
        bench.expect(b"a:1|c\nb:1|c\n")


def test_too_many_connections_are_refused_and_counted() -> None:
    bench = Bench(most=1)
    with bench.connect() as first:
        first.sendall(b"a:1|c\n")
        bench.expect(b"a:1|c\n")
        with bench.connect() as second:
            assert second.recv(1) == b""
        assert bench.lost("connection_limit") == 1
        first.sendall(b"b:1|c\n")
        bench.expect(b"a:1|c\nb:1|c\n")
    until(lambda: bench.streams.connections == 0, "the connection has ended")
    with bench.connect() as third:
        third.sendall(b"c:1|c\n")
        until(lambda: bench.kernel.data.endswith(b"c:1|c\n"), "the third connection is heard")
    bench.close()


def test_an_idle_connection_is_closed() -> None:
    bench = Bench(idle=0.05)
    with bench.connect() as client:
        client.settimeout(PATIENCE)
        assert client.recv(1) == b""
    bench.close()


def test_reads_that_hold_a_newline_are_packets(bench: Bench) -> None:
    with bench.connect() as client:
        client.sendall(b"half")
        until(lambda: bench.streams.connections == 1, "the connection is taken")
        client.sendall(b":1|c\nb:1|c\n")
        bench.expect(b"half:1|c\nb:1|c\n")
    assert bench.kernel.packets == 1


def test_stop_takes_in_what_the_sockets_hold() -> None:
    bench = Bench()
    clients = [bench.connect() for _ in range(20)]
    for number, client in enumerate(clients):
        client.sendall(b"c%d:1|c\n" % number * 1000)

    bench.close()

    assert bench.kernel.data.count(b"\n") == 20_000
    for client in clients:
        client.close()


def test_a_line_that_the_stop_cuts_off_is_lost_and_counted() -> None:
    bench = Bench()
    with bench.connect() as client:
        client.sendall(b"a:1|c\nb:12")
        bench.expect(b"a:1|c\n")
        bench.close()

    assert bench.kernel.data == b"a:1|c\n"
    assert bench.lost("unfinished_line") == 1


def test_an_endless_sender_does_not_hold_up_the_stop() -> None:
    bench = Bench()
    client, ended = bench.connect(), threading.Event()

    def send() -> None:
        with contextlib.suppress(OSError):
            while True:
                client.sendall(b"a:1|c\n" * 10_000)
        ended.set()

    sender = threading.Thread(target=send)
    sender.start()
    until(lambda: bench.kernel.packets > 0, "something is fed")
    bench.close()

    assert ended.wait(PATIENCE)
    sender.join()
    client.close()
