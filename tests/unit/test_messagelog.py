"""Lines are copied as they come in, and logged. Tests that ask for `kernel` run over both kernels, over real sockets."""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING

import pytest

from nilometer.ingest import messagelog
from nilometer.ingest.keyflush import CountingKernel, KeyCounter
from nilometer.ingest.messagelog import SHOWN, MessageLog, shown
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from nilometer.ingest.kernel import Kernel

BIG = 1 << 20


@pytest.fixture(autouse=True)
def level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def received(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == messagelog.__name__]


def test_lines_of_all_listeners_are_logged_bad_ones_too(
    kernel: Kernel, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log, path = MessageLog(kernel), str(tmp_path / "s")
    log.change(wanted=True)
    receivers = [
        kernel.receive_udp("127.0.0.1", 0, buffer_bytes=BIG, threads=1, dialect="statsd"),
        kernel.receive_unix(path, buffer_bytes=BIG, dialect="statsd"),
    ]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"a:1|c\n\nnothing", ("127.0.0.1", int(receivers[0].address.rpartition(":")[2])))
    receivers[0].stop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"b:1|c", path)
    receivers[1].stop()
    kernel.feed(b"c:1|c\r\n\x1b[31m:1|c\n")
    log.change(wanted=False)
    kernel.feed(b"after:1|c")

    lines = ["a:1|c", "nothing", "b:1|c", "c:1|c\\r", "\\x1b[31m:1|c"]
    assert received(caplog) == [f"received: {line}" for line in lines]
    assert kernel.flush(1).tally.lines == 6


def test_in_statsd_s_place_they_look_as_its_own_do(kernel: Kernel, caplog: pytest.LogCaptureFixture) -> None:
    log = MessageLog(kernel, statsd=True)
    for _ in range(2):  # it can begin again
        log.change(wanted=True)
        log.change(wanted=True)
        kernel.feed(b"a:1|c")
        log.change(wanted=False)
        log.change(wanted=False)
    assert received(caplog) == ["DEBUG: a:1|c"] * 2


def test_a_log_that_shows_less_is_spared_them(kernel: Kernel, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    log = MessageLog(kernel)
    log.change(wanted=True)
    caplog.set_level(logging.INFO)
    kernel.feed(b"a:1|c")
    log.change(wanted=False)
    assert received(caplog) == []


def test_ingest_never_waits_and_what_does_not_fit_is_counted(kernel: Kernel) -> None:
    tap = kernel.tap(60)
    for _ in range(20):
        kernel.feed(b"a:1|c\nb:1|c\n")
    assert (tap.take(0), tap.missed()) == (b"a:1|c\nb:1|c\n" * 5, 30)
    tap.stop()
    kernel.feed(b"a:1|c")
    assert (tap.take(0), tap.missed()) == (None, 30)


def test_what_is_not_shown_is_told_meanwhile_and_in_the_end(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(messagelog, "QUEUE", 5)
    monkeypatch.setattr(messagelog, "PATIENCE", 0.02)
    log = MessageLog(kernel)
    log.change(wanted=True)
    kernel.feed(b"long:1|c")
    until(lambda: received(caplog), "it is told")
    kernel.feed(b"long:1|c\nlong:2|c")
    log.change(wanted=False)
    assert "".join(received(caplog)).count("which came in faster than they can be logged") == len(received(caplog))
    assert sum(int(text.split()[2]) for text in received(caplog)) == 3


def test_lines_are_logged_where_keys_are_counted_too(kernel: Kernel, caplog: pytest.LogCaptureFixture) -> None:
    log = MessageLog(kernel)
    log.change(wanted=True)
    CountingKernel(kernel, KeyCounter(sanitize=True)).feed_datagram(b"a:1|c", "", "statsd", cut=False)
    log.change(wanted=False)
    assert received(caplog) == ["received: a:1|c"]


def test_a_long_line_is_cut() -> None:
    assert shown(b"x" * SHOWN) == "x" * SHOWN
    assert shown(b"x" * (SHOWN + 1)) == "x" * SHOWN + f"… ({SHOWN + 1} bytes)"
    assert shown("é".encode() + b"\xff") == "é\ufffd"
