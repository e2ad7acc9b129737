"""How the reference kernel's receiver stops while datagrams keep coming."""

from __future__ import annotations

import os
import socket
import threading
from typing import TYPE_CHECKING

from nilometer.ingest._reference import receiver as module
from nilometer.ingest._reference.receiver import LEAST_CHARGE, DatagramReceiver, udp_socket

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


class Counting:
    """A kernel that only counts; `on_feed` runs with every datagram."""

    def __init__(self, on_feed: Callable[[], object]) -> None:
        self.fed = self.dropped = 0
        self._on_feed = on_feed

    def feed_datagram(self, data: bytes, source: str, dialect: str, *, cut: bool) -> None:
        assert not cut, (data, source, dialect)
        self.fed += 1
        self._on_feed()

    def count_drops(self, number: int) -> None:
        self.dropped += number


def connected(receiver: socket.socket) -> socket.socket:
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.connect(receiver.getsockname())
    return sender


def on_stop(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Run `act` as soon as a receiver was told to stop."""
    write = os.eventfd_write

    def told(wake: int, value: int) -> None:
        write(wake, value)
        act()

    monkeypatch.setattr(os, "eventfd_write", told)


def held_until_stop(
    monkeypatch: pytest.MonkeyPatch, bound: socket.socket
) -> tuple[Counting, DatagramReceiver, threading.Event]:
    """Return a kernel that, once the event says that it is fed, hangs until its receiver is told to stop."""
    started, told = threading.Event(), threading.Event()

    def hold() -> None:
        started.set()
        assert told.wait(10)

    kernel = Counting(hold)
    receiver = DatagramReceiver(kernel, bound, "statsd")
    on_stop(monkeypatch, told.set)
    return kernel, receiver, started


def test_it_stops_though_every_datagram_brings_another(monkeypatch: pytest.MonkeyPatch) -> None:
    bound = udp_socket("127.0.0.1", 0, 65536)
    with connected(bound) as sender:
        started, told, after = threading.Event(), threading.Event(), []

        def again() -> None:
            sender.send(b"a:1|c")
            started.set()
            if told.is_set():
                after.append(1)

        kernel = Counting(again)
        receiver = DatagramReceiver(kernel, bound, "statsd")
        on_stop(monkeypatch, told.set)
        sender.send(b"a:1|c")
        assert started.wait(10)
        receiver.stop()
    assert len(after) <= receiver.buffer_bytes // LEAST_CHARGE


def test_what_it_has_no_time_to_count_is_told_of_as_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST", 0.0)
    bound = udp_socket("127.0.0.1", 0, 65536)
    kernel, receiver, started = held_until_stop(monkeypatch, bound)
    with connected(bound) as sender:
        for _ in range(10):
            sender.send(b"a:1|c")
        assert started.wait(10)
        receiver.stop()
    assert (kernel.fed, kernel.dropped) == (1, 9)


def test_all_that_waits_when_it_stops_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    bound = udp_socket("127.0.0.1", 0, 1 << 20)
    kernel, receiver, started = held_until_stop(monkeypatch, bound)
    with connected(bound) as sender:
        for size in (5, 1, 1400, 9000, 0, 60, 512) * 4:
            sender.send(b"x" * size)
        assert started.wait(10)
        receiver.stop()
    assert (kernel.fed, kernel.dropped) == (28, 0)
