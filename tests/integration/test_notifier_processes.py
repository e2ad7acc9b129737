"""A notifier in real processes: forks, ends of every kind, gevent, a spool that several share, servers that hang."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from nilometer.testing._server import Server
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEAD = """
import os, signal, sys, threading, time
from nilometer import Notifier
notifier = Notifier(sys.argv[1], publisher="shop.h")
emit = notifier.info
"""
SENT = re.compile(r"events\.shop\.(\w+):1\|c")


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), socket.SOCK_STREAM)
    yield made
    made.leave()


def start(code: str, server: Server, options: str = "", head: str = HEAD) -> subprocess.Popen[bytes]:
    url = f"statsd+tcp://127.0.0.1:{server.port}?timeout=1s{options}"
    return subprocess.Popen([sys.executable, "-c", head + code, url], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def run(code: str, server: Server, options: str = "", head: str = HEAD, status: int = 0) -> str:
    """Run a program that has a notifier to its end; return what it printed."""
    program = start(code, server, options, head)
    out, err = program.communicate(timeout=60)
    assert program.returncode == status, err.decode()
    assert (b"Traceback" in err) == (status == 1), err.decode()
    return out.decode()


def counts(server: Server) -> dict[str, int]:
    return Counter(SENT.findall(b"\n".join(server.inbox.parts()).decode()))


def kept(directory: Path) -> list[int]:
    """Return how many events each file of all spools holds."""
    parts = (name.stem.split("-") for name in directory.glob("*/*/*.events"))
    return [int(part[2]) if part[2:] else 1 for part in parts]


def arrived(server: Server, **expected: int) -> None:
    until(lambda: counts(server) == expected, f"{expected}", told=lambda: str(counts(server)))


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("sys.exit(3)", 3),
        ("raise ValueError", 1),
        ("signal.signal(15, lambda *_: sys.exit(4)); os.kill(os.getpid(), 15)", 4),
        ("import atexit; atexit.register(emit, 'a')\nnotifier = None; emit = None", 0),
    ],
)
def test_whatever_ends_a_program_its_events_go_out(server: Server, end: str, status: int) -> None:
    run(f"[emit('a') for _ in range(100)]\n{end}", server, status=status)
    until(lambda: counts(server)["a"] >= 100, "all arrived", told=lambda: str(counts(server)))


def test_children_deliver_their_own_events_and_none_of_their_parent_s(server: Server, tmp_path: Path) -> None:
    code = """
import multiprocessing
def work():
    for _ in range(20): emit("mp")
for _ in range(10): emit("parent")
children = []
for _ in range(3):
    child = os.fork()
    if not child:
        for _ in range(20): emit("child")
        notifier.close()
        os._exit(0)
    children.append(child)
for child in children: os.waitpid(child, 0)
workers = [multiprocessing.get_context("fork").Process(target=work) for _ in range(2)]
for worker in workers: worker.start()
for worker in workers: worker.join()
emit("parent")
assert not any(notifier.losses().values()), notifier.losses()
"""
    run(code, server, f"&spool={tmp_path}")
    arrived(server, parent=11, child=60, mp=40)


@pytest.mark.parametrize("patch", ["from gevent import monkey; monkey.patch_all()", ""])
def test_greenlets_emit(server: Server, patch: str) -> None:
    code = """
import gevent
def work():
    for _ in range(50):
        emit("a")
        gevent.sleep(0)
gevent.joinall([gevent.spawn(work) for _ in range(4)])
"""
    run(code, server, head=patch + HEAD)
    arrived(server, a=200)


def test_processes_share_a_directory_and_the_next_one_delivers_what_all_have_left(server: Server, tmp_path: Path) -> None:
    spool = f"&spool={tmp_path}"
    server.leave()
    code = "[emit('a') for _ in range(700)]\nprint('up', flush=True)\nsys.stdin.read()\n"
    programs = [start(code, server, spool) for _ in range(3)]
    for program in programs:
        assert program.stdout is not None
        program.stdout.readline()
    until(lambda: sum(kept(tmp_path)) == 2100, "all lie on disk", told=lambda: str(kept(tmp_path)))
    for program in programs:
        program.send_signal(signal.SIGKILL)
        program.communicate()
    assert len(list(tmp_path.glob("*/*"))) >= 3
    server.come_back()
    run("assert notifier.flush(30)", server, spool)
    arrived(server, a=2100)
    assert not kept(tmp_path)


def test_the_caller_waits_for_no_server_that_hangs(server: Server, tmp_path: Path) -> None:
    server.inbox.stall()
    code = """
slow = []
for number in range(10_000):
    before = time.perf_counter()
    emit("work", {"text": "x" * 200, "number": number})
    slow.append(time.perf_counter() - before)
    if number % 500 == 0: time.sleep(0.005)
notifier.close(0.5)
lost = notifier.losses()
assert not any(lost.values()), lost
print(sorted(slow)[int(len(slow) * 0.99)])
"""
    assert float(run(code, server, f"&spool={tmp_path}")) < 1
    assert sum(kept(tmp_path)) <= 10_000
    server.inbox.resume()
    run("assert notifier.flush(30)", server, f"&spool={tmp_path}")
    until(lambda: counts(server)["work"] >= 10_000, "all arrived", told=lambda: str(counts(server)))
