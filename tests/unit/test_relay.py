"""What comes in is forwarded as it is, over real sockets. Each test runs over both kernels."""

from __future__ import annotations

import logging
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from nilometer.core.errors import UrlError
from nilometer.core.losses import Losses
from nilometer.core.url import parse
from nilometer.ingest.relay import relay as relays
from nilometer.ingest.relay.health import fault
from nilometer.ingest.relay.relay import Forwarding, Relay
from nilometer.ingest.relay.targets import Target, targets
from nilometer.testing._server import Server
from nilometer.testing.ports import free_port
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nilometer.ingest.kernel import Kernel

    Start = Callable[..., Relay]
    Serve = Callable[..., Server]

HOME = "127.0.0.1"


@pytest.fixture
def losses() -> Losses:
    return Losses()


@pytest.fixture
def start(kernel: Kernel, losses: Losses) -> Iterator[Start]:
    started: list[Relay] = []

    def begin(*to: Target, **options: float) -> Relay:
        started.append(Relay(Forwarding(to, **options), kernel, losses))  # type: ignore[arg-type]  # by name
        return started[-1]

    yield begin
    for relay in started:
        relay.close(1)


@pytest.fixture
def serve() -> Iterator[Serve]:
    served: list[Server] = []

    def begin(kind: socket.SocketKind = socket.SOCK_DGRAM) -> Server:
        served.append(Server((HOME, 0), kind))
        return served[-1]

    yield begin
    for server in served:
        server.leave()


def to(server: Server, **options: int) -> Target:
    return Target(server._kind == socket.SOCK_STREAM, HOME, server.port, **options)


def receive(kernel: Kernel, *datagrams: bytes) -> None:
    """Send a kernel datagrams and wait until it has them."""
    receiver = kernel.receive_udp(HOME, 0, buffer_bytes=1 << 18, threads=1, dialect="statsd")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for data in datagrams:
            sender.sendto(data, (HOME, int(receiver.address.rpartition(":")[2])))
    receiver.stop()


def lost(relay: Relay, losses: Losses) -> dict[str, int]:
    relay.tend()
    return {reason: n for (stage, reason), n in losses.totals().items() if stage == "relay" and n}


def arrived(server: Server, parts: list[bytes]) -> None:
    until(lambda: server.inbox.parts() == parts, f"{parts} arrived", told=lambda: str(server.inbox.parts()))


def test_datagrams_arrive_as_they_were_bad_ones_too(kernel: Kernel, start: Start, serve: Serve) -> None:
    one, two, packets = serve(), serve(), [b"foobar", b"a:1|c\nb:2|c", b"x\r\n", b"\xff:1|c", b"l" * 60_000]
    relay = start(to(one), to(two))
    receive(kernel, *packets)
    arrived(one, packets)
    arrived(two, packets)
    assert [(each.sent, each.bytes, each.lost, each.up) for each in relay.statuses()] == [
        (5, sum(map(len, packets)), 0, True)
    ] * 2
    assert kernel.flush(1).tally.lines == 6


def test_a_stream_gets_each_packet_with_a_newline(kernel: Kernel, start: Start, serve: Serve) -> None:
    server = serve(socket.SOCK_STREAM)
    start(to(server))
    receive(kernel, b"foobar", b"a:1|c\nb:2|c", b"x\n")
    arrived(server, [b"foobar\na:1|c\nb:2|c\nx\n\n"])


def test_lines_of_a_stream_go_in_datagrams_that_fit(kernel: Kernel, start: Start, serve: Serve) -> None:
    server, data = serve(), b"".join(b"name%d:1|c\n" % number for number in range(1000))
    start(to(server))
    kernel.feed(data)
    until(lambda: b"".join(server.inbox.parts()) == data, "all lines arrived")
    assert max(map(len, server.inbox.parts())) <= 1432
    assert all(part.endswith(b"\n") for part in server.inbox.parts())


def test_a_stream_that_was_away_gets_what_waited(kernel: Kernel, start: Start, serve: Serve, losses: Losses) -> None:
    server = serve(socket.SOCK_STREAM)
    server.leave()
    relay = start(to(server))
    receive(kernel, b"a:1|c")
    until(lambda: relay.statuses()[0].error, "the relay sees that its target is away")
    assert relay.statuses()[0][2:4] == (0, 0)
    assert relay.statuses()[0].queue == len("a:1|c\n")
    server.come_back()
    arrived(server, [b"a:1|c\n"])
    until(lambda: relay.statuses()[0].queue == 0, "nothing waits")
    assert relay.statuses()[0][2:5] == (1, len("a:1|c\n"), 0)
    server.leave()
    server.inbox.clear()
    server.come_back()
    receive(kernel, b"b:1|c")
    arrived(server, [b"b:1|c\n"])
    assert (relay.statuses()[0].up, lost(relay, losses)) == (True, {})


def test_what_a_stream_cannot_take_is_counted(kernel: Kernel, start: Start, losses: Losses) -> None:
    with socket.socket() as held:  # a port that nobody else takes, and nobody listens on
        held.bind((HOME, 0))
        relay = start(Target(stream=True, host=HOME, port=held.getsockname()[1]), queue=1000)
        receive(kernel, *[b"x" * 99] * 20)
        began = time.monotonic()
        relay.close(60)
    assert time.monotonic() - began < 20  # a target that is away is not waited for
    found, status = lost(relay, losses), relay.statuses()[0]
    assert sum(found.values()) == 20
    assert (status.lost, status.sent, status.queue) == (found.get("away", 0), 0, 0)
    assert set(found) <= {"away", "queue"}


def test_a_refusal_is_counted(kernel: Kernel, start: Start, losses: Losses) -> None:
    relay = start(Target(stream=False, host=HOME, port=free_port(socket.SOCK_DGRAM)))
    for _ in range(3):
        receive(kernel, b"a:1|c")
    until(lambda: lost(relay, losses).get("refused", 0) >= 2, "refusals are counted", told=lambda: str(relay.statuses()))
    status = relay.statuses()[0]
    assert (status.sent + status.lost, status.queue) == (3, 0)


def test_an_unknown_name_is_told_and_counted(kernel: Kernel, start: Start, losses: Losses) -> None:
    relay = start(Target(stream=False, host="nowhere.invalid", port=8125))
    receive(kernel, b"a:1|c")
    until(lambda: lost(relay, losses) == {"away": 1}, "the packet is counted")
    status = relay.statuses()[0]
    assert not status.up
    assert "nowhere.invalid" in status.error


def test_a_target_leaves_the_ring_and_comes_back(
    kernel: Kernel, start: Start, serve: Serve, losses: Losses, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    admin, server = Server((HOME, 0), socket.SOCK_STREAM), serve()
    admin.leave()
    relay = start(to(server, admin=admin.port), ring=True, check_interval=0.2)
    until(lambda: not relay.statuses()[0].up, "the target left")
    receive(kernel, b"a:1|c\nb:1|c")
    until(lambda: lost(relay, losses) == {"no_target": 2}, "lines without a target are counted")
    assert "2 packets were not forwarded: no target is well" in caplog.text
    with socket.create_server((HOME, admin.port)) as listener:
        while not relay.statuses()[0].up:
            link, _ = listener.accept()
            with link:
                assert link.recv(100) == b"health\r\n"
                link.sendall(b"health: up\n")
                link.recv(1)
    receive(kernel, b"a:1|c\nb:1|c\n")
    arrived(server, [b"a:1|c", b"b:1|c"])
    until(lambda: "is back on the ring" in caplog.text, "it is told")


@pytest.mark.parametrize(("answer", "well"), [(b"health: up\n", True), (b"health: down\n", False), (b"", False)])
def test_a_server_is_well_when_its_answer_says_up(answer: bytes, *, well: bool) -> None:
    with socket.create_server((HOME, 0)) as listener:
        listener.settimeout(10)
        port = int(listener.getsockname()[1])

        def reply() -> None:
            link, _ = listener.accept()
            with link:
                link.recv(100)
                link.sendall(answer)

        thread = threading.Thread(target=reply)
        thread.start()
        assert (not fault(HOME, port, 5)) is well
        thread.join()


def test_a_silent_server_is_not_well() -> None:
    with socket.create_server((HOME, 0)) as listener:
        assert "timed out" in fault(HOME, int(listener.getsockname()[1]), 0.05)


def test_losses_are_told_now_and_then(
    kernel: Kernel, start: Start, losses: Losses, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(relays, "QUIET", 3600.0)
    caplog.set_level(logging.WARNING)
    relay = start(ring=True)
    for number in range(1, 4):
        kernel.feed(b"a:1|c\n")
        until(lambda number=number: lost(relay, losses) == {"no_target": number}, "the line is counted")  # type: ignore[misc]
    assert [record.message for record in caplog.records] == ["1 packets were not forwarded: no target is well"]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://a", "known are udp:// and tcp://"),
        ("udp://", "names no host"),
        ("udp://a:0", "port 0"),
        ("udp://a?admin=70000", "is no port"),
        ("udp://a?weight=0", "below"),
        ("udp://a?wait=1", "unknown option"),
        ("udp://a?family=ipv5", "option family: 'ipv5' is none of"),
    ],
)
def test_what_cannot_be_forwarded_to_is_refused(url: str, reason: str) -> None:
    with pytest.raises(UrlError, match=reason):
        targets([parse(url)])


def test_targets_have_names_as_the_ring_has_them() -> None:
    found = targets([parse(text) for text in ("udp://a", "tcp://[::1]:1?admin=2&weight=3", "udp://a:8125")])
    assert found == (Target(stream=False, host="a", port=8125), Target(stream=True, host="::1", port=1, admin=2, weight=3))
    assert [str(each) for each in found] == ["udp://a:8125", "tcp://[::1]:1"]
    assert found[1].address() == "[::1]:1"


def test_a_name_may_have_to_be_of_one_family() -> None:
    four, six = targets([parse("udp://127.0.0.1:1?family=ipv4"), parse("udp://127.0.0.1:2?family=ipv6")])
    assert four.address() == "127.0.0.1:1"
    with pytest.raises(socket.gaierror):
        six.address()
