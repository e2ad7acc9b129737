"""statsd's log of the most frequent keys."""

from __future__ import annotations

import inspect
import socket
import time
from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest

from nilometer.core.quantity import Duration
from nilometer.core.sections import KeyflushSection
from nilometer.ingest import keyflush
from nilometer.ingest.guard import Guard
from nilometer.ingest.kernel import Kernel
from nilometer.ingest.keyflush import CountingKernel, KeyCounter, KeyFlusher, js_date
from nilometer.testing import kernels
from nilometer.testing.clock import ManualClock
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nilometer.ingest.kernel import Tally

SECOND = Duration(1)
DATE = "Sat Sep 08 2001 21:46:40 GMT-0400 (EDT)"


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def keys(*datagrams: bytes, sanitize: bool = True) -> list[tuple[str, int]]:
    counter = KeyCounter(sanitize=sanitize)
    for data in datagrams:
        counter.count(data)
    counted, beyond = counter.take()
    assert counter.take() == ([], 0)
    assert not beyond
    return counted


def test_lines_are_counted_by_key_bad_ones_too() -> None:
    assert keys(b"b:1|c:2|c\n\na\n", b"a:x\nc d:1|c\nc/d:1|c\nc_d") == [("a", 2), ("c_d", 2), ("b", 1), ("c-d", 1)]


def test_tags_belong_to_the_key() -> None:
    assert keys(b"a:1|c|#x:1,y;z:2|#w\na:1|c|#\na|#x") == [("a;x=1;y_z=2", 1), ("a", 1), ("a;x", 1)]


def test_keys_stay_as_they_are_when_nothing_is_cleaned() -> None:
    assert keys(b"a b/\xff:1|c", sanitize=False) == [("a b/\ufffd", 1)]


def test_a_share_of_the_keys_goes_to_the_file(tmp_path: Path) -> None:
    flusher = KeyFlusher(KeyflushSection(SECOND, 50, str(tmp_path / "keys.log")), sanitize=True, clock=ManualClock())
    kernel = flusher.around(kernels.make("reference"))
    for text in (b"a:1|c\nb:1|c\nb:1|c\nc:1|c", b"d:1|c"):
        kernel.feed(text)
        flusher.write()
    assert (tmp_path / "keys.log").read_text().splitlines() == [
        f"{DATE} count=2 key=b",
        f"{DATE} count=1 key=a",
        f"{DATE} count=1 key=d",
    ]


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    KeyFlusher(KeyflushSection(SECOND, 100, str(tmp_path)), sanitize=True).write()
    assert f"keyFlush: {tmp_path} cannot be written" in caplog.text


def test_it_writes_at_each_interval(capsys: pytest.CaptureFixture[str]) -> None:
    flusher = KeyFlusher(KeyflushSection(Duration(0.02)), sanitize=True)
    kernel = flusher.around(kernels.make("reference"))
    kernel.feed(b"a:1|c")
    flusher.start()
    shown: list[str] = []

    def seen(key: str) -> bool:
        shown.append(capsys.readouterr().out)
        return f"key={key}" in "".join(shown)

    until(lambda: seen("a"), "the first interval is over")
    kernel.feed(b"z:1|c")
    until(lambda: seen("z"), "another one is over")
    flusher.stop()
    assert "".join(shown).count("\n") == 2


def test_keys_beyond_the_bound_are_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(keyflush, "MOST_KEYS", 2)
    flusher = KeyFlusher(KeyflushSection(SECOND), sanitize=True)
    flusher.around(kernels.make("reference")).feed(b"a\nb\nc\na\nc")
    flusher.write()
    assert "2 lines had keys beyond the first 2" in caplog.text


@pytest.mark.parametrize("name", kernels.NAMES)
def test_datagrams_reach_both(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    flusher = KeyFlusher(KeyflushSection(SECOND), sanitize=True)
    kernel = flusher.around(kernels.make(name))
    receiver = kernel.receive_udp("127.0.0.1", 0, buffer_bytes=1 << 20, threads=2, dialect="statsd")
    host, _, port = receiver.address.rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"a:1|c\nbad", (host, int(port)))
    receiver.stop()
    tally: Tally = kernel.flush(1.0).tally
    flusher.write()
    assert (tally.lines, tally.bad_lines) == (2, 1)
    assert [line.rpartition(" count=")[2] for line in capsys.readouterr().out.splitlines()] == ["1 key=a", "1 key=bad"]


@pytest.mark.parametrize("name", kernels.NAMES)
def test_a_datagram_that_was_cut_and_drops_are_told(name: str) -> None:
    flusher = KeyFlusher(KeyflushSection(SECOND), sanitize=True)
    kernel = keyflush.CountingKernel(kernels.make(name), KeyCounter(sanitize=True))
    assert flusher.around(kernels.make(name)).name == name
    kernel.feed_datagram(b"a:1|c\nb:1", "/x", "statsd", cut=True)
    kernel.count_drops(3)
    tally = kernel.flush(1.0).tally
    assert (tally.lines, tally.bad_lines, tally.kernel_drops) == (2, 1, 3)


@pytest.mark.parametrize("name", ["feed", "receive_udp", "receive_unix", "flush"])
def test_it_takes_what_every_kernel_takes(name: str) -> None:
    contract, counting = (inspect.signature(getattr(kind, name)).parameters for kind in (Kernel, CountingKernel))
    assert [(each.name, each.kind, each.default) for each in counting.values()] == [
        (each.name, each.kind, each.default) for each in contract.values()
    ]


def test_a_guard_is_asked_first() -> None:
    kernel = KeyFlusher(KeyflushSection(SECOND), sanitize=True).around(kernels.make("reference"))
    elsewhere = Guard(networks=(ip_network("192.0.2.0/24"),))
    receiver = kernel.receive_udp("127.0.0.1", 0, buffer_bytes=1 << 20, threads=1, dialect="statsd", guard=elsewhere)
    host, _, port = receiver.address.rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"a:1|c", (host, int(port)))
    receiver.stop()
    assert kernel.flush(1.0).tally.lines == 0


def test_dates_are_those_of_javascript(monkeypatch: pytest.MonkeyPatch) -> None:
    assert js_date(1_000_000_000.0) == DATE
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    assert js_date(1_000_000_000.0) == "Sun Sep 09 2001 01:46:40 GMT+0000 (Coordinated Universal Time)"
