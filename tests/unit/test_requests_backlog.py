"""The queues of listening sockets: what the kernel tells, who tells of it, under which names."""

from __future__ import annotations

import os
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from nilometer.emit.requests import backlog, listeners
from nilometer.emit.requests.backlog import Backlog
from nilometer.emit.requests.listeners import Listener
from nilometer.emit.requests.options import Options
from nilometer.emit.requests.report import Reporter
from nilometer.testing.recorder import Recorder
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def refuse(reason: str, error: BaseException) -> None:
    raise AssertionError(reason) from error


def of(recorder: Recorder, **options: object) -> Backlog:
    return Backlog(Options(**{"client": recorder, "host": "n1", "backlog": 1, **options}), recorder, refuse)  # type: ignore[arg-type]  # Options checks them


@pytest.fixture
def port() -> Iterator[int]:
    """Listen, with two connections that nobody accepts."""
    with socket.create_server(("127.0.0.1", 0), backlog=5) as server:
        address = server.getsockname()
        with socket.create_connection(address), socket.create_connection(address):
            yield address[1]


def test_the_kernel_tells_of_ports_and_paths(port: int, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(str(tmp_path / "s"))
        server.listen(3)
        client.connect(str(tmp_path / "s"))
        inode = os.fstat(server.fileno()).st_ino
        everyone = listeners.everyone()
        assert inode in listeners.own_inodes()
    assert Listener(str(tmp_path / "s"), inode, 1, 3) in everyone
    assert [(each.queued, each.most) for each in everyone if each.name == str(port)] == [(2, 5)]


def test_sockets_that_share_a_port_are_summed() -> None:
    found = [Listener("80", 1, 2, 10), Listener("80", 2, 3, 10), Listener("81", 3, 1, 1)]
    assert listeners.queues(found, frozenset({"80", "82"})) == {"80": (5, 20)}


def test_where_the_kernel_tells_nothing_there_is_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(listeners, "NETLINK_SOCK_DIAG", 31)
    monkeypatch.setattr(listeners, "NETSTAT", tmp_path / "missing")
    monkeypatch.setattr(listeners, "DESCRIPTORS", tmp_path / "missing")
    assert (listeners.everyone(), listeners.overflows(), listeners.own_inodes()) == ([], None, frozenset())
    monkeypatch.delattr(socket, "AF_NETLINK")
    assert listeners.everyone() == []


def test_refused_connections_are_counted_by_the_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netstat = tmp_path / "netstat"
    netstat.write_text("TcpExt: A ListenOverflows ListenDrops\nTcpExt: 1 2 3\nIpExt: B\nIpExt: 4\n")
    monkeypatch.setattr(listeners, "NETSTAT", netstat)
    assert listeners.overflows() == (2, 3)
    netstat.write_text("TcpExt: A\nTcpExt: 1\n")
    assert listeners.overflows() is None


def test_the_longest_queue_since_the_last_line_is_told(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder()
    watch = of(recorder)
    counts = iter([(5, 5), (7, 9), (7, 9)])
    monkeypatch.setattr(listeners, "overflows", lambda: next(counts))
    watch.tell()
    watch.look()
    inode = next(each.inode for each in listeners.everyone() if each.name == str(port))
    monkeypatch.setattr(listeners, "everyone", lambda: [Listener(str(port), inode, 1, 5)])
    watch.look()
    assert recorder.lines == []
    for _ in range(3):
        watch.tell()
        watch.look()
    wanted = [(f"backlog.{port}", 2), (f"backlog_limit.{port}", 5), (f"backlog.{port}", 1), (f"backlog_limit.{port}", 5)]
    wanted += [("listen_overflows", 2), ("listen_drops", 4), (f"backlog.{port}", 1), (f"backlog_limit.{port}", 5)]
    lines = [(line.stat.removeprefix("n1.mdb.req."), line.value) for line in recorder.lines]
    assert [line for line in lines if str(port) in line[0] or "listen" in line[0]] == wanted
    watch.stop()


def test_one_of_several_tells_and_the_next_takes_over(port: int) -> None:
    first, second = Recorder(), Recorder()
    teller, other = of(first, style="tagged"), of(second, style="tagged")
    for each in (teller, other, teller, other):
        each.tell()
        each.look()
    teller.tell()
    other.tell()
    assert second.lines == []
    found = next(line for line in first.lines if line.tags["listener"] == str(port) and line.stat == "request.backlog")
    assert (found.kind, found.value, found.tags) == ("g", 2, {"host": "n1", "listener": str(port)})
    teller.stop()
    other.tell()
    other.look()
    other.tell()
    assert "request.backlog" in second.stats()
    other.stop()


def test_a_thread_runs_in_each_process_that_has_requests(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "PAUSE", 0.01)
    recorder = Recorder()
    reporter = Reporter(Options(client=recorder, host="", backlog=0.02), lambda _: None)
    assert reporter.wanted("/")
    assert reporter.wanted("/")
    until(lambda: f"mdb.req.backlog.{port}" in recorder.stats(), "the backlog is told of")
    watch = reporter._backlog
    assert watch is not None
    process, watch._process = watch._process, -1  # as in a process that was forked
    before = len(recorder.lines)
    watch.ensure()
    assert watch._process == process
    until(lambda: len(recorder.lines) > before, "the next thread tells")
    watch.stop()
    assert reporter.losses() == {}


def test_of_many_first_requests_one_starts_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = of(Recorder())
    started: list[int] = []
    together = threading.Barrier(8)
    monkeypatch.setattr(watch, "_run", started.append)

    def request() -> None:
        together.wait()
        watch.ensure()

    threads = [threading.Thread(target=request) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: started, "the thread has started")
    watch.ensure()
    assert started == [os.getpid()]


def test_where_no_thread_can_start_that_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(_: object) -> None:
        message = "can't start new thread"
        raise RuntimeError(message)

    monkeypatch.setattr(threading.Thread, "start", refuses)
    reporter = Reporter(Options(client=Recorder(), backlog=1), lambda _: None)
    assert reporter.wanted("/")
    assert reporter.wanted("/")
    assert reporter.losses() == {"backlog": 1}


def test_a_fault_is_counted_and_the_next_look_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "PAUSE", 0.01)
    monkeypatch.setattr(listeners, "own_inodes", lambda: 1 / 0)
    reporter = Reporter(Options(client=Recorder(), backlog=0.01), lambda _: None)
    assert reporter.wanted("/")
    until(lambda: reporter.losses().get("backlog", 0) > 1, "faults are counted")
    watch = reporter._backlog
    assert watch is not None
    watch.stop()
