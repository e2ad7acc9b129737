"""The StatsD sink: which lines a flush becomes, how they are packed, and that no part is sent twice."""

from __future__ import annotations

import math
import socket
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from nilometer.backends import registry, statsd
from nilometer.backends._parts.datagrams import Datagrams
from nilometer.backends._parts.statsd_lines import Lines, pack
from nilometer.backends._parts.stream import CHUNK, Stream
from nilometer.core import url as urls
from nilometer.core.errors import Unavailable, UrlError
from nilometer.core.record import Block, Column, Flush, Kind, block
from nilometer.core.statsd_target import target
from nilometer.testing import flushes
from nilometer.testing.peers import FakeStatsd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

END = 1_700_000_010.0


def lines(flush: Flush, prefix: str = "", *, dogstatsd: bool = True, derived: bool = True) -> list[str]:
    return [piece.decode() for piece in Lines(prefix, dogstatsd, derived)(flush)]


def flush_of(kind: Kind, statistic: str, values: dict[str, float]) -> Flush:
    return Flush(flushes.window(END), (block(kind, {statistic: values.values()}, values),))


def test_counters_go_as_their_counts() -> None:
    flush = Flush(flushes.window(END), (block(Kind.COUNTER, {"rate": [1.5, 0, -1], "count": [15, 0, -10]}, ["a", "b", "c"]),))
    assert lines(flush) == ["a:15|c", "c:-10|c"]


def test_a_gauge_below_zero_is_set_to_zero_first_in_the_same_packet() -> None:
    flush = flush_of(Kind.GAUGE, "value", {"a": 2.5, "b": -5.0, "c": 0.0})
    assert lines(flush) == ["a:2.5|g", "b:0|g\nb:-5|g", "c:0|g"]


def test_timers_and_sets_go_as_gauges_below_the_name() -> None:
    flush = Flush(flushes.window(END), (*flushes.gaps(END).blocks, block(Kind.SET, {"count": [3.0]}, ["s"])))
    wanted = ["contract.rest.count:0|g", "contract.work.count:2|g", "contract.work.mean:4.5|g", "s.count:3|g"]
    assert lines(flush) == wanted
    assert lines(flush, derived=False) == []


def test_numbers_that_the_wire_lacks_are_left_out() -> None:
    assert [line.split(":")[0][-1] for line in lines(flushes.extreme(END))] == ["3", "4", "5"]


@pytest.mark.parametrize(
    ("key", "dogstatsd", "graphite"),
    [
        ("a;k=v", "a:1|c|#k:v", "a;k=v:1|c"),
        ("a;k=v;x=y=z", "a:1|c|#k:v,x:y=z", "a;k=v;x=y=z:1|c"),
        ("a;bare", "a:1|c|#bare", "a;bare:1|c"),
        ("a b:c|d@e#f,g", "a_b_c_d_e_f_g:1|c", "a_b_c_d_e_f_g:1|c"),
        ("a;k=v,w", "a:1|c|#k:v_w", "a;k=v_w:1|c"),
    ],
)
def test_tags_go_behind_the_line_or_into_the_name(key: str, dogstatsd: str, graphite: str) -> None:
    flush = flush_of(Kind.COUNTER, "count", {key: 1.0})
    assert lines(flush) == [dogstatsd]
    assert lines(flush, dogstatsd=False) == [graphite]


def test_tags_follow_the_statistic_and_the_prefix_stands_first() -> None:
    flush = flush_of(Kind.TIMER, "mean", {"t;k=v": 2.0})
    assert lines(flush, prefix="edge.") == ["edge.t.mean:2|g|#k:v"]
    assert lines(flush, prefix="edge.", dogstatsd=False) == ["edge.t.mean;k=v:2|g"]


@pytest.mark.parametrize(("size", "packets"), [(1, 4), (6, 4), (7, 3), (8, 3), (9, 2), (11, 2), (18, 1)])
def test_packets_hold_whole_pieces_up_to_their_size(size: int, packets: int) -> None:
    pieces = [b"aaa", b"bbbb", b"cc", b"dddd\nd"]
    packed = list(pack(pieces, size))
    assert b"\n".join(packed) == b"\n".join(pieces)
    assert len(packed) == packets
    assert all(len(packet) <= size or packet in pieces for packet in packed)


def test_no_pieces_are_no_packets() -> None:
    assert list(pack([], 10)) == []


# -- delivery ------------------------------------------------------------------------------------------------------------


class Flaky(Datagrams):
    """Takes some parts, then refuses one, then takes all."""

    def __init__(self, takes: int) -> None:
        super().__init__(socket.socket, "flaky")
        self.sent: list[bytes] = []
        self._takes = takes

    def send(self, data: bytes) -> None:
        self._takes -= 1
        if self._takes == -1:
            message = "refused"
            raise Unavailable(message)
        self.sent.append(data)


def test_a_flush_that_is_tried_again_goes_on_where_it_stopped() -> None:
    channel = Flaky(3)
    sink = statsd.Statsd(channel, "flaky", Lines(), 100, None)
    flush = flushes.many(END, 100)
    with pytest.raises(Unavailable):
        sink.write(flush)
    assert len(channel.sent) == 3
    sink.write(flush)
    assert channel.sent == list(pack(Lines()(flush), 100))


def test_a_flush_that_was_written_is_not_sent_again_nor_after_others() -> None:
    channel = Flaky(-2)
    sink = statsd.Statsd(channel, "flaky", Lines(), 100, None)
    for end in (END, END, END + 10, END):
        sink.write(flushes.marked(end))
    assert len(channel.sent) == 2


def test_another_flush_of_the_same_window_is_sent() -> None:
    channel = Flaky(-2)
    sink = statsd.Statsd(channel, "flaky", Lines(), 100, None)
    sink.write(flushes.marked(END, 1.0))
    sink.write(flushes.marked(END, 2.0))
    assert channel.sent == [b"contract.mark:1|g", b"contract.mark:2|g"]


def test_another_flush_does_not_go_on_where_one_stopped() -> None:
    channel = Flaky(3)
    sink = statsd.Statsd(channel, "flaky", Lines(), 100, None)
    with pytest.raises(Unavailable):
        sink.write(flushes.many(END, 100))
    channel.sent.clear()
    sink.write(flushes.many(END + 10, 100))
    assert channel.sent == list(pack(Lines()(flushes.many(END + 10, 100)), 100))


def test_values_that_are_left_out_are_counted_once_the_flush_is_written() -> None:
    channel = Flaky(0)
    sink = statsd.Statsd(channel, "flaky", Lines(), 1432, 100)
    flush = flush_of(Kind.GAUGE, "value", {"a": math.nan, "b": math.inf, "c" * 200: 1.0, "d": 2.0, "e" * 200: math.nan})
    with pytest.raises(Unavailable):
        sink.write(flush)
    assert sink.left_out() == {}
    sink.write(flush)
    sink.write(flush)
    assert channel.sent == [b"d:2|g"]
    assert sink.left_out() == {statsd.NOT_FINITE: 3, statsd.TOO_LONG: 1}
    assert sink.left_out() == {}


def test_statistics_that_are_not_sent_are_not_left_out() -> None:
    channel = Flaky(-2)
    sink = statsd.Statsd(channel, "flaky", Lines(derived=False), 1432, None)
    rates = block(Kind.COUNTER, {"rate": [math.nan], "count": [1.0]}, ["a"])
    absent = Block(Kind.GAUGE, b"g", 1, (Column("value", [math.nan], b"\0"),))
    means = block(Kind.TIMER, {"mean": [math.inf]}, ["t"])
    sink.write(Flush(flushes.window(END), (rates, absent, means)))
    assert (channel.sent, sink.left_out()) == ([b"a:1|c"], {})


def test_a_line_longer_than_a_datagram_is_left_out() -> None:
    channel = Flaky(-2)
    sink = statsd.Statsd(channel, "flaky", Lines(), 1432, statsd.LONGEST)
    sink.write(flush_of(Kind.COUNTER, "count", {"a" * 70_000: 1.0, "b": 2.0}))
    assert channel.sent == [b"b:2|c"]


@pytest.fixture
def udp() -> Iterator[FakeStatsd]:
    peer = FakeStatsd("statsd", ("127.0.0.1", 0), socket.SOCK_DGRAM)
    yield peer
    peer.close()


def test_datagrams_keep_to_the_mtu(udp: FakeStatsd) -> None:
    with_mtu = registry.open(f"{udp.url}&mtu=200", "metrics")
    with_mtu.write(flushes.many(END, 500))
    assert udp.lacks(flushes.many(END, 500)) == []
    with_mtu.close()
    sizes = [len(part) for part in udp.server.inbox.parts()]
    assert max(sizes) <= 200
    assert min(sizes[:-1]) > 200 - len("contract.many.00000:500|c\n")


@pytest.mark.parametrize(
    ("options", "received"),
    [
        ("&tags=graphite", "t.mean;k=v:2|g"),
        ("&tags=dogstatsd", "t.mean:2|g|#k:v"),
        ("&prefix=edge.", "edge.t.mean:2|g|#k:v"),
    ],
)
def test_options_reach_the_lines(udp: FakeStatsd, options: str, received: str) -> None:
    sink = registry.open(udp.url + options, "metrics")
    sink.write(flush_of(Kind.TIMER, "mean", {"t;k=v": 2.0}))
    sink.close()
    assert udp.server.inbox.wait(lambda parts: [] if parts == [received.encode()] else [repr(parts)]) == []


def test_derived_series_stay_home_on_request(udp: FakeStatsd) -> None:
    sink = registry.open(f"{udp.url}&derived=false", "metrics")
    sink.write(flush_of(Kind.TIMER, "mean", {"t": 2.0}))
    sink.write(flushes.marked(END))
    sink.close()
    assert udp.lacks(flushes.marked(END)) == []
    assert len(udp.server.inbox.parts()) == 1


def test_the_default_ports_and_sockets(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="Connection refused"):
        registry.open("statsd+tcp://127.0.0.1:1", "health").check()
    with pytest.raises(Unavailable, match="No such file"):
        registry.open(f"statsd+unix://{tmp_path}/none", "health").check()
    assert target(urls.parse("statsd://host")).port == 8125


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("statsd://", "names no host; write statsd://localhost:8125"),
        ("statsd://a,b", "several hosts"),
        ("statsd://a/path", "takes no path"),
        ("statsd+tcp://a:0", "nobody listens on port 0; name the port, or none for 8125"),
        ("statsd+unix://host/path", "names no socket; write .*:///path"),
        ("statsd+unixgram://", "names no socket"),
        ("statsd+unix://me@/path", "."),
        ("statsd://a?tags=graphit", "did you mean 'graphite'"),
        ("statsd://a?mtu=0", "option mtu: 0 is below 1"),
        ("statsd://a?timeout=0s", "option timeout: 0 is below"),
    ],
)
def test_a_url_that_cannot_be_is_refused_with_the_cure(url: str, message: str) -> None:
    with pytest.raises(UrlError, match=message):
        registry.open(url, "metrics")


def test_a_refusal_that_comes_at_once_is_seen() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as reserved:
        reserved.bind(("127.0.0.1", 0))
        address = reserved.getsockname()

    def dial() -> socket.socket:
        connected = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        connected.connect(address)
        return connected

    with pytest.raises(Unavailable, match="peer: Connection refused"):
        Datagrams(dial, "peer").send(b"x")


def test_a_stream_ends_when_its_peer_closes() -> None:
    ours, theirs = socket.socketpair()
    stream = Stream(lambda: ours, "peer", 1.0)
    stream.connect()
    theirs.sendall(b"nobody asked")
    assert stream.alive()
    theirs.close()
    assert not stream.alive()


def test_a_peer_that_talks_without_end_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nilometer.backends._parts.stream.CHUNK", 1 << 10)
    monkeypatch.setattr("nilometer.backends._parts.stream.MOST_READ", 1 << 12)
    ours, theirs = socket.socketpair()
    stream = Stream(lambda: ours, "peer", 1.0)
    stream.connect()
    with theirs:
        theirs.sendall(bytes(1 << 13))
        assert not stream.alive()


@pytest.mark.parametrize(("drained", "taken"), [([3, 2, 1, 0], True), ([3, 3, 3, 3, 0], False), ([3, 2.5, 2.2, 2.1, 0], False)])
def test_a_slow_peer_is_waited_for_as_long_as_it_takes_a_chunk_in_time(
    monkeypatch: pytest.MonkeyPatch, drained: list[float], *, taken: bool
) -> None:
    ours, theirs = socket.socketpair()
    queue, now = iter([drained[0], *drained]), iter(range(100))
    monkeypatch.setattr("nilometer.backends._parts.stream._queued", lambda _: int(next(queue) * CHUNK))
    clock = SimpleNamespace(monotonic=lambda: next(now), sleep=lambda _: None)
    monkeypatch.setattr("nilometer.backends._parts.stream.time", clock)
    stream = Stream(lambda: ours, "peer", 2.0)
    with theirs:
        if taken:
            stream.send(b"x")
        else:
            with pytest.raises(Unavailable, match="no progress within 2 s"):
                stream.send(b"x")
        stream.close()
