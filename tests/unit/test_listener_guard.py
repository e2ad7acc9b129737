"""Who may send: networks and signed datagrams, over real sockets. Tests that ask for `kernel` run over both kernels."""

from __future__ import annotations

import logging
import socket
import time
from typing import TYPE_CHECKING

import pytest

from nilometer.core.errors import ConfigError, UrlError
from nilometer.core.losses import Losses
from nilometer.core.url import parse
from nilometer.ingest._reference.guard import Gate
from nilometer.ingest.guard import OPEN, STAMP, Guard, Signer, digest, holds, networks, read_key
from nilometer.ingest.listener_urls import check
from nilometer.ingest.listeners import Listeners
from nilometer.ingest.refusals import Refusals
from nilometer.testing.kernels import text_of
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from nilometer.ingest.kernel import Kernel
    from nilometer.ingest.listeners import Listener

URL = parse("udp://:8125")
KEY = b"0123456789abcdef"


def signed(lines: bytes, late: int = 0, key: bytes = KEY, nonce: int = 1) -> bytes:
    rest = STAMP.pack(int(time.time()) - late, nonce) + lines
    return digest(key, rest) + rest


def received(kernel: Kernel, guard: Guard, *datagrams: bytes, rekey: bytes = b"") -> tuple[str, dict[str, int]]:
    """Send datagrams; return the count of ``a``, and the refusals."""
    receiver = kernel.receive_udp("127.0.0.1", 0, buffer_bytes=1 << 18, threads=1, dialect="statsd", guard=guard)
    if rekey:
        receiver.rekey(rekey)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", int(receiver.address.rpartition(":")[2])))
        for data in datagrams:
            sender.send(data)
        name = f"127.0.0.1:{sender.getsockname()[1]}"
    receiver.stop()
    refused = receiver.refused()
    assert all(source == name for _, _, source in refused)
    assert receiver.refused() == []
    return text_of(kernel.flush(1)).get("counters.a.count", "0"), {reason: number for reason, number, _ in refused}


@pytest.mark.parametrize(
    ("allow", "admitted"), [("", True), ("127.0.0.0/8", True), ("::1,127.0.0.1", True), ("10.0.0.0/8,::/0", False)]
)
def test_only_who_is_in_the_networks_may_send(kernel: Kernel, allow: str, *, admitted: bool) -> None:
    found = received(kernel, Guard(networks(URL, allow)), b"a:1|c", b"bad")
    assert found == (("1", {}) if admitted else ("0", {"address": 2}))


def test_an_ipv4_sender_is_one_on_an_ipv6_socket_too(kernel: Kernel) -> None:
    guard = Guard(networks(URL, "127.0.0.0/8"))
    receiver = kernel.receive_udp("::", 0, buffer_bytes=1 << 18, threads=1, dialect="statsd", guard=guard)
    port = int(receiver.address.rpartition(":")[2])
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"a:1|c", (host, port))
    receiver.stop()
    assert text_of(kernel.flush(1))["counters.a.count"] == "1"
    assert [(reason, number) for reason, number, _ in receiver.refused()] == [("address", 1)]


def test_signed_datagrams_are_taken_once_and_in_time(kernel: Kernel) -> None:
    once = signed(b"a:1|c\na:2|c", nonce=7)
    found = received(
        kernel,
        Guard(key=KEY, window=10),
        once,
        once,
        signed(b"a:10|c", late=5),
        signed(b"a:100|c", late=-5),
        signed(b"a:1000|c", late=20),
        signed(b"a:1000|c", late=-20),
        signed(b"a:1000|c", key=KEY[::-1]),
        once[:-1],
        once[:43],
        b"a:1000|c",
        b"",
    )
    assert found == ("113", {"signature": 5, "time": 2, "replayed": 1})


def test_what_cannot_be_remembered_is_refused(kernel: Kernel) -> None:
    guard = Guard(key=KEY, remembered=2)
    assert received(kernel, guard, *(signed(b"a:1|c", nonce=each) for each in range(5))) == ("2", {"full": 3})


def test_a_key_can_be_replaced(kernel: Kernel) -> None:
    new = b"fedcba9876543210"
    assert received(kernel, Guard(key=KEY), signed(b"a:1|c"), signed(b"a:2|c", key=new), rekey=new) == ("2", {"signature": 1})
    assert received(kernel, OPEN, b"a:4|c", rekey=new) == ("4", {})


def test_signed_datagrams_of_a_unix_socket_are_checked_too(kernel: Kernel, tmp_path: Path) -> None:
    file, losses = tmp_path / "key", Losses()
    file.write_bytes(KEY)
    listeners = Listeners(kernel, losses, max_line=100, connections=1)
    listener = listeners.open(parse(f"unixgram://{tmp_path}/s?hmac_key_file={file}"))
    new, once = b"fedcba9876543210", signed(b"a:1|c")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(f"{tmp_path}/s")
        for data in (once, once, b"a:10|c", signed(b"a:10|c", key=new)):
            sender.send(data)
        until(lambda: _refused(listener, listeners, losses) == {"replayed": 1, "signature": 2}, "all are looked at")
        file.write_bytes(new)
        listener.renew()()
        sender.send(signed(b"a:100|c", key=new))
    listener.stop()
    assert text_of(kernel.flush(1))["counters.a.count"] == "101"


def _refused(listener: Listener, listeners: Listeners, losses: Losses) -> dict[str, int]:
    listener.count_refused(listeners.refusals)
    return {reason: number for (stage, reason), number in losses.totals().items() if stage == "listener" and number}


def test_the_relay_gets_what_is_let_in_without_its_envelope(kernel: Kernel) -> None:
    router = kernel.relay([True], ring=False, queue_bytes=1 << 16)
    received(kernel, Guard(key=KEY), signed(b"a:1|c"), b"b:1|c")
    router.stop()
    assert router.take(0, 0) == (b"a:1|c\n", 1)


def test_the_reference_forgets_what_has_left_the_window() -> None:
    now = [1000.0]
    gate, signer = Gate(Guard(key=KEY, window=10, remembered=1), lambda: now[0]), Signer(KEY)
    data = signer.sign(b"a", now[0])
    taken = [gate.admit(data, "", ""), gate.admit(data, "", ""), gate.admit(signer.sign(b"b", now[0]), "", "")]
    now[0] += 11
    taken += [gate.admit(data, "", ""), gate.admit(signer.sign(b"c", now[0]), "", "")]
    assert taken == [b"a", None, None, None, b"c"]
    assert gate.refused() == [("time", 1, ""), ("replayed", 1, ""), ("full", 1, "")]


def test_a_signature_is_that_of_rfc_4231() -> None:
    assert digest(b"\x0b" * 20, b"Hi There").hex() == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"


def test_networks_hold_their_addresses() -> None:
    found = networks(URL, "10.0.0.0/8, 2001:db8::/32")
    hosts = ("10.9.9.9", "::ffff:10.0.0.1", "2001:db8::1", "11.0.0.1", "fe80::1%eth0")
    assert [holds(found, host) for host in hosts] == [True, True, True, False, False]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("udp://?allow=10.0.0.0/33", "write networks such as 10.0.0.0/8"),
        ("udp://?allow=10.0.0.1/8", "has host bits set"),
        ("tcp://?allow=localhost", "write networks such as"),
        ("udp://?hmac_window=0", "hmac_window"),
        ("udp://?hmac_remembered=0", "hmac_remembered: 0 is not between"),
        ("unixgram:///s?hmac_window=0", "hmac_window"),
        ("unix:///s?allow=10.0.0.0/8", "option allow: who writes to a Unix socket has no address; the mode of its file"),
        ("unixgram:///s?allow=::1", "option allow: who writes to a Unix socket has no address; the mode of its file"),
        ("unix:///s?hmac_key_file=k", "option hmac_key_file: only datagrams are signed"),
        ("tcp://?hmac_window=5s", "option hmac_window: only datagrams are signed; for TCP, let in clients with a certificate"),
        ("tcp+tls://", "option cert is missing"),
    ],
)
def test_wrong_options_are_refused(text: str, says: str) -> None:
    with pytest.raises(UrlError, match=says):
        check(parse(text))


@pytest.mark.parametrize(
    ("data", "says"), [(None, "No such file"), (b"short\n", "openssl rand"), (b"x" * 5000, "openssl rand")]
)
def test_a_key_that_is_none_is_refused(kernel: Kernel, tmp_path: Path, data: bytes | None, says: str) -> None:
    file = tmp_path / "key"
    if data is not None:
        file.write_bytes(data)
    listeners = Listeners(kernel, Losses(), max_line=100, connections=1)
    with pytest.raises(ConfigError, match=says) as error:
        listeners.open(parse(f"udp://127.0.0.1:0?hmac_key_file={file}"))
    assert "xxxx" not in str(error.value)


def test_a_key_is_the_first_line_of_its_file_and_is_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(KEY + b"\r\nmore")
    assert read_key(str(file)) == KEY
    assert "0123" not in repr(Guard(key=read_key(str(file))))


def test_refusals_are_told_at_a_bounded_rate(caplog: pytest.LogCaptureFixture) -> None:
    losses = Losses()
    refusals = Refusals(losses)
    caplog.set_level(logging.WARNING)
    for _ in range(100):
        refusals.count("udp://:1", "address", 2, "evil\x1b[m:1")
    refusals.count("udp://:1", "replayed", 1, "b")
    assert [record.getMessage().partition(":")[2] for record in caplog.records] == [
        "//:1: refused 2, one from evil\\x1b[m:1: outside the listener's networks (allow)",
        "//:1: refused 1, one from b: a signed datagram that came before",
    ]
    assert (losses.totals()["listener", "address"], losses.totals()["listener", "replayed"]) == (200, 1)
